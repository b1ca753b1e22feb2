"""The record as one JSON value: what stands in the ConfigMap and in the state store.

Inventory items are lists, not objects: an application of 5,000 objects must fit into a ConfigMap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from gitops_workers.core.model import AppId
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest
from gitops_workers.core.record.record import HistoryEntry, InventoryItem, Record
from gitops_workers.core.sync.pause import Pause

VERSION = 1


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON data."""
    document = {
        "version": VERSION,
        "app": record.app,
        "generation": record.generation,
        "inventory": [[*item.key, item.version] for item in record.inventory],
        "history": [list(astuple(entry)) for entry in record.history],
        "writer": record.writer,
        "open": record.open,
        "listedAt": record.listed_at,
        "hooks": [[*item.key, item.version] for item in record.hooks],
        "parting": record.delete_hooks,
        "paused": [record.paused.at, record.paused.why] if record.paused else None,
        "synced": record.synced,
    }
    if record.deletion is not None:
        document["deletion"] = _mark(record.deletion)
    if record.rebuilt:
        document |= {"rebuilt": record.rebuilt, "doubtful": [list(key) for key in record.doubtful]}
    return document


def _mark(leaving: DeletionRequest) -> dict[str, Any]:
    """What is needed to go on with nothing but the record."""
    return {
        "since": leaving.since,
        "cascade": leaving.policy.cascade.value,
        "waits": leaving.policy.waits,
        "timeout": leaving.policy.timeout,
        "option": leaving.policy.option,
        "by": leaving.by,
        "consent": leaving.consent,
    }


def from_json(app: AppId, value: Any) -> Record:
    """The record in a JSON value. Raises ValueError, which says what is wrong, for what `to_json` never wrote."""
    if not isinstance(value, Mapping):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - callers catch one type for "not a record"
    if value.get("version") != VERSION:
        raise ValueError(f"its version is {value.get('version')!r} and not {VERSION}")
    if value.get("app") != app:
        raise ValueError(f"it is the record of {value.get('app')!r}")
    generation = value.get("generation")
    if type(generation) is not int or generation < 0:
        raise ValueError(f"its generation is {generation!r} and no number")
    history = tuple(_entry(row) for row in _rows(value, "history"))
    return Record(
        app,
        generation,
        _items(value, "inventory"),
        history,
        writer=_number(value, "writer"),
        open=value.get("open") is True,
        listed_at=_number(value, "listedAt"),
        hooks=_items({"hooks": [], **value}, "hooks"),  # records of the first releases have none
        delete_hooks=value.get("parting") is True,
        deletion=_deletion(value.get("deletion")),
        paused=_pause(value.get("paused")),
        synced=_synced(value, history),
        rebuilt=_number(value, "rebuilt"),
        doubtful=tuple(ObjectKey(*_texts(row, 4, "doubtful")) for row in _rows({"doubtful": [], **value}, "doubtful")),
    )


def _items(value: Mapping[str, Any], name: str) -> tuple[InventoryItem, ...]:
    rows = [_texts(row, 5, name) for row in _rows(value, name)]
    return tuple(InventoryItem(ObjectKey(*row[:4]), row[4]) for row in rows)


def _deletion(value: Any) -> DeletionRequest | None:
    if value is None:
        return None
    try:
        cascade = Cascade(value["cascade"])
        if cascade is Cascade.ORPHAN:
            raise ValueError  # noqa: TRY301 - nobody writes that; whoever did by hand must hear of it
        texts = [value[name] for name in ("option", "by")]
        truths = [value[name] for name in ("waits", "consent")]
        if not all(isinstance(text, str) for text in texts) or not all(isinstance(truth, bool) for truth in truths):
            raise ValueError  # noqa: TRY301
        since, timeout = float(_number(value, "since")), float(_number(value, "timeout"))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError(f"its deletion is {str(value)[:80]!r}") from None
    policy = Deleting(cascade, truths[0], timeout, texts[0])
    return DeletionRequest(since, policy, by=texts[1], consent=truths[1])


def _number(value: Mapping[str, Any], name: str) -> Any:
    """A number that records of the first releases do not have."""
    number = value.get(name, 0)
    if type(number) not in (int, float) or number < 0:
        raise ValueError(f"its {name} is {number!r} and no number")
    return number


def _pause(value: Any) -> Pause | None:
    """Records of the first releases have none."""
    if value is None:
        return None
    match value:
        case [int() | float() as at, str(why)]:
            return Pause(float(at), why)
    raise ValueError(f"its paused is {str(value)[:80]!r}")


def _synced(value: Mapping[str, Any], history: Sequence[HistoryEntry]) -> str:
    """Records of the first releases have none, and say it by their history."""
    text = value.get("synced", history[-1].digest if history else "")
    if not isinstance(text, str):
        raise ValueError(f"its synced is {str(text)[:80]!r}")  # noqa: TRY004 - as above
    return text


def _rows(value: Mapping[str, Any], name: str) -> list[Any]:
    rows = value.get(name)
    if not isinstance(rows, list):
        raise ValueError(f"its {name} is no list")  # noqa: TRY004 - as above
    return rows


def _texts(row: Any, length: int, name: str) -> list[str]:
    if not isinstance(row, list) or len(row) != length or not all(isinstance(part, str) for part in row):
        raise ValueError(f"its {name} holds {str(row)[:80]!r}")
    return row


def _entry(row: Any) -> HistoryEntry:
    if not isinstance(row, list) or not row or type(row[0]) is not int:
        raise ValueError(f"its history holds {str(row)[:80]!r}")
    texts = _texts(row[1:], 7, "history")
    return HistoryEntry(row[0], *texts)
