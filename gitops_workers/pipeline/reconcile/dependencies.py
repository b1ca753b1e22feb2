"""Waiting for other applications: asked when something is to be applied, never before.

No application polls another. One that waits leaves a note, document `waits/<application>`, and one that becomes ready
reads the notes of those that depend on it and rings them (`pipeline.catalogue.wake_dependents`). The note is written
before the last look at the dependency, the report of a dependency before it reads the notes: whichever comes first, one
of the two sees the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitops_workers.core.documents.kinds import FINGERPRINT, LISTED_AT, WAITS
from gitops_workers.core.documents.sets import Waits
from gitops_workers.core.errors import ApplyRefused, GitOpsError, Refused, RenderFailed
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.objects import digest_of
from gitops_workers.core.status.flux_view import flux_view
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.core.sync.readiness import behind, unready
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.ports import Urgency

SHOWN = 3


@dataclass(frozen=True, slots=True)
class _DependencyState:
    """What is stored of a dependency."""

    app: Application
    status: Status
    looked_at: str
    listed_at: float


@dataclass(frozen=True, slots=True)
class _Unready:
    """A dependency that is not ready. `seen` is what the note says of it, `behind` asks for a look at it."""

    id: AppId
    reason: str
    seen: str = ""
    behind: bool = False


def blocked_by(context: Context, app: Application, listed_at: float) -> str:
    """Why nothing of the application may be applied now, naming what it waits for; "" when nothing is in the way.

    `listed_at`: when the refs were listed that it was looked at with. A dependency that has yet to be looked at with
    such refs is asked to be, so that nobody waits for its next poll.
    """
    if not app.depends_on or not (found := _unready(context, app, listed_at)):
        return ""
    context.state.save(WAITS, app.id, Waits({item.id: item.seen for item in found}))
    found = _unready(context, app, listed_at)
    for item in found:
        if item.behind:
            reason = f"{app.id} waits for it at the newest commit"
            context.queue.request(item.id, reason, Urgency.RETRY, not_before=listed_at)
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    named = "; ".join(f"{item.id}: {item.reason}" for item in found[:SHOWN])
    return f"Waiting for {named}{more}." if found else ""


def excused(context: Context, app: Application, error: GitOpsError, outcome: Outcome) -> Outcome:
    """The outcome of an attempt that got nowhere: what is missing (a CRD, a namespace) may come with a dependency."""
    if not app.depends_on or app.refusal or not isinstance(error, RenderFailed | ApplyRefused):
        return outcome
    try:
        reason = blocked_by(context, app, outcome.listed_at)
    except GitOpsError:
        return outcome
    return replace(outcome, message=reason, awaits_others=True, served=False) if reason else outcome


def _unready(context: Context, app: Application, listed_at: float) -> list[_Unready]:
    known = _load(context, [item.id for item in app.depends_on if not item.problem])
    own = context.state.status(app.id) if any(item.ready for item in app.depends_on) else None
    self_ = flux_view(app, own) if own else {}
    found = (_verdict(context, app, item, known.get(item.id), self_, listed_at) for item in app.depends_on)
    return [item for item in found if item is not None]


def _load(context: Context, ids: list[AppId]) -> Mapping[AppId, _DependencyState]:
    """Glances before statuses: a status is then never older than the look that the glance speaks of."""
    state = context.state
    glances, listed = state.load_many(FINGERPRINT, ids), state.load_many(LISTED_AT, ids)
    apps = state.load_applications(ids)
    statuses = {identity: state.status(identity) for identity in apps}
    return {
        identity: _DependencyState(
            apps[identity],
            status,
            glances[identity].commit if identity in glances else "",
            listed.get(identity) or 0.0,
        )
        for identity, status in statuses.items()
        if status is not None
    }


def _verdict(
    context: Context,
    app: Application,
    wanted: Dependency,
    known: _DependencyState | None,
    self_: Mapping[str, Any],
    listed_at: float,
) -> _Unready | None:
    if wanted.problem or known is None:
        return _Unready(wanted.id, wanted.problem or "it cannot be read: see its conditions")
    if wanted.ready:
        return _by_expression(context, wanted, flux_view(known.app, known.status), self_)
    if reason := unready(known.app, known.status):
        return _Unready(wanted.id, reason)
    if _behind(context, app, known, listed_at):
        return _Unready(wanted.id, "it has not been looked at with the newest commit yet", behind=True)
    return None


def _by_expression(
    context: Context, wanted: Dependency, dep: Mapping[str, Any], self_: Mapping[str, Any]
) -> _Unready | None:
    """The expression stands in for the built-in rule, as in Flux."""
    seen = digest_of(dep)
    try:
        if context.rules.holds(wanted.ready, {"dep": dep, "self": self_}):
            return None
    except Refused as error:
        return _Unready(wanted.id, str(error), seen)
    return _Unready(wanted.id, "its readyExpr is not true", seen)


def _behind(context: Context, app: Application, known: _DependencyState, listed_at: float) -> bool:
    if known.app.source.identity != app.source.identity:
        return False
    try:
        listing = context.sources.poll(app.source, not_before=listed_at)
        wanted = context.sources.resolve(known.app.source, listing).commit
    except GitOpsError:
        wanted = ""  # then a look at refs as new as ours has to do
    return behind(known.looked_at, wanted, known.listed_at, listed_at)
