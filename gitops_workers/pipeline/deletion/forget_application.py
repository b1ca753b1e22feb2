"""The end of an application's bookkeeping: queue, state and copies forget it."""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import LEFT_BEHIND, REFRESH_DONE
from gitops_workers.core.errors import Superseded
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.prune.relocation import describe
from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.core.status.rows import Event
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import records
from gitops_workers.pipeline.announcements import announce
from gitops_workers.pipeline.context import Context

REFRESH_AFTER_S = 1.0
"""Seconds until the catalogue is read after an application went: many that go together cost one refresh."""
OBJECTS_RETAINED = "No longer declared; its objects stay in the cluster."


def delete_bookkeeping(context: Context, app_id: AppId, message: str, kind: str = "Normal") -> None:
    """Remove every trace outside the clusters, and leave an event that says what became of the objects."""
    left = context.state.load(LEFT_BEHIND, app_id)
    context.queue.delete(app_id)
    if status := context.state.status(app_id):
        records.delete_marks(context, status.cluster)
    context.state.delete_application(app_id)
    announce(
        context.state,
        [
            Event(
                stamp(context.queue.now()), app_id, kind, "Removed", f"{message} {describe(app_id, left or {})}".strip()
            )
        ],
    )


def delete_application(
    context: Context, app: Application, message: str, kind: str = "Normal", last: Callable[[], None] | None = None
) -> bool:
    """Forget an application that is deleted, in the catalogue's turn; False when a refresh is at work just now.

    `last` is done before: what must not be done to an application that is back. Raises Superseded when it is: the
    refresh has made another application of it, and that one stays.
    """
    turn = context.queue.begin_poll(CATALOGUE, context.lease)
    if turn is None:
        return False
    try:
        current = context.state.application(app.id)
        if current is None or current.leaving is None or app.leaving is None:
            raise Superseded(f"{app.id} is declared again.")
        if current.leaving.since != app.leaving.since:
            raise Superseded(f"{app.id} was declared again and has left anew.")
        # A kill from here on leaves half of it behind; the next refresh makes new groups anyway and sees that.
        context.state.discard(REFRESH_DONE, WHOLE)
        if last is not None:
            last()
        delete_bookkeeping(context, app.id, message, kind)
    finally:
        context.queue.finish_poll(turn, REFRESH_AFTER_S)
    return True
