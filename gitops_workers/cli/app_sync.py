"""`app sync|rollback|terminate`: asking for what changes a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops_workers.cli import FAILED, requests
from gitops_workers.cli.arguments import App, Apps, Timeout
from gitops_workers.cli.client import Engine, open_engine
from gitops_workers.cli.diffs import show_diff
from gitops_workers.cli.output import Output, show_rows
from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import AppId, Phase
from gitops_workers.core.status.rows import ResourceView
from gitops_workers.core.sync.request import Request, selector
from gitops_workers.core.text import codec

Prune = Annotated[bool, typer.Option("--prune", help="Also delete what is no longer in Git.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is applied and healthy.")]


def sync(
    apps: Apps,
    prune: Prune = False,
    revision: Annotated[
        str, typer.Option(metavar="REV", help="Sync this branch, tag, commit or version, this once.")
    ] = "",
    resources: Annotated[
        list[str] | None,
        typer.Option(
            "--resource",
            metavar="[!]GROUP:KIND:[NS/]NAME",
            help="Only these objects, or all but these (!); `*` is any; repeatable.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; nothing is written.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Delete and create an object whose immutable field changed.")
    ] = False,
    wait_for: Wait = False,
    timeout: Timeout = 300.0,
) -> None:
    """Compare with Git now and apply what differs, also where the application does not sync by itself."""
    chosen = tuple(selector(text) for text in resources or ())
    engine = open_engine()
    options = {"prune": prune, "revision": revision, "resources": chosen, "dry_run": dry_run, "force": force}
    wanted = {engine.find(app): requests.request_of(**options) for app in apps}
    for status, request in wanted.items():
        requests.allow(engine, status, request, "sync")
    for status, request in wanted.items():
        requests.send(engine, status.id, request, "sync")
    engine.ring()
    # A list: all are waited for, also after one of them failed.
    if dry_run:
        done = [_rehearsed(engine, status.id, request, timeout) for status, request in wanted.items()]
    else:
        done = [
            requests.deployed(engine, status.id, request, timeout) for status, request in wanted.items() if wait_for
        ]
    if not all(done):
        raise typer.Exit(FAILED)


def rollback(
    app: App,
    number: Annotated[int, typer.Argument(metavar="ID", help="As `app history` shows it.", min=0)],
    prune: Prune = False,
    pause: Annotated[
        bool, typer.Option("--pause-automation", help="Sync no more by itself until `app resume`.")
    ] = False,
    wait_for: Wait = False,
    timeout: Timeout = 300.0,
) -> None:
    """Deploy again what an entry of the history deployed. Hooks are not run."""
    engine = open_engine()
    status = engine.find(app)
    request = requests.request_of(rollback=number, prune=prune, pause=pause)
    requests.allow(engine, status, request, "rollback")
    known = [entry["id"] for entry in engine.state.load("history", status.id) or ()]
    if number not in known:
        shown = ", ".join(map(str, known)) or "nothing"
        unknown = InvalidManifest(f"{status.id}: the history has no entry {number}; it has {shown}.")
        raise requests.refused(engine, status.id, "rollback", unknown, request)
    requests.send(engine, status.id, request, "rollback")
    engine.ring()
    if wait_for and not requests.deployed(engine, status.id, request, timeout):
        raise typer.Exit(FAILED)


def terminate(apps: Apps, timeout: Timeout = 60.0) -> None:
    """End the running operation; what it has applied stays. Automated sync tries again after its backoff."""
    engine = open_engine()
    chosen = [engine.find(app) for app in apps]
    for status in chosen:
        if status.operation is None or status.operation.phase is not Phase.RUNNING:
            nothing = Refused(f"{status.id}: no operation is running: there is nothing to terminate.")
            raise requests.refused(engine, status.id, "terminate", nothing)
    wanted = {status.id: requests.request_of(terminate=True) for status in chosen}
    for status in chosen:
        requests.allow(engine, status, wanted[status.id], "terminate")
    for app, request in wanted.items():
        requests.send(engine, app, request, "terminate")
    engine.ring()
    done = [requests.answered(engine, app, request, timeout) for app, request in wanted.items()]
    if not all(done):
        raise typer.Exit(FAILED)


def _rehearsed(engine: Engine, app: AppId, request: Request, timeout: float) -> bool:
    if not requests.answered(engine, app, request, timeout):
        return False
    preview = engine.state.load("preview", app)
    if preview is None or preview["id"] != request.id:
        raise Refused(f"{app}: somebody else's dry run took the place of this one; repeat it.")
    rows = [codec.load(ResourceView, row) for row in preview["resources"]]
    if rows:
        from gitops_workers.cli.views import RESOURCES  # noqa: PLC0415 - redis behind it; `--help` does without

        show_rows(RESOURCES, rows, Output.TABLE)
    for row in rows:
        if row.diff:
            show_diff(row)
    return True
