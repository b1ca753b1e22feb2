"""`repo list|resolve`."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from gitops_workers.cli.client import open_engine, settings
from gitops_workers.cli.output import Output, OutputOption, flat, show_rows, show_value
from gitops_workers.core.model import RevisionKind, RevisionSpec, SourceSpec, SyncStatus
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import StatusQuery
from gitops_workers.services.listing import rows


class Rule(enum.StrEnum):
    """How REVISION is read: Argo CD's targetRevision, or one field of Flux' spec.ref."""

    ARGOCD = "argocd"
    BRANCH = "branch"
    TAG = "tag"
    SEMVER = "semver"
    NAME = "name"
    COMMIT = "commit"


def list_repositories(output: OutputOption = Output.TABLE) -> None:
    """List the Git repositories of all applications."""
    from gitops_workers.cli.views import REPOSITORIES  # noqa: PLC0415 - `--help` does without

    show_rows(REPOSITORIES, repositories(rows(open_engine().state, StatusQuery())), output)


def resolve(
    url: Annotated[str, typer.Argument(metavar="URL", help="The repository.")],
    revision: Annotated[
        str, typer.Argument(metavar="REVISION", help="A branch, tag, commit, version range or pattern.")
    ],
    rule: Annotated[Rule, typer.Option("--as", help="Read REVISION as this field would be read.")] = Rule.ARGOCD,
    output: OutputOption = Output.TABLE,
) -> None:
    """Print the commit that a revision means now. Needs Git and nothing else."""
    from gitops_workers.cli.offline_ports import offline_ports  # noqa: PLC0415 - Git behind it

    source = SourceSpec(url, RevisionSpec(RevisionKind(rule.value), revision))
    with offline_ports(settings()) as context:
        found = context.sources.resolve(source)
    if output in (Output.JSON, Output.YAML):
        show_value({"commit": found.commit, "ref": found.ref}, output)
    elif output is Output.NAME:
        print(flat(found.commit))
    else:
        print(f"{flat(found.commit)} {flat(found.ref)}".rstrip())


def repositories(rows: Iterable[Status]) -> list[dict[str, Any]]:
    """One entry per repository, by URL."""
    members: dict[str, list[Status]] = defaultdict(list)
    for row in rows:
        members[without_credentials(row.repository)].append(row)
    return [
        {
            "url": url,
            "applications": len(apps),
            "synced": sum(app.sync is SyncStatus.SYNCED for app in apps),
            "refs": sorted({app.ref for app in apps if app.ref}),
            "commits": sorted({app.revision for app in apps if app.revision}),
            "message": next((app.message for app in apps if app.sync is SyncStatus.UNKNOWN and app.message), ""),
        }
        for url, apps in sorted(members.items())
    ]
