"""`app sync|rollback|terminate`: asking for what changes a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops_workers.cli import FAILED
from gitops_workers.cli.arguments import App, Apps, Timeout
from gitops_workers.cli.client import Engine, open_engine
from gitops_workers.cli.diffs import show_diff
from gitops_workers.cli.output import Output, show_rows
from gitops_workers.cli.requests import answered, deployed, submit
from gitops_workers.core.errors import Refused
from gitops_workers.services import requests
from gitops_workers.services.changes import Accepted
from gitops_workers.services.requests import SyncOptions

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
    options = SyncOptions(prune, revision, tuple(resources or ()), dry_run, force)
    engine = open_engine()
    asked = submit(engine, [requests.sync(engine.backend, engine.caller, app, options) for app in apps])
    # A list: all are waited for, also after one of them failed.
    if dry_run:
        done = [_rehearsed(engine, one, timeout) for one in asked]
    else:
        done = [deployed(engine, one, timeout) for one in asked if wait_for]
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
    change = requests.rollback(engine.backend, engine.caller, app, number, prune=prune, pause=pause)
    (asked,) = submit(engine, [change])
    if wait_for and not deployed(engine, asked, timeout):
        raise typer.Exit(FAILED)


def terminate(apps: Apps, timeout: Timeout = 60.0) -> None:
    """End the running operation; what it has applied stays. Automated sync tries again after its backoff."""
    engine = open_engine()
    asked = submit(engine, [requests.terminate(engine.backend, engine.caller, app) for app in apps])
    done = [answered(engine, one, timeout) for one in asked]
    if not all(done):
        raise typer.Exit(FAILED)


def _rehearsed(engine: Engine, asked: Accepted, timeout: float) -> bool:
    if not answered(engine, asked, timeout):
        return False
    last = requests.last_request(engine.state, asked.app)
    if last is None or last.request != asked.request or last.preview is None:
        raise Refused(f"{asked.app}: somebody else's dry run took the place of this one; repeat it.")
    if last.preview:
        from gitops_workers.cli.views import RESOURCES  # noqa: PLC0415 - redis behind it; `--help` does without

        show_rows(RESOURCES, last.preview, Output.TABLE)
    for row in last.preview:
        if row.diff:
            show_diff(row)
    return True
