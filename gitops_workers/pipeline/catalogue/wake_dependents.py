"""Ringing those who wait: the other end of `pipeline.reconcile.dependencies`.

The catalogue's refresh writes who depends on whom the other way round, document `dependants/<application>`, and sets
`Application.needed`, so that the report of an application that nobody depends on does not even look for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gitops_workers.core.documents.kinds import DEPENDANTS, WAITS
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.objects import digest_of
from gitops_workers.core.status.flux_view import flux_view
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync.dependencies import dependants
from gitops_workers.core.sync.readiness import unready
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import Urgency


def with_dependents_flag(
    apps: Mapping[AppId, Application], needed: Mapping[AppId, Sequence[AppId]]
) -> dict[AppId, Application]:
    """The applications, each knowing whether somebody depends on it."""
    return {
        identity: app if app.needed is (identity in needed) else replace(app, needed=identity in needed)
        for identity, app in apps.items()
    }


def dependents_by_application(apps: Mapping[AppId, Application]) -> Mapping[AppId, Sequence[AppId]]:
    """The applications that depend on each, without those on which none depends."""
    found = dependants({identity: app.depends_on for identity, app in apps.items()})
    return {identity: who for identity, who in found.items() if identity in apps}


def save(context: Context, needed: Mapping[AppId, Sequence[AppId]], before: Mapping[AppId, Application]) -> None:
    """Store who depends on whom. `before`: the applications of the last refresh."""
    context.state.save_many(DEPENDANTS, {identity: tuple(who) for identity, who in needed.items()})
    for identity, app in before.items():
        if app.needed and identity not in needed:
            context.state.discard(DEPENDANTS, identity)


def wake(context: Context, app: Application, status: Status) -> None:
    """Ring for everybody who waits for this application, now that its status is stored and before the lease goes back.

    The waiting applications are read from the notes, and not from a change of the status: a worker that was killed
    after storing the status is followed by one that sees no change any more.
    """
    dependants_of_it = context.state.load(DEPENDANTS, app.id)
    notes = context.state.load_many(WAITS, dependants_of_it or ())
    waiting = {who: note.seen.get(app.id, "") for who, note in notes.items() if note.every or app.id in note.seen}
    if not waiting:
        return
    ready = not unready(app, status)
    now = digest_of(flux_view(app, status))
    for who, seen in waiting.items():
        # An expression may look at anything, so for it every change counts.
        if ready if not seen else seen != now:
            reason = f"{app.id} is ready" if ready else f"{app.id} has changed"
            context.queue.request(who, reason, Urgency.RETRY, not_before=0.0)
