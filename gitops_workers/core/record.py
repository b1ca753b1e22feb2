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

from gitops_workers.core.model import AppId
from gitops_workers.core.objects import ObjectKey

NAMESPACE = "gitops-workers"
PART_OF = "applyset.kubernetes.io/part-of"
APPLYSET_ID = "applyset.kubernetes.io/id"


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """An object we wrote or were about to write. `version` is how to ask for it, no part of its identity."""

    key: ObjectKey
    version: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One finished deployment. `id` grows by one; times are RFC 3339 UTC."""

    id: int
    revision: str
    ref: str
    source: str
    """The source as JSON (`url`, `path`, `revision`): what a rollback would render."""
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

    def fenced(self, generation: int, inventory: Iterable[InventoryItem]) -> Record:
        """The record before the first write: our generation, and the union of what was and what will be."""
        merged = {item.key: item for item in self.inventory} | {item.key: item for item in inventory}
        return replace(self, generation=generation, inventory=ordered(merged.values()))

    def settled(self, inventory: Iterable[InventoryItem], entry: HistoryEntry | None, limit: int) -> Record:
        """The record after the last write: what is really left, and the history cut to `limit` entries."""
        history = self.history
        if entry is not None:
            history = (*history, entry)
        return replace(self, inventory=ordered(inventory), history=history[-limit:] if limit > 0 else ())


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
