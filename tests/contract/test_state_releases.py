"""Rows that another release has written: they are shown with what can be read of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers import redis_keys as keys
from gitops_workers.adapters.redis_state import RedisState
from gitops_workers.core import model as m
from gitops_workers.core.status.rows import OperationView, Status
from gitops_workers.core.telemetry.presence import Presence
from gitops_workers.ports import StatusQuery
from gitops_workers.testing.volatile_queue import VolatileQueue
from tests.contract.test_state_port import row

OPERATION = OperationView(m.Phase.SUCCEEDED, "done", "abc", "2026-11-23T10:00:00Z")


@pytest.fixture
def state(store: Any) -> RedisState:
    return RedisState(store, VolatileQueue(lambda: 1000.0).cluster_loads, lambda: Presence(1000.0), key=b"secret")


@pytest.mark.parametrize(
    ("written", "instead", "lost"),
    [
        (b'"Degraded"', b'"Dreaming"', {"health": m.HealthStatus.UNKNOWN}),
        (b'"OutOfSync"', b'"SomeSynch"', {"sync": m.SyncStatus.UNKNOWN}),
        (b'"Succeeded"', b'"Applauded"', {"operation": None}),
    ],
)
def test_a_row_with_a_word_that_is_unknown_here_is_listed_without_it(
    state: RedisState, store: Any, written: bytes, instead: bytes, lost: dict[str, Any]
) -> None:
    status: Status = replace(
        row("shop"), sync=m.SyncStatus.OUT_OF_SYNC, health=m.HealthStatus.DEGRADED, operation=OPERATION
    )
    state.save_status(status)
    state.save_status(row("other"))
    packed = store.hget(keys.STATUS, status.id)
    assert written in packed
    store.hset(keys.STATUS, status.id, packed.replace(written, instead))
    assert state.status(status.id) == replace(status, **lost)
    assert state.query(StatusQuery()).rows == (row("other"), replace(status, **lost))
