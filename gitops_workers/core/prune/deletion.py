"""Deleting an application with its objects: who goes, who is held back, and in which stages.

The wish comes from the catalogue (the manifest of an application with a policy is gone) or from a human who confirms
it. A catalogue that loses most of its files in one commit is an accident more often than an order: argo-cd 18480 and
18212 tell of whole fleets that a failing generator deleted. So does a manifest that moved into a file with an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.documents.wills import DeletionOrder
from gitops_workers.core.model import AppId, Application, Condition
from gitops_workers.core.prune.candidates import Deletion, DeletionPlan, Remaining
from gitops_workers.core.prune.deletion_request import Cascade, DeletionRequest, HoldReason
from gitops_workers.core.sync.ordering import argocd_rank, flux_rank

MASS_MINIMUM = 10
"""So many applications may leave at once without a question, however small the fleet."""
MASS_SHARE = 0.30
"""Nor is there one about this share of those with a policy; beyond the larger of the two a human says yes."""
SETTLING = 3
"""So many looks at the catalogue must be able to bring the manifest back before anything is deleted."""
APPROVAL_LASTS = 24 * 3600.0
"""Seconds that an approval in the manifest counts before the manifest goes. Argo CD wants it after the deletion began,
when a manifest that comes from Git is not there any more; an older one was for something else."""
UNREADABLE_ORDER = "DeletionOrderUnreadable"
"""The condition of an application whose deletion somebody ordered in words that cannot be read."""
DELETION_HELD = "DeletionHeld"
"""The condition of an application that waits for a human; Argo CD knows none that fits."""


@dataclass(frozen=True, slots=True)
class DeletionStage:
    """One step of a deletion. `waits`: the next one begins when all of this one is really gone."""

    name: str
    deletions: tuple[Deletion, ...]
    terminating: tuple[Remaining, ...] = ()
    """Deleted before, and kept by finalizers for a while."""
    waits: bool = True


def stages(app: Application, leaving: DeletionRequest, removal: DeletionPlan) -> tuple[DeletionStage, ...]:
    """What is left to do, in order; empty when everything that may go has gone."""
    return policy_of(app.dialect).order.deletion_stages(leaving, removal)


def all_at_once(leaving: DeletionRequest, removal: DeletionPlan) -> tuple[DeletionStage, ...]:
    """Flux: one stage, against the order of the apply."""
    doomed = tuple(sorted(removal.deletions, key=lambda item: flux_rank(item.key), reverse=True))
    every = DeletionStage("objects", doomed, removal.terminating, leaving.policy.waits)
    return (every,) if doomed or (removal.terminating and every.waits) else ()


def wave_by_wave(_: DeletionRequest, removal: DeletionPlan) -> tuple[DeletionStage, ...]:
    """Argo CD: the highest wave first, each to its end (3.5 docs, sync waves)."""
    waves = sorted(
        {item.wave for item in removal.deletions} | {item.wave for item in removal.terminating}, reverse=True
    )
    return tuple(
        DeletionStage(
            f"wave {wave}",
            tuple(
                sorted(
                    (item for item in removal.deletions if item.wave == wave),
                    key=lambda item: argocd_rank(item.key),
                    reverse=True,
                )
            ),
            tuple(item for item in removal.terminating if item.wave == wave),
        )
        for wave in waves
    )


def departures(
    before: Mapping[AppId, Application],
    gone: Iterable[AppId],
    suspended: Collection[AppId],
    problem: str,
    now: float,
    *,
    remaining: int,
) -> dict[AppId, Application]:
    """Those of the `gone` whose objects are to go with them, as they are from now on; the others just leave.

    `problem` says what in the catalogue cannot be read, "" when it is complete; `remaining` how many applications are
    declared still. What goes already goes on; what a mass removal holds back stays so until a human confirms it, even
    when the others are back.
    """
    left = {app_id: before[app_id] for app_id in gone if _cascades(before[app_id], app_id in suspended)}
    fresh = [app_id for app_id, app in left.items() if app.leaving is None or app.leaving.held is HoldReason.UNREADABLE]
    policies = sum(app.deleting.cascade is not Cascade.ORPHAN for app in before.values() if not is_deleted(app))
    mass = too_many(len(fresh), policies, remaining)
    for app_id in fresh:
        before_that, app = left[app_id].leaving, objects_retained(left[app_id])
        held = HoldReason.NOT
        if problem:
            held = HoldReason.UNREADABLE
        elif app_id in suspended:
            held = HoldReason.SUSPENDED
        elif mass:
            held = HoldReason.MASS
        # The first time counts: a human's order names it, and may have been given meanwhile.
        leaving = DeletionRequest(before_that.since if before_that else now, app.deleting, held)
        conditions = app.conditions
        if held:
            conditions = (*conditions, Condition(DELETION_HELD, _why(app, held, len(fresh), policies, problem)))
        left[app_id] = replace(app, leaving=leaving, conditions=conditions)
    return left


def too_many(starting: int, policies: int, remaining: int) -> bool:
    """Whether so many deletions at once need consent. `policies`: how many applications have a policy at all.

    A catalogue without any application is rather an empty folder that was mounted, however few there were.
    """
    if starting > 1 and not remaining:
        return True
    return starting > max(MASS_MINIMUM, int(policies * MASS_SHARE))


def begins_at(leaving: DeletionRequest, interval: float) -> float:
    """When the first delete may be sent, epoch s; `interval` is that between two looks at the catalogue, in seconds.

    An editor removes a file and writes it anew, a move empties one file before it fills the other: what is gone for a
    moment only is no order.
    """
    return 0.0 if leaving.by else leaving.since + SETTLING * interval


def is_deleted(app: Application) -> bool:
    """Whether the application is being deleted: nothing of it is rendered or synced any more."""
    return app.leaving is not None and not app.leaving.held


def objects_retained(app: Application) -> Application:
    """The application without a trace of leaving: its manifest is there again, or it is looked at anew."""
    conditions = tuple(item for item in app.conditions if item.type != DELETION_HELD)
    return replace(app, leaving=None, conditions=conditions)


def approved(leaving: DeletionRequest) -> bool:
    """Whether a human agreed to the deletes that ask for it: by hand, or in the manifest shortly before it went."""
    at = leaving.policy.approved_at
    return leaving.consent or (at > 0 and at >= leaving.since - APPROVAL_LASTS)


def marked(leaving: DeletionRequest) -> DeletionRequest:
    """What the record says of it: all that the deletion needs, so that it goes on with nothing but the record."""
    policy = replace(leaving.policy, approved_at=0.0)
    return replace(leaving, policy=policy, held=HoldReason.NOT, consent=approved(leaving), resumed=False)


def to_document(app: Application, cascade: Cascade | None, by: str) -> DeletionOrder:
    """A human's order to delete this application; it is good for this very leaving only."""
    since = app.leaving.since if app.leaving else 0.0
    return DeletionOrder(since, cascade.value if cascade else "", by)


