"""`app wait|suspend|resume`: waiting for applications, and whether they are looked after."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops_workers.cli import FAILED, requests
from gitops_workers.cli.arguments import Apps, Timeout
from gitops_workers.cli.client import Engine, open_engine
from gitops_workers.cli.output import flat
from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.core.status.rows import Status

FAILED_HEALTH = frozenset({HealthStatus.DEGRADED, HealthStatus.FAILED})


def wait(
    apps: Apps,
    sync: Annotated[bool, typer.Option("--sync", help="Until in sync with Git.")] = False,
    health: Annotated[bool, typer.Option("--health", help="Until healthy.")] = False,
    operation: Annotated[bool, typer.Option("--operation", help="Until nothing runs and nothing is asked.")] = False,
    suspended: Annotated[bool, typer.Option("--suspended", help="Until its health is Suspended.")] = False,
    degraded: Annotated[bool, typer.Option("--degraded", help="Until its health is Degraded or Failed.")] = False,
    timeout: Timeout = 300.0,
) -> None:
    """Wait until applications are in sync, healthy and at rest, or only what is named; exits with 1 when time is up.

    Several words for health mean any of them, as in Argo CD.
    """
    engine = open_engine()
    named = sync or health or operation or suspended or degraded
    wanted = (requests.WELL if health or not named else frozenset()) | (FAILED_HEALTH if degraded else frozenset())
    wanted |= {HealthStatus.SUSPENDED} if suspended else set()
    # What is in sync and healthy before an operation may not be so after it; what has failed is news at once.
    rests = operation or sync or health or not named

    def reached(status: Status) -> bool:
        synced = status.sync is SyncStatus.SYNCED or not (sync or not named)
        well = status.health in wanted or not wanted
        return synced and well and not (rests and _busy(engine, status))

    ids = [engine.find(app).id for app in apps]
    done = [requests.awaited(engine, app, reached, timeout) for app in ids]
    if not all(done):
        raise typer.Exit(FAILED)


def suspend(apps: Apps) -> None:
    """Stop fetching, comparing and applying for these applications until they are resumed."""
    engine = open_engine()
    for app in [engine.identify(name) for name in apps]:
        engine.state.save("override", app, {"suspended": True, "by": requests.user()})
        generation = engine.ask(app, f"suspend asked by {requests.user()}")
        engine.state.add_events([requests.wish(engine, app, "suspend").accepted(generation)])
        print(f"{flat(app)}: suspended")
    engine.ring()


def resume(apps: Apps) -> None:
    """Undo a suspension, by hand or by the manifest, and the pause of a rollback; look at the applications now."""
    engine = open_engine()
    for app in [engine.identify(name) for name in apps]:
        if engine.state.application(app) is None:
            raise requests.unreadable(app)
        now = engine.queue.now()
        mark = {"suspended": False, "by": requests.user(), "resumedAt": now}
        # Whoever resumes wants to see what has become of it meanwhile.
        engine.state.save(refreshes.ASKED, app, refreshes.request(now, requests.user()))
        engine.state.save("override", app, mark)
        generation = engine.ask(app, f"resume asked by {requests.user()}")
        engine.state.add_events([requests.wish(engine, app, "resume").accepted(generation)])
        print(f"{flat(app)}: resumed")
    engine.ring()


def _busy(engine: Engine, status: Status) -> bool:
    running = status.operation is not None and status.operation.phase is Phase.RUNNING
    return running or requests.is_pending(engine, status.id)
