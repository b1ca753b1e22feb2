"""Outcomes of a deletion: what is shown while it waits, is held or has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gitops_workers.core.model import (
    Application,
    HealthStatus,
    SyncStatus,
)
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune import deletion as deletions
from gitops_workers.core.prune.candidates import DeletionPlan
from gitops_workers.core.status.rows import ResourceView
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion.forget_application import delete_application
from gitops_workers.pipeline.reconcile.outcome import Outcome

AWAITING_USER_RECHECK_S = 60.0
"""Seconds between two looks at what waits for a human: an order rings at once, an edited object does not."""
CATALOGUE_BUSY_RETRY_S = 1.0
"""Seconds until it is tried again to end the bookkeeping, while a refresh of the catalogue is at work."""


def ended(
    context: Context, app: Application, message: str, kind: str = "Normal", last: Callable[[], None] | None = None
) -> Outcome | None:
    """Delete the application's bookkeeping, after `last`; None when that is done, else the outcome that tries again."""
    if delete_application(context, app, message, kind, last):
        return None
    return Outcome(
        message=f"Being deleted: {message}",
        sync=SyncStatus.OUT_OF_SYNC,
        resources=(),
        conditions=app.conditions,
        served=False,
        due_in=CATALOGUE_BUSY_RETRY_S,
    )


def paused(app: Application) -> Outcome:
    """A user has suspended the application in the middle of its deletion."""
    return Outcome(
        message=f"Being deleted, but suspended: run `gitops-workers app resume {app.id}` to go on.",
        sync=SyncStatus.UNKNOWN,
        conditions=app.conditions,
        suspended=True,
    )


def unread(app: Application) -> Outcome:
    """Somebody said how it is to be deleted, perhaps that its objects stay: a condition says so already."""
    text = next(item.message for item in app.conditions if item.type == deletions.UNREADABLE_ORDER)
    return Outcome(
        message=f"Being deleted, but not yet. {text}",
        sync=SyncStatus.UNKNOWN,
        conditions=app.conditions,
        served=False,
        due_in=AWAITING_USER_RECHECK_S,
    )


def names(keys: Iterable[ObjectKey]) -> str:
    """The first three objects, and how many more there are."""
    texts = [str(key) for key in keys]
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def rows(found: DeletionPlan, status: HealthStatus) -> tuple[ResourceView, ...]:
    """One row per object that is still there."""
    doomed = [(item.key, item.version, item.wave, "To be deleted.", status) for item in found.deletions]
    terminating = [(item.key, item.version, item.wave, item.why, status) for item in found.terminating]
    kept_objects = [(item.key, item.version, item.wave, item.why, None) for item in found.kept_objects]
    return tuple(
        ResourceView(
            key.group,
            version,
            key.kind,
            key.namespace,
            key.name,
            SyncStatus.OUT_OF_SYNC if health else SyncStatus.SYNCED,
            health,
            why,
            wave,
        )
        for key, version, wave, why, health in (*terminating, *doomed, *kept_objects)
    )
