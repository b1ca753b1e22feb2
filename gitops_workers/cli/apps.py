"""`app list|get|diff|history|manifests`: looking at applications."""

from __future__ import annotations

import enum
import sys
from typing import Annotated, Any

import typer

from gitops_workers.cli import FAILED, requests
from gitops_workers.cli.arguments import App
from gitops_workers.cli.client import Engine, open_engine
from gitops_workers.cli.diffs import show_diff
from gitops_workers.cli.output import Output, OutputOption, flat, paint, plain, show_rows, show_value
from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import StatusQuery

STALE = "(stale: nobody has looked for twice the interval; see `gitops-workers doctor`)"


class Sort(enum.StrEnum):
    """What `--sort` takes: what is in trouble first, by id, the worst first, or the newest change first."""

    TROUBLE = "trouble"
    NAME = "name"
    SYNC = "sync"
    HEALTH = "health"
    AGE = "age"


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
        sort=(sort or (Sort.TROUBLE if table else Sort.NAME)).value,
        descending=reverse,
    )
    engine = open_engine()
    show_rows(applications(), engine.rows(query), output)
    found = remarks_of(engine.state)
    if table and found.total:
        print(
            f"{found.summary} `gitops-workers validate` shows them; the first is:\n{plain(found.lines[0])}",
            file=sys.stderr,
        )


def get(app: App, refresh: Refresh = False, timeout: Patience = 60.0, output: OutputOption = Output.TABLE) -> None:
    """Show one application: status, conditions, objects."""
    engine = open_engine()
    status = engine.find(app)
    if refresh:
        requests.look_again(engine, status.id, timeout)
        status = engine.find(status.id)
    if output is Output.NAME:
        print(flat(status.id))
    elif output in (Output.JSON, Output.YAML):
        show_value(described(engine, status), output)
    else:
        _describe(status)
        resources = engine.state.resources(status.id)
        if resources:
            from gitops_workers.cli.views import RESOURCES  # noqa: PLC0415 - as above

            print()
            show_rows(RESOURCES, resources, output)


def history(app: App, output: OutputOption = Output.TABLE) -> None:
    """List finished deployments, newest first."""
    from gitops_workers.cli.views import HISTORY  # noqa: PLC0415 - as above

    engine = open_engine()
    show_rows(HISTORY, _history(engine, engine.find(app)), output)


def diff(app: App, refresh: Refresh = False, timeout: Patience = 60.0) -> None:
    """Show what differs between Git and the cluster; exits with 1 when something does. Secrets are masked."""
    engine = open_engine()
    status = engine.find(app)
    if refresh:
        requests.look_again(engine, status.id, timeout)
    differing = [view for view in engine.state.resources(status.id) if view.status is not SyncStatus.SYNCED]
    for view in differing:
        show_diff(view)
    if differing or engine.find(status.id).sync is SyncStatus.UNKNOWN:
        if not differing:
            print(f"unknown: {plain(engine.find(status.id).message)}")
        raise typer.Exit(FAILED)


def manifests(app: App) -> None:
    """Print the objects that Git means for this application, as YAML."""
    from gitops_workers.cli.rendering import print_application  # noqa: PLC0415 - Git and the renderer behind it

    engine = open_engine()
    print_application(engine, engine.find(app))


def described(engine: Engine, status: Status) -> dict[str, Any]:
    """The JSON of design section 9: the row, its objects and its history, and what it depends on."""
    from gitops_workers.web.dependencies import dependencies_of  # noqa: PLC0415 - as below

    resources = [view.to_json() for view in engine.state.resources(status.id)]
    depends_on = dependencies_of(engine.state, status.id)
    more = {"dependsOn": depends_on, "resources": resources, "history": _history(engine, status)}
    return {**status.to_json(), **more}


def _history(engine: Engine, status: Status) -> list[dict[str, Any]]:
    from gitops_workers.web.history import history_of  # noqa: PLC0415 - the one reader of that document

    return history_of(engine.state, status.id)


def _describe(status: Status) -> None:
    operation = status.operation
    lines = {
        "Name": status.id,
        "Project": status.project,
        "Destination": f"{status.cluster or '-'} {status.namespace}".strip(),
        "Repository": without_credentials(status.repository),
        "Path": status.path,
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
