"""The end of an application's bookkeeping: queue, state and copies forget it."""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.core.errors import Superseded
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.prune.relocation import words
from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.core.status.rows import Event
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import records
from gitops_workers.pipeline.announcements import tell
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.catalogue.external_inputs import SEEN
from gitops_workers.pipeline.context import World

SOON = 1.0
"""Seconds until the catalogue is read after an application went: many that go together cost one refresh."""
STAY = "No longer declared; its objects stay in the cluster."


def forget(world: World, app_id: AppId, message: str, kind: str = "Normal") -> None:
    """Remove every trace outside the clusters, and leave an event that says what became of the objects."""
    left = world.state.load(relocation.KIND, app_id)
    world.queue.expel(app_id)
    if status := world.state.status(app_id):
        records.forget(world, status.cluster)
    world.state.discard_application(app_id)
    tell(
        world.state,
        [Event(stamp(world.queue.now()), app_id, kind, "Removed", f"{message} {words(app_id, left or {})}".strip())],
    )


def dismiss(
    world: World, app: Application, message: str, kind: str = "Normal", last: Callable[[], None] | None = None
) -> bool:
    """Forget an application that is deleted, in the catalogue's turn; False when a refresh is at work just now.

    `last` is done before: what must not be done to an application that is back. Raises Superseded when it is: the
    refresh has made another application of it, and that one stays.
    """
    turn = world.queue.begin_poll(CATALOGUE, world.lease)
    if turn is None:
        return False
    try:
        current = world.state.application(app.id)
        if current is None or current.leaving is None or app.leaving is None:
            raise Superseded(f"{app.id} is declared again.")
        if current.leaving.since != app.leaving.since:
            raise Superseded(f"{app.id} was declared again and has left anew.")
        # A kill from here on leaves half of it behind; the next refresh makes new groups anyway and sees that.
        world.state.discard("catalogue", SEEN)
        if last is not None:
            last()
        forget(world, app.id, message, kind)
    finally:
        world.queue.finish_poll(turn, SOON)
    return True
