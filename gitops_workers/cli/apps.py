"""`app list|get|diff|history|manifests`: looking at applications."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from gitops_workers.cli import FAILED
from gitops_workers.cli.arguments import App
from gitops_workers.cli.client import open_engine
from gitops_workers.cli.diffs import show_diff
from gitops_workers.cli.output import Output, OutputOption, flat, paint, plain, show_rows, show_value
from gitops_workers.cli.requests import refreshed
from gitops_workers.core.model import AppId, Dialect, HealthStatus, Phase, SyncStatus
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import StatusQuery
from gitops_workers.services import details, listing
from gitops_workers.services import history as deployments
from gitops_workers.services.listing import Sort

STALE = "(stale: nobody has looked for twice the interval; see `gitops-workers doctor`)"


Refresh = Annotated[
    bool, typer.Option("--refresh", help="Compare with the live state of now first instead of showing the last look.")
]
Patience = Annotated[float, typer.Option(help="Seconds to wait for --refresh.", min=0.1)]


def list_applications(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="Only ids that contain this.")] = "",
    sync: Annotated[SyncStatus | None, typer.Option(case_sensitive=False, help="Only this sync status.")] = None,
    health: Annotated[HealthStatus | None, typer.Option(case_sensitive=False, help="Only this health.")] = None,
    project: Annotated[str, typer.Option(help="Only this Argo CD project.")] = "",
    cluster: Annotated[str, typer.Option(help="Only this destination cluster.")] = "",
    dialect: Annotated[Dialect | None, typer.Option(help="Only those with manifests of Argo CD, or of Flux.")] = None,
    failing: Annotated[bool, typer.Option("--failing", help="Only those with which something is wrong.")] = False,
    outcome: Annotated[
        Phase | None, typer.Option(case_sensitive=False, help="Only this outcome of the last operation.")
    ] = None,
    sort: Annotated[
        Sort | None,
        typer.Option(case_sensitive=False, help="Order of the rows: trouble first in tables, by name for programs."),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List applications, filtered and sorted."""
    from gitops_workers.cli.views import applications  # noqa: PLC0415 - redis behind it; `--help` does without
    from gitops_workers.pipeline.catalogue.remarks import remarks_of  # noqa: PLC0415 - as above

    table = output in (Output.TABLE, Output.WIDE)
    query = StatusQuery(
        failing=failing,
        outcome=outcome.value if outcome else "",
        text=text,
        sync=sync.value if sync else "",
        health=health.value if health else "",
        project=project,
        cluster=cluster,
        dialect=dialect.value if dialect else "",
        sort=(sort or (Sort.TROUBLE if table else Sort.NAME)).value,
        descending=reverse,
    )
    engine = open_engine()
    show_rows(applications(), listing.rows(engine.state, query), output)
    found = remarks_of(engine.state)
    if table and found.total:
        print(
            f"{found.summary} `gitops-workers validate` shows them; the first is:\n{plain(found.lines[0])}",
            file=sys.stderr,
        )


def get(app: App, refresh: Refresh = False, timeout: Patience = 60.0, output: OutputOption = Output.TABLE) -> None:
    """Show one application: status, conditions, objects."""
    engine = open_engine()
    status = refreshed(engine, app, timeout) if refresh else engine.find(app)
    found = details.details(engine.state, status)
    if output is Output.NAME:
        print(flat(status.id))
    elif output in (Output.JSON, Output.YAML):
        show_value(found.to_json(), output)
    else:
        _describe(status, found.depends_on)
        if found.resources:
            from gitops_workers.cli.views import RESOURCES  # noqa: PLC0415 - as above

            print()
            show_rows(RESOURCES, found.resources, output)


def history(app: App, output: OutputOption = Output.TABLE) -> None:
    """List finished deployments, newest first."""
    from gitops_workers.cli.views import HISTORY  # noqa: PLC0415 - as above

    engine = open_engine()
    show_rows(HISTORY, deployments.history(engine.state, engine.find(app).id), output)


def diff(app: App, refresh: Refresh = False, timeout: Patience = 60.0) -> None:
    """Show what differs between Git and the cluster; exits with 1 when something does. Secrets are masked."""
    engine = open_engine()
    found = details.diff(engine.state, refreshed(engine, app, timeout) if refresh else engine.find(app))
    for view in found.resources:
        show_diff(view)
    if found.clean:
        return
    if not found.resources:
        print(f"unknown: {plain(found.message)}")
    raise typer.Exit(FAILED)


def manifests(app: App) -> None:
    """Print the objects that Git means for this application, as YAML."""
    from gitops_workers.cli.rendering import print_application  # noqa: PLC0415 - Git and the renderer behind it

    engine = open_engine()
    print_application(engine, engine.find(app))


def _describe(status: Status, depends_on: Sequence[AppId]) -> None:
    operation = status.operation
    lines = {
        "Name": status.id,
        "Project": status.project,
        "Destination": f"{status.cluster or '-'} {status.namespace}".strip(),
        "Repository": without_credentials(status.repository),
        "Path": status.path,
        "Depends on": ", ".join(depends_on),
        "Revision": f"{status.ref} {status.revision}".strip() or "-",
        "Sync": status.sync.value,
        "Health": f"{status.health.value} {status.health_message}".strip(),
        "Suspended": "yes" if status.suspended else "",
        "Operation": f"{operation.phase.value} {operation.message}" if operation else "",
        "Operation by": operation.initiated_by if operation else "",
        "Checked": f"{status.last_checked_at} {STALE if status.stale else ''}".strip(),
        "Next look": status.next_due_at,
        "Message": status.message,
    }
    for title, text in lines.items():
        if text:
            first, _, rest = flat(text).partition(" ")
            print(f"{title + ':':<14}{paint(first)}{' ' + rest if rest else ''}")
    for condition in status.conditions:
        print(f"{'Condition:':<14}{paint(flat(condition.type), 'Warning')} {flat(condition.message)}")
