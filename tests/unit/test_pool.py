"""The worker's two compartments of threads: whatever polls wait for, reconciles go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gitops_workers.runtime.pool import CompartmentPool


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[CompartmentPool]:
    monkeypatch.setenv("GITOPS_POLL_CONCURRENCY", "2")
    made = CompartmentPool(limit=1)
    made.start()
    yield made
    made.stop()


def submit(pool: CompartmentPool, name: str, work: Callable[[], object], taken: threading.Event | None = None) -> Any:
    """As Celery hands over a message; `taken` is set when the message may be acknowledged."""

    def target(_: str) -> object:
        return work()

    accept = (lambda *_: taken.set()) if taken else None
    return pool.apply_async(target, args=(name,), accept_callback=accept, callback=lambda _: None)


def test_a_reconcile_runs_although_more_polls_wait_than_there_are_threads(pool: CompartmentPool) -> None:
    answered, taken = threading.Event(), [threading.Event() for _ in range(9)]
    waiting = [submit(pool, "gitops.poll", lambda: answered.wait(30), event) for event in taken]
    done = threading.Event()
    submit(pool, "gitops.reconcile", done.set).wait(10)
    assert done.is_set()
    assert all(event.is_set() for event in taken), "one that is not acknowledged keeps the worker from fetching more"
    answered.set()
    for result in waiting:
        result.wait(10)


def test_a_poll_runs_although_reconciles_have_all_their_threads(pool: CompartmentPool) -> None:
    answered, polled = threading.Event(), threading.Event()
    busy = [submit(pool, "gitops.reconcile", lambda: answered.wait(30)) for _ in range(3)]
    submit(pool, "gitops.poll", polled.set).wait(10)
    assert polled.is_set()
    answered.set()
    for result in busy:
        result.wait(10)


def test_the_message_of_a_reconcile_is_kept_until_a_thread_has_it(pool: CompartmentPool) -> None:
    answered, taken = threading.Event(), threading.Event()
    first = submit(pool, "gitops.reconcile", lambda: answered.wait(30))
    second = submit(pool, "gitops.reconcile", lambda: None, taken)
    assert not taken.is_set()
    answered.set()
    first.wait(10)
    second.wait(10)
    assert taken.is_set()
