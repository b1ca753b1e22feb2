"""Sync windows at work: whether this attempt may go on, and when to look again if not."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.errors import Retry
from gitops_workers.core.model import Application
from gitops_workers.core.operation import Operation
from gitops_workers.core.windows import forbidden, windows_for
from gitops_workers.pipeline.world import World

NEVER = 24 * 3600.0
"""Seconds between two looks at windows that never change: a schedule without a date costs one look a day."""


@dataclass(frozen=True, slots=True)
class Shut:
    """Syncing is not allowed now. `due_in`: seconds until a window may say something else."""

    reason: str
    due_in: float


def look(world: World, app: Application, cluster: str, *, manual: bool, going: Operation | None) -> Shut | None:
    """None when the windows let the application be synced. An operation that is going on may overrun."""
    windows = windows_for(app, cluster, world.clusters.server(cluster))
    if not windows:
        return None
    if world.calendar is None:
        raise Retry(f"{app.id}: this process cannot evaluate sync windows; look at how it was started.")
    now = world.queue.now()
    started = going.started_at if going is not None else None
    reason = forbidden(windows, now, world.calendar.is_open, manual=manual, started_at=started)
    if not reason:
        return None
    changes = [change for window in windows if (change := world.calendar.next_change(window, now)) is not None]
    return Shut(reason, max(1.0, min(changes, default=now + NEVER) - now))