def confirmed(leaving: DeletionRequest, order: DeletionOrder | None) -> DeletionRequest:
    """The leaving after a human's order; as it was without one, or with one about an earlier leaving."""
    if order is None or order.problem or order.since != leaving.since:
        return leaving
    cascade = Cascade(order.cascade) if order.cascade else leaving.policy.cascade
    policy = replace(leaving.policy, cascade=cascade)
    return replace(leaving, policy=policy, held=HoldReason.NOT, by=order.by, consent=True)


def with_order_condition(app: Application, order: DeletionOrder | None) -> Application:
    """The application with a condition about an order that cannot be read: nothing is deleted by it, nor against it."""
    if order is None or not order.problem:
        return app
    text = (
        f"The order that somebody gave cannot be read ({order.problem}): it may have said that the objects stay. "
        f"Nothing is deleted until `gitops-workers app delete {app.id}` gives it anew."
    )
    return replace(app, conditions=(*app.conditions, Condition(UNREADABLE_ORDER, text)))


def reject_reason(app: Application) -> str:
    """Why the application cannot be deleted by hand; "" when it can."""
    if app.leaving is not None:
        return ""
    what = "its objects stay" if app.deleting.cascade is Cascade.ORPHAN else "its objects are deleted"
    place = app.origin or "the catalogue"
    return (
        f"{app.id} is declared in {place}, which would bring it back: remove its manifest there, then {what} "
        "without anything being asked for here."
    )


def _cascades(app: Application, suspended: bool) -> bool:
    """Whether its objects go with it, at once or when nothing holds that back."""
    if app.leaving is not None:
        return True
    if app.deleting.cascade is Cascade.ORPHAN:
        return False
    return not (suspended and policy_of(app.dialect).deletion.suspended_gives_up)


def _why(app: Application, held: HoldReason, starting: int, policies: int, problem: str) -> str:
    run = f"run `gitops-workers app delete {app.id}`, or with `--cascade orphan` to keep its objects"
    if held is HoldReason.UNREADABLE:
        return (
            f"Its manifest is gone, but the catalogue has errors ({problem}): nothing is deleted until they are "
            f"mended. To delete it now, {run}."
        )
    if held is HoldReason.SUSPENDED:
        return f"Its manifest is gone, but it is suspended, so it stays as it is. To delete it, {run}."
    return (
        f"Its manifest is gone, and with it {starting} of {policies} applications that are deleted with their objects: "
        f"more than may go at once. Bring the manifests back, or to delete it, {run}."
    )
