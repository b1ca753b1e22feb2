"""Applications whose manifests are gone and whose objects go too: what a refresh of the catalogue does about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gitops_workers.core.model import AppId, Application, Problem
from gitops_workers.core.prune.deletion import HELD, departures, goes
from gitops_workers.core.status.rows import Event
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline.announcements import tell
from gitops_workers.pipeline.context import World
from gitops_workers.ports import Urgency

INCOMPLETE = "incomplete"
"""Document `catalogue/incomplete`: the first error of the last catalogue that was read, absent when it had none."""


def leave(
    world: World,
    before: Mapping[AppId, Application],
    gone: Sequence[AppId],
    problems: Iterable[Problem],
    *,
    remaining: int,
) -> dict[AppId, Application]:
    """Those of the gone that are deleted with their objects, as they are stored from now on."""
    problem = next((str(item) for item in problems if not item.known), "")
    if problem:
        world.state.save("catalogue", INCOMPLETE, problem)
    else:
        world.state.discard("catalogue", INCOMPLETE)
    if not gone:
        return {}
    overrides = world.state.load_many("override", gone)
    resting = {
        app_id
        for app_id in gone
        if (overrides[app_id]["suspended"] if app_id in overrides else before[app_id].schedule.suspended)
    }
    found = departures(before, gone, resting, problem, world.queue.now(), remaining=remaining)
    for app_id, app in found.items():
        if goes(app) and not goes(before[app_id]):
            for kind in ("agreement", "glance", "drift", "request"):
                world.state.discard(kind, app_id)  # nothing compares it any more; if it comes back, everything is asked
    return found


def announce(world: World, before: Mapping[AppId, Application], leaving: Mapping[AppId, Application]) -> None:
    """Say in status and events what happens, and ring for what is to be deleted.

    Always for all of them: a refresh that was killed before has perhaps told nobody.
    """
    now = stamp(world.queue.now())
    for app_id, app in leaving.items():
        known = before[app_id] == app
        text = next((item.message for item in app.conditions if item.type == HELD), "")
        status = world.state.status(app_id)
        if not known and status is not None:
            message = text or "Being deleted: its manifest has left the catalogue."
            world.state.save_status(replace(status, message=message, conditions=app.conditions))
            kind, reason = ("Warning", HELD) if text else ("Normal", "DeletionStarted")
            tell(world.state, [Event(now, app_id, kind, reason, message)])
        if goes(app):
            world.queue.request(app_id, "its manifest has left the catalogue", Urgency.POLL)
