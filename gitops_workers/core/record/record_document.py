"""The record as one JSON value: what stands in the ConfigMap and, as a copy, in the state store.

Inventory items are lists, not objects: an application of 5,000 objects must fit into a ConfigMap. A record is never
"less": what does not fit is an error, and the whole record is unreadable then. Fields and columns of a later release
are ignored, unless it has raised the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_workers.core.documents import codec
from gitops_workers.core.documents.codec import Row, stored_as
from gitops_workers.core.model import AppId
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest
from gitops_workers.core.record.record import HistoryEntry, InventoryItem, Record
from gitops_workers.core.sync.pause import Pause

VERSION = 1
_RARE = frozenset({"deletion", "rebuilt", "doubtful"})
"""Fields that are left out where there is nothing to say: most records never have them."""


@dataclass(frozen=True, slots=True)
class _Key(Row):
    key: ObjectKey


@dataclass(frozen=True, slots=True)
class _Deletion:
    """What is needed to go on with nothing but the record."""

    since: float
    cascade: Cascade
    waits: bool
    timeout: float
    option: str
    by: str
    consent: bool


@dataclass(frozen=True, slots=True)
class _Document:
    """The fields that have a default were added since the first release."""

    version: int
    app: str
    generation: int
    inventory: tuple[InventoryItem, ...]
    history: tuple[HistoryEntry, ...]
    writer: int = 0
    open: bool = False
    listed_at: float = field(default=0.0, metadata=stored_as("listedAt"))
    hooks: tuple[InventoryItem, ...] = ()
    delete_hooks: bool = field(default=False, metadata=stored_as("parting"))
    deletion: _Deletion | None = None
    paused: Pause | None = None
    synced: str | None = None
    """A record without it says it by its history."""
    rebuilt: float = 0.0
    doubtful: tuple[_Key, ...] = ()


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON data."""
    deletion = None
    if record.deletion is not None:
        policy = record.deletion.policy
        deletion = _Deletion(
            record.deletion.since,
            policy.cascade,
            policy.waits,
            policy.timeout,
            policy.option,
            record.deletion.by,
            record.deletion.consent,
        )
    document = _Document(
        VERSION,
        record.app,
        record.generation,
        record.inventory,
        record.history,
        record.writer,
        record.open,
        record.listed_at,
        record.hooks,
        record.delete_hooks,
        deletion,
        record.paused,
        record.synced,
        record.rebuilt,
        tuple(_Key(key) for key in record.doubtful),
    )
    found: dict[str, Any] = codec.dump(document, whole=True)
    return {name: value for name, value in found.items() if value or name not in _RARE}


def from_json(app: AppId, value: Any) -> Record:
    """The record in a JSON value. Raises ValueError, which says what is wrong, for what no release ever wrote."""
    record = parse(value)
    if record.app != app:
        raise ValueError(f"it is the record of {record.app!r}")
    return record


def parse(value: Any) -> Record:
    """The record of whatever application it says. Raises ValueError."""
    if isinstance(value, Mapping) and value.get("version") != VERSION:
        raise ValueError(f"its version is {value.get('version')!r} and not {VERSION}")
    document: _Document = codec.load(_Document, value, strict=False)
    deletion, history = document.deletion, document.history
    numbers = {"generation": document.generation, "writer": document.writer, "listedAt": document.listed_at}
    numbers |= {"rebuilt": document.rebuilt}
    if deletion is not None:
        numbers |= {"deletion.since": deletion.since, "deletion.timeout": deletion.timeout}
        if deletion.cascade is Cascade.ORPHAN:
            raise ValueError("deletion.cascade is orphan, which no release writes")  # who did by hand must hear of it
    if wrong := next((name for name, number in numbers.items() if not number >= 0), ""):
        raise ValueError(f"{wrong} is {numbers[wrong]!r} and no number of that kind")
    synced = document.synced
    if synced is None:
        synced = history[-1].digest if history else ""
    return Record(
        document.app,
        document.generation,
        document.inventory,
        history,
        writer=document.writer,
        open=document.open,
        listed_at=document.listed_at,
        hooks=document.hooks,
        delete_hooks=document.delete_hooks,
        deletion=_leaving(deletion) if deletion else None,
        paused=document.paused,
        synced=synced,
        rebuilt=document.rebuilt,
        doubtful=tuple(row.key for row in document.doubtful),
    )


def _leaving(mark: _Deletion) -> DeletionRequest:
    policy = Deleting(mark.cascade, mark.waits, mark.timeout, mark.option)
    return DeletionRequest(mark.since, policy, by=mark.by, consent=mark.consent)
