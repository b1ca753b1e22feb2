"""The fence: an application's record in the destination cluster, compared and swapped before anything else is written.

An attempt that finds a later generation or another record than the one it read stops (F05).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gitops_workers.core.errors import Superseded
from gitops_workers.core.model import Application
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.deletion_request import DeletionRequest
from gitops_workers.core.record.record import HistoryEntry, InventoryItem, Record, StoredRecord
from gitops_workers.core.source.snapshot import bounded
from gitops_workers.core.sync.pause import Pause
from gitops_workers.pipeline import records
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.lease import Lease
from gitops_workers.ports import Attempt, Cluster

PAUSE_UNCHANGED = Pause(0.0, "")
"""Stands for the pause that the record has."""


@dataclass(slots=True)
class Fence:
    """One attempt's hold on one record. Created per step; not shared between threads."""

    context: Context
    app: Application
    attempt: Attempt
    cluster_name: str
    cluster: Cluster
    stored: StoredRecord | None
    union: tuple[InventoryItem, ...]
    """Everything that will be written, for the fence."""
    listed_at: float
    """When the refs were listed that the revision was resolved from."""
    hooks: tuple[InventoryItem, ...] = ()
    """The hooks that may be created, for the record."""
    deletion: DeletionRequest | None = None
    """Set when the application is being deleted: what the record says of it from the first write on."""
    delete_hooks: bool | None = None
    """Whether there are hooks for the deletion; None leaves what the record says."""
    part: bool = False
    """Not all objects are looked at: whether the last whole sync came to its good end stays as it is."""
    rendered: str = ""
    """The render digest of what is written."""
    paused: Pause | None = PAUSE_UNCHANGED
    """What the record says from now on."""
    fenced: bool = False
    gone_hooks: set[ObjectKey] = field(default_factory=set)
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        self.lease = Lease(self.context, self.attempt)

    def fence(self) -> None:
        """The record says what is going to happen, before anything does; once per step."""
        if self.fenced:
            return
        self._store(self._fencing())
        self.fenced = True

    def settle(self, away: Iterable[ObjectKey], entry: HistoryEntry | None) -> Record:
        """The good end of a sync: the record without what went away, closed, and with its place in the history.

        A part of a sync has no `entry`, and closes nothing.
        """
        base = self.stored.record if self.fenced and self.stored else self._fencing()
        record = base.settled({*away, *self.gone_hooks}, entry, self.app.history_limit)
        record = replace(record, history=bounded(record.history))
        self._store(record)
        return record

    def mend_pause(self) -> StoredRecord | None:
        """Write down that automated sync was resumed, where nothing else is to be written."""
        if self.stored is not None and self.stored.record.paused != self.paused:
            self.lease.keep()
            self._check(self.stored.record)
            records.invalidate(self.context, self.cluster_name, self.app.id)
            self._store(replace(self.stored.record, paused=self.paused))
        return self.stored

    def _fencing(self) -> Record:
        """The record that says that we write now. Raises Superseded when somebody later does."""
        self.lease.keep()
        base = self.stored.record if self.stored else Record(self.app.id)
        self._check(base)
        records.invalidate(self.context, self.cluster_name, self.app.id)
        fenced = base.fenced(
            self.attempt.generation,
            self.union,
            writer=self.attempt.token,
            listed_at=self.listed_at,
            hooks=self.hooks,
            deletion=self.deletion,
        )
        paused = base.paused if self.paused is PAUSE_UNCHANGED else self.paused
        delete_hooks = base.delete_hooks if self.delete_hooks is None else self.delete_hooks
        found = replace(fenced, paused=paused, delete_hooks=delete_hooks)
        if not self.part:
            return found
        return replace(found, open=base.open, synced=base.synced if base.synced == self.rendered else "")

    def _store(self, record: Record) -> None:
        expected = self.stored.resource_version if self.stored else None
        try:
            version = self.context.clusters.records(self.cluster_name).store(record, expected)
        except Superseded:
            if self.stored is not None:  # somebody wrote another one, or deleted it
                records.note_missing(self.context, self.cluster_name, self.app.id, self.stored.record)
            raise
        self.stored = StoredRecord(record, version)

    def _check(self, record: Record) -> None:
        if record.generation <= self.attempt.generation:
            return
        if self.context.queue.wanted(self.app.id) == self.attempt.generation:
            # Redis was emptied and counts anew: nobody newer exists, so the counter catches up with the cluster.
            self.context.queue.raise_generation(self.app.id, record.generation + 1)
        raise Superseded(
            f"{self.app.id}: generation {record.generation} has written already, this is {self.attempt.generation}."
        )
