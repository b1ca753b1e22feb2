"""`app sync|wait|suspend|resume`: asking for work and waiting for it."""

from __future__ import annotations

import getpass
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from gitops_workers.cli import FAILED
from gitops_workers.cli.engine import Engine, open_engine
from gitops_workers.cli.output import flat, paint
from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import AppId, HealthStatus, Phase, SyncStatus
from gitops_workers.core.status import Status

POLL_SECONDS = 0.25
"""One small read of the store: an operator sees no delay, and the store no load."""
WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.CURRENT})
FAILURES = frozenset({Phase.FAILED, Phase.ERROR})

Apps = Annotated[list[str], typer.Argument(metavar="APP", help="Ids, or names that are unique.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait at most.", min=0.1)]


def sync(
    apps: Apps,
    prune: Annotated[bool, typer.Option("--prune", help="Also delete what is no longer in Git.")] = False,
    wait_for: Annotated[bool, typer.Option("--wait", help="Wait until it is applied and healthy.")] = False,
    timeout: Timeout = 300.0,
) -> None:
    """Compare with Git now and apply what differs, also where the application does not sync by itself."""
    engine = open_engine()
    chosen = [engine.find(app) for app in apps]
    for status in chosen:
        if status.suspended:
            raise Refused(f"{status.id} is suspended: run `gitops-workers app resume {status.id}` first.")
        _check_key(engine, status.id)
    asked_at = engine.queue.now()
    for status in chosen:
        engine.state.save("request", status.id, {"prune": prune, "by": user()})
        engine.ask(status.id, f"sync asked by {user()}")
        print(f"{flat(status.id)}: sync asked")
    engine.ring()
    if wait_for:
        # A list: all are waited for, also after one of them failed.
        done = [_awaited_sync(engine, status.id, asked_at, timeout) for status in chosen]
        if not all(done):
            raise typer.Exit(FAILED)


def wait(
    apps: Apps,
    sync: Annotated[bool, typer.Option("--sync", help="Until in sync with Git.")] = False,
    health: Annotated[bool, typer.Option("--health", help="Until healthy.")] = False,
    timeout: Timeout = 300.0,
) -> None:
    """Wait until applications are in sync and healthy (or only one of the two); exits with 1 when time is up."""
    engine = open_engine()
    both = not (sync or health)

    def reached(status: Status) -> bool:
        synced = status.sync is SyncStatus.SYNCED or not (sync or both)
        return synced and (status.health in WELL or not (health or both)) and not _busy(status)

    ids = [engine.find(app).id for app in apps]
    done = [_awaited(engine, app, reached, timeout) for app in ids]
    if not all(done):
        raise typer.Exit(FAILED)


def suspend(apps: Apps) -> None:
    """Stop fetching, comparing and applying for these applications until they are resumed."""
    engine = open_engine()
    for app in [engine.identify(name) for name in apps]:
        engine.state.save("override", app, {"suspended": True, "by": user()})
        engine.ask(app, f"suspend asked by {user()}")
        print(f"{flat(app)}: suspended")
    engine.ring()


def resume(apps: Apps) -> None:
    """Undo a suspension, by hand or by the manifest, and look at the applications now."""
    engine = open_engine()
    for app in [engine.identify(name) for name in apps]:
        _check_key(engine, app)
        engine.state.save("override", app, {"suspended": False, "by": user()})
        engine.ask(app, f"resume asked by {user()}")
        print(f"{flat(app)}: resumed")
    engine.ring()


def look_again(engine: Engine, app: AppId, timeout: float) -> None:
    """Have the application compared now. Raises Refused when nobody has done it in time."""
    asked_at = engine.queue.now()
    engine.ask(app, f"refresh asked by {user()}")
    engine.ring()
    if not _awaited(engine, app, lambda status: _checked_since(status, asked_at), timeout):
        raise Refused(f"{app} was not looked at within {timeout:g} s: see `gitops-workers doctor`.")


def user() -> str:
    """Who asks, for history and events."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that no passwd file knows
        return f"uid {os.getuid()}"


def _check_key(engine: Engine, app: AppId) -> None:
    if engine.state.application(app) is None:
        raise InvalidManifest(
            f"{app}: what is stored cannot be read with this key, so workers would not read our wish either. Set "
            "GITOPS_CACHE_KEY (or GITOPS_STATE) to that of the workers."
        )


def _busy(status: Status) -> bool:
    return status.operation is not None and status.operation.phase is Phase.RUNNING


def _checked_since(status: Status, moment: float) -> bool:
    from gitops_workers.core.listing import epoch  # noqa: PLC0415 - keeps the import list of `wait` short

    return epoch(status.last_checked_at) >= moment


def _awaited_sync(engine: Engine, app: AppId, asked_at: float, timeout: float) -> bool:
    """Until our request was served, then until healthy. False when it failed or time is up."""
    deadline = time.monotonic() + timeout

    def served(status: Status) -> bool:
        done = _checked_since(status, asked_at) and engine.state.load("request", app) is None
        return done and not _busy(status)

    if not _awaited(engine, app, served, timeout):
        return False
    status = engine.find(app)
    if status.sync is SyncStatus.UNKNOWN or (status.operation and status.operation.phase in FAILURES):
        return _failed(status)
    # Objects that are only pruned when asked leave the application OutOfSync after a sync that did all it was told.
    return _awaited(engine, app, lambda now: now.health in WELL, max(0.1, deadline - time.monotonic()))


def _awaited(engine: Engine, app: AppId, reached: Callable[[Status], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    shown: Sequence[str] = ()
    while True:
        status = engine.find(app)
        now = (status.sync.value, status.health.value, status.operation.phase.value if status.operation else "-")
        if now != shown:
            shown = now
            print(f"{flat(app)}: {paint(now[0])} {paint(now[1])}, operation {paint(now[2])}", file=sys.stderr)
        if reached(status):
            return True
        if time.monotonic() > deadline:
            print(f"{flat(app)}: not within {timeout:g} s: {flat(status.message)}", file=sys.stderr)
            return False
        time.sleep(POLL_SECONDS)


def _failed(status: Status) -> bool:
    message = status.operation.message if status.operation and status.operation.phase in FAILURES else status.message
    print(f"{flat(status.id)}: failed: {flat(message)}", file=sys.stderr)
    return False
