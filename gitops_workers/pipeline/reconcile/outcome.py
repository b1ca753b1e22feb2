"""What an attempt found out: everything that is reported, in one value."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.model import Condition, Health, Resolved, SyncStatus
from gitops_workers.core.record.record import HistoryEntry
from gitops_workers.core.record.record_copy import RecordCopy
from gitops_workers.core.status.rows import ResourceView
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Answer
from gitops_workers.pipeline.reconcile.trace import NOTHING, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt's result. None means: as it was before.

    `due_in`: seconds until the next look, None when only an event or the next poll asks again. `served`: this
    generation needs no further attempt.
    """

    message: str
    sync: SyncStatus
    health: Health | None = None
    resolved: Resolved | None = None
    operation: Operation | None = None
    listed_at: float = 0.0
    """When the refs were listed that the revision was resolved from; 0 when none were."""
    baseline: SyncBaseline | None = None
    tried: str = ""
    """The commit (or the refusal to find one) of an attempt that got nowhere: polls leave it to the backoff."""
    tried_ref: str = ""
    """The branch or tag of that commit."""
    resources: tuple[ResourceView, ...] | None = None
    history: tuple[HistoryEntry, ...] | None = None
    waits_since: float = 0.0
    """Since when objects that were applied are awaited, 0 when none are: the cluster's poll then watches closely."""
    record: RecordCopy | None = None
    """The copy of the cluster's record that the next attempt may use."""
    conditions: tuple[Condition, ...] = ()
    suspended: bool = False
    served: bool = True
    awaits_others: bool = False
    """A dependency is not ready: the note that it is waited for stays."""
    due_in: float | None = None
    trace: Trace = NOTHING
    cluster_away: bool = False
    """The attempt ended because the cluster did not answer: whatever was answered before is no success."""
    answer: Answer | None = None
    """How the request ended, where that is not said by the rest."""
    preview: tuple[ResourceView, ...] | None = None
    """What a dry run would change."""
