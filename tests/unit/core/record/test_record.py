"""The record: who writes, what is left, and whether the last sync came to its good end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import HistoryEntry, InventoryItem, Record
from gitops_workers.core.record.record_document import from_json, to_json
from gitops_workers.core.sync.pause import Pause

APP = "application/argocd/web"
ENTRY = HistoryEntry(0, "c" * 40, "main", "{}", "d", "ann", "2026-01-01T00:00:00Z", "Succeeded")


def item(name: str) -> InventoryItem:
    return InventoryItem(ObjectKey("", "ConfigMap", "shop", name), "v1")


def test_from_the_first_write_to_the_good_end_the_record_is_open_and_lists_old_and_new() -> None:
    record = Record(APP, 3, (item("old"), item("same")))
    fenced = record.fenced(4, [item("new"), item("same")], writer=70, listed_at=5.0)
    assert (fenced.generation, fenced.writer, fenced.open, fenced.listed_at) == (4, 70, True, 5.0)
    assert [entry.key.name for entry in fenced.inventory] == ["new", "old", "same"]
    failed = fenced.settled((), None, 10)
    assert failed.open
    done = fenced.settled([item("old").key], ENTRY, 10)
    assert (done.open, done.history, done.synced) == (False, (ENTRY,), ENTRY.digest)
    assert [entry.key.name for entry in done.inventory] == ["new", "same"]


def test_an_older_listing_never_makes_the_record_younger() -> None:
    assert Record(APP, listed_at=9.0).fenced(1, (), writer=1, listed_at=5.0).listed_at == 9.0


def test_what_is_stored_is_read_also_from_before_there_were_writers() -> None:
    record = Record(APP, 3, (item("a"),), (ENTRY,), writer=1_800_000_000_000_001, open=True, listed_at=1.5)
    document = json.loads(json.dumps(to_json(record)))
    assert from_json(APP, document) == record
    for name in ("writer", "open", "listedAt", "paused", "synced"):
        del document[name]
    assert from_json(APP, document) == Record(APP, 3, (item("a"),), (ENTRY,), synced=ENTRY.digest)
    with pytest.raises(ValueError, match="synced is"):
        from_json(APP, {**document, "synced": 7})


def test_an_entry_takes_the_place_of_the_one_with_its_id() -> None:
    record = Record(APP).settled((), ENTRY, 10).settled((), replace(ENTRY, id=1), 10)
    again = replace(ENTRY, id=1, initiated_by="bob")
    assert record.settled((), again, 10).history == (ENTRY, again)


def test_a_pause_is_stored_and_one_that_cannot_be_read_spoils_the_record() -> None:
    record = Record(APP, 3, paused=Pause(7.5, "ann rolled back to #1"))
    document = json.loads(json.dumps(to_json(record)))
    assert from_json(APP, document) == record
    unreadable: list[Any] = [True, {}, [1], ["x", "y"], [1, 2]]
    for broken in unreadable:
        with pytest.raises(ValueError, match="paused"):
            from_json(APP, {**document, "paused": broken})
