"""`app wait|suspend|resume`: waiting for applications, and whether they are looked after."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops_workers.cli import FAILED
from gitops_workers.cli.arguments import Apps, Timeout
from gitops_workers.cli.client import open_engine
from gitops_workers.cli.requests import awaited, submit
from gitops_workers.services import suspension
from gitops_workers.services.wait import Target


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
    target = Target(sync, health, operation, suspended, degraded)
    ids = [engine.find(app).id for app in apps]
    done = [awaited(engine, app, lambda row: target.reached(engine.state, row), timeout) for app in ids]
    if not all(done):
        raise typer.Exit(FAILED)


def suspend(apps: Apps) -> None:
    """Stop fetching, comparing and applying for these applications until they are resumed."""
    engine = open_engine()
    submit(engine, [suspension.suspend(engine.backend, engine.caller, app) for app in apps], done="suspended")


def resume(apps: Apps) -> None:
    """Undo a suspension, by hand or by the manifest, and the pause of a rollback; look at the applications now."""
    engine = open_engine()
    submit(engine, [suspension.resume(engine.backend, engine.caller, app) for app in apps], done="resumed")
