"""Applications whose manifests are gone and whose objects go too: what a refresh of the catalogue does about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import BASELINE, DRIFT, FINGERPRINT, INCOMPLETE, OVERRIDE, REQUEST
from gitops_workers.core.model import AppId, Application, Problem
from gitops_workers.core.prune.deletion import DELETION_HELD, departures, is_deleted
from gitops_workers.core.status.rows import Event
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline.announcements import announce
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import Urgency


def request_deletions(
    context: Context,
    before: Mapping[AppId, Application],
    gone: Sequence[AppId],
    problems: Iterable[Problem],
    *,
    remaining: int,
) -> dict[AppId, Application]:
    """Those of the gone that are deleted with their objects, as they are stored from now on."""
    problem = next((str(item) for item in problems if not item.known), "")
    if problem:
        context.state.save(INCOMPLETE, WHOLE, problem)
    else:
        context.state.discard(INCOMPLETE, WHOLE)
    if not gone:
        return {}
    overrides = context.state.load_many(OVERRIDE, gone)
    resting = {
        app_id
        for app_id in gone
        if (overrides[app_id].suspended if app_id in overrides else before[app_id].schedule.suspended)
    }
    found = departures(before, gone, resting, problem, context.queue.now(), remaining=remaining)
    for app_id, app in found.items():
        if is_deleted(app) and not is_deleted(before[app_id]):
            for kind in (BASELINE, FINGERPRINT, DRIFT, REQUEST):
                context.state.discard(
                    kind, app_id
                )  # nothing compares it any more; if it comes back, everything is asked
    return found


def announce_deletions(
    context: Context, before: Mapping[AppId, Application], leaving: Mapping[AppId, Application]
) -> None:
    """Say in status and events what happens, and ring for what is to be deleted.

    Always for all of them: a refresh that was killed before has perhaps told nobody.
    """
    now = stamp(context.queue.now())
    for app_id, app in leaving.items():
        known = before[app_id] == app
        text = next((item.message for item in app.conditions if item.type == DELETION_HELD), "")
        status = context.state.status(app_id)
        if not known and status is not None:
            message = text or "Being deleted: its manifest has left the catalogue."
            context.state.save_status(replace(status, message=message, conditions=app.conditions))
            kind, reason = ("Warning", DELETION_HELD) if text else ("Normal", "DeletionStarted")
            announce(context.state, [Event(now, app_id, kind, reason, message)])
        if is_deleted(app):
            context.queue.request(app_id, "its manifest has left the catalogue", Urgency.POLL)
