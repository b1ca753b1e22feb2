"""The only author of deletes.

A delete leaves this module only as a `Deletion`, and a `Deletion` exists only when all of this holds for one and the
same generation: the render was complete, the policy passed, the live side of every candidate was really read, the
object carries our ownership marks, and its UID is the one that was seen. Everything else is a refusal or a reason to
keep. (Invariant I3; threats T31, F25. Known losses elsewhere: argo-cd 14090, 15058, 24408.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.diff.ownership import hook_owned, owned, owner
from gitops_workers.core.errors import PruneRefused
from gitops_workers.core.model import Application
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.policy.reserved import reserved
from gitops_workers.core.prune.deletion_request import DeletionRequest
from gitops_workers.core.record.record import InventoryItem, applyset_id
from gitops_workers.core.sync.options import Pruned, to_prune
from gitops_workers.core.sync.ordering import PRUNE_LAST, wave_of

MASS_MINIMUM = 10
"""So many deletes in one sync need no consent, however small the application (F25)."""
MASS_SHARE = 0.30
"""Nor does this share of what we manage; beyond the larger of the two a human says yes."""


SHOWN = 3
"""Objects that a message names."""
_COLLECTOR = frozenset({"foregroundDeletion", "orphan"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known when the prune is decided. `live`: candidates as read; None means the server said 404."""

    generation: int
    rendered: int
    """The generation whose render was complete."""
    approved: int
    """The generation whose policy check passed."""
    live: Mapping[ObjectKey, Manifest | None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Permission to delete one incarnation of one object."""

    key: ObjectKey
    version: str
    uid: str
    wave: int
    propagation: str
    last: bool = False
    """PruneLast=true: it comes after everything else."""

    @property
    def turn(self) -> int:
        """When it comes among the other deletes, as one number that an operation can store (`ordering.prune_waves`)."""
        return PRUNE_LAST + self.wave if self.last else self.wave


@dataclass(frozen=True, slots=True)
class Pruning:
    """What happens to each object that left Git."""

    deletions: tuple[Deletion, ...] = ()
    gone: tuple[ObjectKey, ...] = ()
    """Already away, or on its way (its finalizers are being served): drop from the inventory."""
    leaving: tuple[Deletion, ...] = ()
    """Those of `gone` that are on their way: what stands below them waits for their end."""
    not_owned: tuple[ObjectKey, ...] = ()
    """Live, but no longer ours: drop from the inventory, touch nothing."""
    kept: tuple[ObjectKey, ...] = ()
    """Ours, kept on request (Prune=false, resource-policy keep): stays in the inventory."""
    awaiting_confirmation: tuple[ObjectKey, ...] = ()
    """Ours, to be deleted when a human agrees (Prune=confirm, or doubtful): stays in the inventory until then."""

    @property
    def retained(self) -> tuple[ObjectKey, ...]:
        """What left Git and stays."""
        return (*self.kept, *self.awaiting_confirmation)

    @property
    def only_kept(self) -> bool:
        """Whether all that left Git stays where it is."""
        return bool(self.retained) and not (self.deletions or self.gone or self.not_owned)


def candidates(inventory: Iterable[InventoryItem], desired: Iterable[ObjectKey]) -> tuple[InventoryItem, ...]:
    """What we once wrote and Git no longer has. What is the engine's own is none, whoever adopted it once."""
    wanted = frozenset(desired)
    return tuple(item for item in inventory if item.key not in wanted and not reserved(item.key))


def decide(
    app: Application,
    stale: Iterable[InventoryItem],
    managed: int,
    evidence: Evidence,
    *,
    wanted: int,
    consent: bool,
    confirmed: bool = False,
    doubtful: Collection[ObjectKey] = (),
) -> Pruning:
    """Split the candidates; raise PruneRefused when the evidence is incomplete or consent is missing.

    `managed` is the size of the inventory, `wanted` how many objects Git has, hooks not counted (nor does Argo CD's
    autoSync count them); `consent` a human's yes to this very sync (`app sync --prune`), `confirmed` one to the
    objects that ask for it (Argo CD `deletion-approved`). `doubtful` ones are known by their marks alone, and ask
    for it, too.
    """
    items = tuple(stale)
    if not items:
        return Pruning()
    if evidence.rendered != evidence.generation or evidence.approved != evidence.generation:
        raise PruneRefused(f"{app.id}: render and policy of generation {evidence.generation} are not complete.")
    unread = [item.key for item in items if item.key not in evidence.live]
    if unread:
        raise PruneRefused(f"{unread[0]} could not be read, so nothing is pruned: unknown is not gone.")

    deletions, gone, leaving, not_owned, kept, awaiting_confirmation = [], [], [], [], [], []
    for item in items:
        live = evidence.live[item.key]
        if live is None:
            gone.append(item.key)
        elif reserved(item.key) or not owned(app, item.key, live):
            not_owned.append(item.key)
        elif (live.get("metadata") or {}).get("deletionTimestamp"):
            gone.append(item.key)
            leaving.append(_deletion(app, item, live))
        elif (rule := to_prune(app, live).prune) is Pruned.NO:
            kept.append(item.key)
        elif (rule is Pruned.CONFIRMED or item.key in doubtful) and not (consent or confirmed):
            awaiting_confirmation.append(item.key)
        else:
            deletions.append(_deletion(app, item, live))
    _require_consent(app, len(deletions), managed, empty=not wanted, consent=consent)
    return Pruning(
        tuple(deletions), tuple(gone), tuple(leaving), tuple(not_owned), tuple(kept), tuple(awaiting_confirmation)
    )


def recreation(app: Application, desired: Desired, live: Manifest) -> Deletion:
    """Permission to replace one live object of ours. Raises PruneRefused when it is not ours."""
    if not owned(app, desired.key, live):
        raise PruneRefused(
            f"{desired.key} cannot be changed into what Git says, and it is not this application's object to delete: "
            "delete it by hand or give up the change."
        )
    return _deletion(app, InventoryItem(desired.key, desired.version), live, "Background")


def hook_removal(app: Application, key: ObjectKey, version: str, live: Manifest) -> Deletion:
    """Permission to delete the object of a hook run. Raises PruneRefused when it is somebody else's."""
    if not hook_owned(app, key, live):
        raise PruneRefused(
            f"hook {key}: an object of this name exists and is not this application's. Delete it, or rename the hook."
        )
    return _deletion(app, InventoryItem(key, version), live, "Background")


def _require_consent(app: Application, deletions: int, managed: int, *, empty: bool, consent: bool) -> None:
    if consent or not deletions:
        return
    if empty and not app.sync.allow_empty:
        raise PruneRefused(
            f"Git has no objects any more, so all {managed} would be deleted. "
            f"If that is meant, run `gitops-workers app sync {app.id} --prune` or set allowEmpty."
        )
    limit = max(MASS_MINIMUM, int(managed * MASS_SHARE))
    if deletions > limit and not app.sync.allow_empty:
        raise PruneRefused(
            f"{deletions} of {managed} objects would be deleted, more than {limit}. "
            f"If that is meant, run `gitops-workers app sync {app.id} --prune`."
        )


def _deletion(app: Application, item: InventoryItem, live: Manifest, propagation: str = "") -> Deletion:
    """Argo CD waits for dependants by default, Flux deletes in the background: what users of each expect to see."""
    if reason := reserved(item.key):
        raise PruneRefused(f"{item.key} is not deleted: {reason}")
    options = to_prune(app, live)
    uid = (live.get("metadata") or {})["uid"]
    propagation = propagation or options.propagation
    return Deletion(item.key, item.version, uid, wave_of(live), propagation, last=options.prune_last)


@dataclass(frozen=True, slots=True)
class Remaining:
    """An object that is still there while its application is deleted, and why."""

    key: ObjectKey
    version: str
    wave: int
    why: str


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What happens to each object of an application that is deleted."""

    deletions: tuple[Deletion, ...] = ()
    terminating: tuple[Remaining, ...] = ()
    """Deleted already; their finalizers are being served."""
    kept_objects: tuple[Remaining, ...] = ()
    """Stay for good: on request, or because they are not ours."""
    awaiting_confirmation: tuple[ObjectKey, ...] = ()
    """Ask for a confirmation that nobody gave. They are among the deletions, so none may be done."""
    gone: int = 0


def deletion_plan(
    app: Application,
    items: Iterable[InventoryItem],
    evidence: Evidence,
    leaving: DeletionRequest,
    *,
    consent: bool,
    hooks: Collection[ObjectKey] = (),
    doubtful: Collection[ObjectKey] = (),
) -> DeletionPlan:
    """Split the objects of an application that is deleted; raise PruneRefused when the evidence is incomplete.

    `evidence` speaks of the catalogue in the place of a render: it was complete when the manifest was found gone, or a
    human confirmed. `consent`: a human agreed to objects that ask for it (`Delete=confirm`). `hooks`: which of them
    are objects of hook runs; those carry our label alone. `doubtful`: what is known by its marks alone asks for a
    human's yes, too.
    """
    rules = policy_of(app.dialect).deletion
    deletions, terminating, kept_objects, awaiting_confirmation, gone = [], [], [], [], 0
    for item in items:
        if item.key not in evidence.live:
            raise PruneRefused(f"{item.key} could not be read, so nothing is deleted: unknown is not gone.")
        live = evidence.live[item.key]
        if live is None:
            gone += 1
            continue
        metadata = live.get("metadata") or {}
        ours = owner(live) == applyset_id(app.id) if item.key in hooks else owned(app, item.key, live)
        why = _spared(app, item.key, live, leaving.policy.option) if ours else _NOT_OURS
        if why:
            kept_objects.append(Remaining(item.key, item.version, wave_of(live), why))
        elif metadata.get("deletionTimestamp"):
            terminating.append(Remaining(item.key, item.version, wave_of(live), pending(live)))
        else:
            propagation = leaving.policy.cascade.value.capitalize()
            deletions.append(Deletion(item.key, item.version, metadata["uid"], wave_of(live), propagation))
            if rules.asks(live, leaving.policy.option) or item.key in doubtful:
                awaiting_confirmation.append(item.key)
    return DeletionPlan(
        tuple(deletions), tuple(terminating), tuple(kept_objects), () if consent else tuple(awaiting_confirmation), gone
    )


_NOT_OURS = "Left alone: it belongs to somebody else."


def pending(live: Manifest) -> str:
    """Why an object outlives its delete: who holds it, where that is known."""
    return f"Pending deletion{_held(live)}."


def end_of(what: object, live: Manifest) -> str:
    """What is waited for while an object outlives its delete, and who holds it."""
    return f"the end of {what}{_held(live)}"


def still_there(deleted: Iterable[Deletion], left: Mapping[ObjectKey, Manifest | None]) -> str:
    """Which deleted objects somebody's finalizers hold; "" for none. What the garbage collector alone holds is none."""
    held = []
    for item in deleted:
        live = left.get(item.key)
        if live and (live.get("metadata") or {}).get("uid") == item.uid and set(_finalizers(live)) - _COLLECTOR:
            held.append(f"{item.key}{_held(live)}")
    more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
    return f"Still there: {', '.join(held[:SHOWN])}{more}." if held else ""


def _finalizers(live: Manifest) -> Sequence[str]:
    return (live.get("metadata") or {}).get("finalizers") or ()


def _held(live: Manifest) -> str:
    names = ", ".join(_finalizers(live))
    return f" (finalizers: {names})" if names else ""


def _spared(app: Application, key: ObjectKey, live: Manifest, option: str) -> str:
    """Why an object survives its application; "" when it does not."""
    reason = "it is the engine's own" if reserved(key) else policy_of(app.dialect).deletion.kept(app, key, live, option)
    return f"Kept: {reason}." if reason else ""
