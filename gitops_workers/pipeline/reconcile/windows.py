"""Sync windows at work: whether this attempt may go on, and when to look again if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gitops_workers.core.errors import Retry
from gitops_workers.core.model import Application
from gitops_workers.core.policy.project import SyncWindow
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.windows import forbidden, windows_for
from gitops_workers.core.text.timefmt import utc
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import Calendar

UNCHANGING_RECHECK_S = 24 * 3600.0
"""Seconds between two looks at windows that never change: a schedule without a date costs one look a day."""
MOST_CHANGES = 50
"""So many openings and closings are looked through for the moment at which all windows let a sync go on."""


@dataclass(frozen=True, slots=True)
class SyncBlocked:
    """Syncing is not allowed now. `due_in`: seconds until a window may say something else."""

    reason: str
    due_in: float


def sync_blocked(
    context: Context, app: Application, cluster: str, *, manual: bool, going: Operation | None
) -> SyncBlocked | None:
    """None when the windows let the application be synced. An operation that is going on may overrun."""
    windows = windows_for(app, context.clusters.identity(cluster))
    if not windows:
        return None
    if context.calendar is None:
        raise Retry(f"{app.id}: this process cannot evaluate sync windows; look at how it was started.")
    calendar, now = context.calendar, context.queue.now()
    started = going.started_at if going is not None else None

    def blocked(moment: float, manual: bool = manual) -> str:
        return forbidden(windows, moment, calendar.is_open, manual=manual, started_at=started)

    reason = blocked(now)
    if not reason:
        return None
    if not manual and not blocked(now, manual=True):
        reason = f"{reason} `gitops-workers app sync {app.id}` is allowed."
    changes = list(_changes(windows, calendar, now))
    return SyncBlocked(
        f"{reason} {_opens(changes, blocked)}", max(1.0, (changes or [now + UNCHANGING_RECHECK_S])[0] - now)
    )


def _changes(windows: Sequence[SyncWindow], calendar: Calendar, now: float) -> Iterator[float]:
    """The next moments at which some window opens or closes."""
    for _ in range(MOST_CHANGES):
        found = [change for window in windows if (change := calendar.next_change(window, now)) is not None]
        if not found:
            return
        now = min(found)
        yield now


def _opens(changes: Sequence[float], blocked: Callable[[float], str]) -> str:
    """When a sync may go on, in words."""
    if not changes:
        return "By these schedules it never goes on: correct them."
    opens = next((moment for moment in changes if not blocked(moment)), None)
    return f"It does not go on before {utc(changes[-1])}." if opens is None else f"Syncing goes on at {utc(opens)}."
