"""What the reading stages found: the input of the decision and of the step."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import InventoryItem, StoredRecord
from gitops_workers.core.sync.decision import Situation
from gitops_workers.core.sync.hooks import Hook, parts
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.pause import Pause
from gitops_workers.core.sync.request import Request
from gitops_workers.pipeline.reconcile.object_state import ObjectState
from gitops_workers.ports import Attempt, Cluster


@dataclass(frozen=True, slots=True)
class Observation:
    """One attempt's view of one application, complete: nothing in it is read again."""

    app: Application
    attempt: Attempt
    cluster_name: str
    cluster: Cluster
    resolved: Resolved
    closure: str
    rendered: str
    desired: tuple[Desired, ...]
    hooks: tuple[Hook, ...]
    in_git: int
    """How many objects Git has, also those that nobody asked for."""
    baseline: SyncBaseline
    stored: StoredRecord | None
    listed_at: float
    states: dict[ObjectKey, ObjectState]
    namespace: ObjectState | None
    """The destination's namespace, where the application says what stands on it."""
    stale: tuple[InventoryItem, ...]
    extra: frozenset[ObjectKey]
    """Those of them that are no difference (compare-options IgnoreExtraneous, or barred)."""
    rules: str
    """The word for the rules by which it is looked at."""
    previous: Operation | None
    asked: Request | None
    """What a human asked for and is not served yet."""
    denied: frozenset[ObjectKey] = frozenset()
    """Those of them that the project does not allow to be touched."""
    paused: Pause | None = None
    """Automated sync is paused: `app` is not automated, whatever its manifest says."""

    @property
    def situation(self) -> Situation:
        """What the decision depends on."""
        states = (*self.states.values(), *((self.namespace,) if self.namespace else ()))
        return Situation(
            app=self.app,
            generation=self.attempt.generation,
            resolved=self.resolved,
            rendered=self.rendered,
            synced=self.baseline.synced,
            differing=tuple(state.compared.desired.key for state in states if not state.compared.in_sync),
            stale=self.stale,
            leftover=self.leftover,
            unfinished=self.unfinished,
            has_hooks=bool(self.hooks),
            previous=self.previous,
            request=self.asked,
            paused=self.paused,
        )

    @property
    def prunes(self) -> bool:
        """Whether what left Git is deleted: as the application says, or as the user says who names the revision."""
        if self.asked is not None and self.asked.has_target_revision:
            return self.asked.prune
        return self.app.sync.prune or bool(self.asked and self.asked.prune)

    @property
    def leftover(self) -> bool:
        """Whether something that left Git is a difference."""
        return any(item.key not in self.extra for item in self.stale)

    @property
    def inventory(self) -> tuple[InventoryItem, ...]:
        """Everything that this sync may write now: what is not served yet has no place in the cluster yet, either."""
        served = (item for item in self.desired if not self.states[item.key].unserved)
        return tuple(InventoryItem(item.key, item.version) for item in served)

    @property
    def delete_hooks(self) -> bool | None:
        """Whether there are hooks for the application's deletion; None where not all of it is looked at."""
        return None if self.asked is not None and self.asked.resources else parts(self.hooks)

    @property
    def unfinished(self) -> bool:
        """Whether the last sync has not come to its good end, or the record does not list what is ours for certain."""
        if self.stored is None:
            return bool(self.desired)
        record = self.stored.record
        listed = {item.key for item in record.inventory}.difference(record.doubtful)
        if self.delete_hooks is not None and record.delete_hooks != self.delete_hooks:
            return True
        return record.open or any(item.key not in listed for item in self.desired)
