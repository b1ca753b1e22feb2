"""What the fence rests on: one suite over real ConfigMaps and over the twin in memory."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gitops_workers.adapters.cluster.records import ConfigMapRecords
from gitops_workers.core.errors import Superseded
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest
from gitops_workers.core.record.record import HistoryEntry, InventoryItem, Record
from gitops_workers.ports import Records
from gitops_workers.testing.volatile_cluster import VolatileRecords
from tests.contract.cluster_grounds import transport_of


@pytest.fixture(params=["volatile", "real"])
def records(request) -> Records:
    if request.param == "volatile":
        return VolatileRecords()
    return ConfigMapRecords(transport_of(request.getfixturevalue("planes")[0]))


@pytest.fixture
def app() -> str:
    return f"application/argocd/shop-{uuid.uuid4().hex[:8]}"


def full(app: str, generation: int = 7) -> Record:
    items = (
        InventoryItem(ObjectKey("", "Namespace", "", "shop"), "v1"),
        InventoryItem(ObjectKey("apps", "Deployment", "shop", "web-ünïcode"), "v1"),
    )
    entry = HistoryEntry(1, "abc", "main", '{"url": "https://x"}', "d", "alice", "2026-01-01T00:00:00Z", "Succeeded")
    return Record(app, generation, items, (entry,))


def test_there_is_no_record_at_first(records, app):
    assert records.load(app) is None


def test_what_was_stored_is_loaded(records, app):
    version = records.store(full(app), None)
    stored = records.load(app)
    assert (stored.record, stored.resource_version) == (full(app), version)


def test_a_record_is_created_once(records, app):
    records.store(full(app), None)
    with pytest.raises(Superseded):
        records.store(full(app, 8), None)
    assert records.load(app).record.generation == 7


def test_only_who_read_the_newest_may_write(records, app):
    first = records.store(full(app, 1), None)
    second = records.store(full(app, 2), first)
    with pytest.raises(Superseded):
        records.store(full(app, 3), first)
    assert records.load(app).record.generation == 2
    assert records.store(full(app, 3), second) != second


def test_a_deleted_record_is_not_written_again_by_who_knew_it(records, app):
    version = records.store(full(app), None)
    records.delete(app, version)
    records.delete(app, version)
    assert records.load(app) is None
    with pytest.raises(Superseded):
        records.store(full(app), version)


def test_only_who_read_the_newest_may_delete(records, app):
    first = records.store(full(app, 1), None)
    second = records.store(full(app, 2), first)
    with pytest.raises(Superseded):
        records.delete(app, first)
    assert records.load(app).record.generation == 2
    records.delete(app, second)
    assert records.load(app) is None


def test_the_mark_of_a_deletion_is_kept(records, app):
    policy = Deleting(Cascade.BACKGROUND, waits=True, timeout=90.0, option="confirm")
    marked = replace(full(app), deletion=DeletionRequest(1_000.5, policy, by="ann", consent=True))
    records.store(marked, None)
    assert records.load(app).record == marked


def test_of_many_writers_exactly_one_wins(records, app):
    version = records.store(full(app, 0), None)

    def write(generation: int) -> bool:
        try:
            records.store(full(app, generation), version)
        except Superseded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, done in enumerate(pool.map(write, range(1, 9)), 1) if done]
    assert len(won) == 1
    assert records.load(app).record.generation == won[0]


def test_who_has_a_record_is_listed_without_the_records(records, app):
    assert app not in records.holders()
    version = records.store(full(app), None)
    assert app in records.holders()
    records.delete(app, version)
    assert app not in records.holders()
