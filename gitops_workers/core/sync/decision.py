"""What is done about what an attempt has observed: nothing, a remark, a wait, a dry run, or a sync. Pure.

What only a port can tell (an open sync window, a dependency that is not ready) is asked after the decision `Sync`, by
the module that carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Application, Phase, Resolved
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import InventoryItem
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync import self_heal_backoff
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.pause import Pause
from gitops_workers.core.sync.request import Request
from gitops_workers.core.sync.self_heal_backoff import NextHeal
from gitops_workers.core.text.plural import amount
from gitops_workers.core.text.timefmt import utc


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision depends on, of one application at one generation."""

    app: Application
    generation: int
    resolved: Resolved
    rendered: str
    """The digest of the desired objects."""
    synced: str
    """The digest of those that the last sync left behind; "" before the first."""
    differing: tuple[ObjectKey, ...]
    """Desired objects that the cluster does not have as they are desired."""
    stale: tuple[InventoryItem, ...]
    """Objects that left Git and are still in the inventory."""
    leftover: bool
    """Whether one of the stale objects is a difference."""
    unfinished: bool
    """Whether the last sync has not come to its good end, or the record does not list what is ours for certain."""
    has_hooks: bool
    previous: Operation | None
    request: Request | None
    """What a user asked for and is not served yet."""
    paused: Pause | None

    @property
    def running(self) -> bool:
        """Whether the previous operation goes on."""
        return operations.continues(self.previous, self.resolved, self.rendered, self.request)

    @property
    def resumes(self) -> bool:
        """Whether an unfinished sync may be finished now."""
        return self.unfinished and bool(self.app.sync.automated or self.request)

    @property
    def reruns(self) -> bool:
        """Whether a sync runs although nothing differs: a requested one runs its hooks (Argo CD 3.5)."""
        return self.request is not None and (self.request.is_partial or self.has_hooks)

    @property
    def prunes_leftover(self) -> bool:
        """Whether something that left Git is still to be deleted, or shown as such."""
        return self.leftover and (self.app.sync.prune or policy_of(self.app.dialect).deletion.leftover_differs)

    @property
    def drifted(self) -> bool:
        """Whether what differs was changed in the cluster, not in Git."""
        return self.synced == self.rendered and not self.unfinished

    @property
    def last_of_these_objects(self) -> Operation | None:
        """The previous operation, if it was one of what Git has now: a confirmation counts from its start on."""
        last = self.previous
        return last if last is not None and last.rendered == self.rendered else None

    @property
    def confirmed(self) -> bool:
        """Whether a user has agreed to the deletes that ask for it, since they were asked for (Prune=confirm)."""
        last = self.last_of_these_objects
        if last is None:
            return False
        return last.consent if last.running else self.app.deleting.approved_at > last.started_at

    @property
    def consent(self) -> bool:
        """Whether the request itself agrees to deletes."""
        return self.request is not None and self.request.prune

    def named(self) -> str:
        """The first object that differs or left Git, and how many more there are."""
        first = str(self.differing[0] if self.differing else self.stale[0].key)
        total = len(self.differing) + len(self.stale)
        return first if total == 1 else f"{first} and {amount(total - 1, 'more object')}"


@dataclass(frozen=True, slots=True)
class InSync:
    """Nothing is to be written."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """The difference is shown and not synced."""

    reason: str


@dataclass(frozen=True, slots=True)
class HealLater:
    """The difference was made in the cluster again, and its heal waits."""

    heal: NextHeal
    reason: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """The request wants to see what a sync would do."""


@dataclass(frozen=True, slots=True)
class Sync:
    """An operation goes on, or begins. `heal` is set where it heals what the cluster's side changed."""

    heal: NextHeal | None


Decision = InSync | HeldBack | HealLater | DryRun | Sync


def decide(situation: Situation, now: float) -> Decision:
    """The decision. `now` is in epoch seconds of the queue's clock."""
    running = situation.running
    wanted = situation.differing or situation.resumes or situation.reruns or situation.prunes_leftover
    if not running and not wanted:
        return InSync()
    if not running and (reason := _held_back(situation)):
        return HeldBack(reason)
    heal = _heal(situation, now)
    if not running and heal is not None and heal.waits(now):
        return HealLater(heal, _again(situation, heal))
    if situation.request is not None and situation.request.dry_run:
        return DryRun()
    return Sync(heal)


def new_operation(situation: Situation, now: float, heal: NextHeal | None) -> Operation:
    """The operation that begins."""
    previous, request = situation.previous, situation.request
    heals = heal.healed + 1 if heal else 0
    same = previous is not None and previous.rendered == situation.rendered
    if previous is not None and same and situation.unfinished and not request:
        heals = previous.heals  # what a heal left unfinished is that heal still
    begun = operations.begin(
        situation.app,
        situation.generation,
        situation.resolved,
        now,
        request.by if request else "automated sync",
        failures=operations.failures_at(previous, situation.resolved.commit),
        consent=situation.consent or situation.confirmed,
        rendered=situation.rendered,
        heals=heals,
        request=request,
    )
    healing = not request and bool(situation.differing) and situation.drifted
    # Argo CD heals by a selective sync, and that runs no hooks.
    hooks = begun.hooks and (bool(request) or not (heals or situation.drifted))
    return replace(begun, hooks=hooks, healed=situation.named() if healing else "")


def superseded(previous: Operation | None, resolved: Resolved, now: float) -> Operation | None:
    """The previous operation where nothing is left to write: one that a newer commit made pointless ends here."""
    if previous is None or not previous.running:
        return previous
    overtaken = replace(previous, commit=resolved.commit, ref=resolved.ref)
    return operations.finish(overtaken, Phase.SUCCEEDED, "Nothing left to apply.", now)


def _held_back(situation: Situation) -> str:
    """Why a difference is shown and not synced; "" when it is to be synced."""
    app = situation.app
    if situation.request:
        return ""
    if situation.paused:
        return f"{situation.named()}; {situation.paused.why}: {pauses.advice(app)}"
    if not app.sync.automated:
        return f"{situation.named()}; automated sync is off: run `gitops-workers app sync {app.id}`."
    if not situation.differing and situation.stale and not situation.unfinished and not app.sync.prune:
        left = amount(len(situation.stale), "object")
        return f"{left} left Git; prune is off: run `gitops-workers app sync {app.id} --prune`."
    if situation.drifted and situation.differing and not app.sync.self_heal:
        return f"{situation.named()} changed in the cluster; selfHeal is off."
    return ""


def _heal(situation: Situation, now: float) -> NextHeal | None:
    """When a heal may run; None where this is none, or one that has no back-off: a user's, or by the dialect's rule."""
    backs_off = policy_of(situation.app.dialect).heals_with_backoff
    if situation.request or not backs_off or not situation.differing or not situation.drifted:
        return None
    return self_heal_backoff.next_heal(situation.previous, situation.rendered, now)


def _again(situation: Situation, heal: NextHeal) -> str:
    times = "once" if heal.healed == 1 else f"{heal.healed} times"
    return (
        f"{situation.named()} changed again in the cluster; healed {times}, next at {utc(heal.at)}. Another writer "
        "changes it: `kubectl get --show-managed-fields` names it."
    )
