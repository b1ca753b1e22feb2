"""The record: what a destination cluster remembers of an application.

One ConfigMap per application in namespace `gitops-workers`, an ApplySet parent (KEP-3659). It survives the loss of
Redis and holds the fence (generation), the inventory and the history. Every change is a compare-and-swap on its
resourceVersion, so two workers can never both believe that they own the next write.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gitops_workers.core.documents.codec import Row
from gitops_workers.core.model import AppId
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.deletion_request import DeletionRequest
from gitops_workers.core.sync.pause import Pause

NAMESPACE = "gitops-workers"
PART_OF = "applyset.kubernetes.io/part-of"
APPLYSET_ID = "applyset.kubernetes.io/id"
MOST_HOOKS = 100
"""Runs of `generateName` hooks add up; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class InventoryItem(Row):
    """An object we wrote or were about to write. `version` is how to ask for it, no part of its identity."""

    key: ObjectKey
    version: str


@dataclass(frozen=True, slots=True)
class HistoryEntry(Row):
    """One finished deployment. `id` grows by one; times are RFC 3339 UTC."""

    id: int
    revision: str
    ref: str
    source: str
    """The source as JSON (core.snapshot): what a rollback renders."""
    digest: str
    initiated_by: str
    deployed_at: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Record:
    """The record's content. `generation` is the fence: nobody with a smaller one may write any more."""

    app: AppId
    generation: int = 0
    inventory: tuple[InventoryItem, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    writer: int = 0
    """The fencing token of the last attempt that wrote. Two attempts of one generation (a lost lease) differ by it, and
    whatever an earlier attempt remembers of the cluster is not to be trusted."""
    open: bool = False
    """True from the first write of a sync until its good end: a difference is then our unfinished work, and no
    hand-made change."""
    listed_at: float = 0.0
    """Refs listed before this moment (epoch s) are older than what was written last."""
    hooks: tuple[InventoryItem, ...] = ()
    """Objects of hook runs, oldest first: they are no members, but deleting the application takes them along."""
    delete_hooks: bool = False
    """What was deployed last has PreDelete or PostDelete hooks."""
    deletion: DeletionRequest | None = None
    """The application is being deleted: written before the first delete, so that no loss of Redis forgets it."""
    paused: Pause | None = None
    """Automated sync is off since then."""
    synced: str = ""
    """The render digest of the last sync that ended well: what differs from that later was changed by hand. Empty when
    a part of another state came after it."""
    rebuilt: float = 0.0
    """When the record had vanished and was made anew (epoch s), until the next sync that ends well; else 0."""
    doubtful: tuple[ObjectKey, ...] = ()
    """Of the inventory what is known by its marks in the cluster alone: no record says that we wrote it."""

    def fenced(
        self,
        generation: int,
        inventory: Iterable[InventoryItem],
        *,
        writer: int = 0,
        listed_at: float = 0.0,
        hooks: Iterable[InventoryItem] = (),
        deletion: DeletionRequest | None = None,
    ) -> Record:
        """The record before the first write: our generation, and the union of what was and what will be.

        Whoever writes says whether it deletes the application: a sync of one that came back takes the mark away.
        """
        runs, inventory = {item.key: item for item in (*self.hooks, *hooks)}, tuple(inventory)
        merged = {item.key: item for item in self.inventory} | {item.key: item for item in inventory}
        return replace(
            self,
            generation=generation,
            inventory=ordered(merged.values()),
            writer=writer,
            open=True,
            listed_at=max(self.listed_at, listed_at),
            hooks=tuple(runs.values())[-MOST_HOOKS:],
            deletion=deletion,
            doubtful=self._less_doubtful(item.key for item in inventory),
        )

    def settled(self, away: Iterable[ObjectKey], entry: HistoryEntry | None, limit: int) -> Record:
        """The record after the last write: without what went `away`, hooks too, and the history cut to `limit` entries.

        Only a sync that ended well gives an entry, and only that closes the record. One with the id of an entry that is
        there takes its place.
        """
        gone = frozenset(away)
        left = tuple(item for item in self.inventory if item.key not in gone)
        hooks = tuple(item for item in self.hooks if item.key not in gone)
        doubtful = self._less_doubtful(gone)
        if entry is None:
            return replace(self, inventory=left, hooks=hooks, doubtful=doubtful)
        history = (*(item for item in self.history if item.id != entry.id), entry)
        return replace(
            self,
            inventory=left,
            hooks=hooks,
            history=history[-limit:] if limit > 0 else (),
            open=False,
            synced=entry.digest,
            rebuilt=self.rebuilt if doubtful else 0.0,
            doubtful=doubtful,
        )

    def _less_doubtful(self, known: Iterable[ObjectKey]) -> tuple[ObjectKey, ...]:
        vouched = frozenset(known) if self.doubtful else frozenset()
        return tuple(key for key in self.doubtful if key not in vouched)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as read, with the resourceVersion that the next write must name."""

    record: Record
    resource_version: str


def ordered(items: Iterable[InventoryItem]) -> tuple[InventoryItem, ...]:
    """Sorted by identity, so that equal inventories are equal bytes."""
    return tuple(sorted(items, key=lambda item: item.key))


def record_name(app: AppId) -> str:
    """The ConfigMap's name: readable where the id is a DNS subdomain of at most 253 characters, hashed otherwise.

    >>> record_name("application/argocd/guestbook")
    'application.argocd.guestbook'
    """
    name = app.replace("/", ".")
    if len(name) <= 253:
        return name
    return "application." + hashlib.sha256(app.encode()).hexdigest()


def applyset_id(app: AppId) -> str:
    """KEP-3659: base64url of SHA-256 of `<name>.<namespace>.<kind>.<group>` of the parent, prefixed and versioned."""
    parent = f"{record_name(app)}.{NAMESPACE}.ConfigMap."
    text = base64.urlsafe_b64encode(hashlib.sha256(parent.encode()).digest()).decode().rstrip("=")
    return f"applyset-{text}-v1"
