"""Promises of the commands that ask: the wish is stored before the bell rings, and waiting ends as it should."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import OperationView, Status
from tests.documents import raw
from tests.integration.cli.conftest import KEY, Answer, Installation

Cli = Callable[..., Answer]


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@contextmanager
def worker(installation: Installation, row: Status, then: Callable[[Status], Status]) -> Iterator[None]:
    """Serve the next attempt of an application as a worker would, with an outcome of the test's choice."""

    def serve() -> None:
        while (attempt := installation.queue.begin(row.id, 30.0)) is None or not installation.state.load(
            raw("request"), row.id
        ):
            if attempt is not None:
                installation.queue.finish(attempt, done=False, due_in=0.0)
            time.sleep(0.05)
        checked = replace(then(row), last_checked_at=stamp(installation.queue.now() + 1.0))
        assert checked.operation is not None
        answer = {
            "id": installation.state.load(raw("request"), row.id)["id"],
            "phase": checked.operation.phase.value,
            "message": checked.operation.message,
        }
        installation.state.save_status(checked, attempt.token, {raw("answer"): answer})
        installation.queue.finish(attempt, done=True, due_in=None)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    thread.join(30)
    assert not thread.is_alive()


def operation(phase: Phase, message: str = "") -> OperationView:
    return OperationView(phase, message, "0" * 40, stamp(time.time()), stamp(time.time()))


def well(row: Status) -> Status:
    return replace(
        row, sync=SyncStatus.SYNCED, health=HealthStatus.HEALTHY, operation=operation(Phase.SUCCEEDED), suspended=False
    )


@pytest.fixture
def row(installation: Installation) -> Status:
    chosen = replace(installation.rows[1], suspended=False)
    installation.state.save_status(chosen)
    return chosen


def test_a_sync_stores_the_wish_the_intent_and_rings(installation: Installation, row: Status, cli: Cli) -> None:
    before = installation.queue.wanted(row.id)
    answer = cli("app", "sync", row.id, "--prune")
    assert answer.code == 0
    wish = installation.state.load(raw("request"), row.id)
    assert wish["prune"] is True
    assert wish["by"]
    assert installation.queue.wanted(row.id) == before + 1
    attempt = installation.queue.begin(row.id, 30.0)
    assert attempt is not None
    assert any("sync asked by" in reason for reason in attempt.reasons)


def test_a_sync_that_is_waited_for_ends_well_when_it_went_well(
    installation: Installation, row: Status, cli: Cli
) -> None:
    with worker(installation, row, well):
        answer = cli("app", "sync", row.id, "--wait", "--timeout", "30")
    assert answer.code == 0


def test_an_application_that_is_named_twice_is_asked_once(installation: Installation, row: Status, cli: Cli) -> None:
    before = installation.queue.wanted(row.id)
    answer = cli("app", "sync", row.id, row.id.rpartition("/")[2])
    assert (answer.code, answer.out) == (0, f"{row.id}: sync asked\n")
    assert installation.queue.wanted(row.id) == before + 1


def test_a_sync_that_failed_exits_with_1_and_says_why(installation: Installation, row: Status, cli: Cli) -> None:
    def broken(status: Status) -> Status:
        return replace(status, sync=SyncStatus.OUT_OF_SYNC, operation=operation(Phase.FAILED, "quota exceeded"))

    with worker(installation, row, broken):
        answer = cli("app", "sync", row.id, "--wait", "--timeout", "30")
    assert answer.code == 1
    assert "quota exceeded" in answer.err


def test_a_sync_that_nobody_serves_times_out(installation: Installation, row: Status, cli: Cli) -> None:
    answer = cli("app", "sync", row.id, "--wait", "--timeout", "0.5")
    assert answer.code == 1
    assert "not within 0.5 s" in answer.err


def test_whoever_waits_is_told_that_no_worker_is_there(installation: Installation, row: Status, cli: Cli) -> None:
    assert "no worker" not in cli("app", "sync", row.id, "--wait", "--timeout", "0.3").err
    installation.telemetry.leave(installation.worker)
    for command in (("app", "sync", row.id, "--wait"), ("app", "wait", row.id, "--sync")):
        answer = cli(*command, "--timeout", "0.3")
        assert answer.code == 1
        assert "no worker of fleet default since 2" in answer.err


def test_waiting_ends_at_once_for_what_is_so_already(installation: Installation, row: Status, cli: Cli) -> None:
    installation.state.save_status(well(row))
    assert cli("app", "wait", row.id).code == 0
    degraded = replace(well(row), health=HealthStatus.DEGRADED)
    installation.state.save_status(degraded)
    assert cli("app", "wait", row.id, "--sync").code == 0
    assert cli("app", "wait", row.id, "--health", "--timeout", "0.3").code == 1


def test_a_running_operation_is_waited_for(installation: Installation, row: Status, cli: Cli) -> None:
    running = replace(well(row), operation=operation(Phase.RUNNING))
    installation.state.save_status(running)
    assert cli("app", "wait", row.id, "--timeout", "0.3").code == 1


def test_suspend_and_resume_leave_the_mark_and_ask_for_a_look(
    installation: Installation, row: Status, cli: Cli
) -> None:
    before = installation.queue.wanted(row.id)
    assert cli("app", "suspend", row.id).code == 0
    assert installation.state.load(raw("override"), row.id)["suspended"] is True
    assert cli("app", "resume", row.id).code == 0
    assert installation.state.load(raw("override"), row.id)["suspended"] is False
    assert installation.queue.wanted(row.id) == before + 2


def test_a_suspended_application_is_not_synced_behind_its_back(
    installation: Installation, row: Status, cli: Cli
) -> None:
    installation.state.save_status(replace(row, suspended=True))
    answer = cli("app", "sync", row.id)
    assert answer.code == 1
    assert "app resume" in answer.err
    assert installation.state.load(raw("request"), row.id) is None


def test_what_a_manifest_suspends_can_be_resumed_by_hand(installation: Installation, row: Status, cli: Cli) -> None:
    declared = installation.state.application(row.id)
    assert declared is not None
    suspended = replace(declared, schedule=replace(declared.schedule, suspended=True))
    installation.state.save_applications([suspended])
    assert cli("app", "resume", row.id).code == 0
    assert installation.state.load(raw("override"), row.id)["suspended"] is False


def test_another_key_is_found_out_before_a_wish_gets_lost(
    installation: Installation, row: Status, cli: Cli, monkeypatch
) -> None:
    monkeypatch.setenv("GITOPS_CACHE_KEY", KEY.replace("5a", "5b"))
    answer = cli("app", "sync", row.id)
    assert answer.code == 2
    assert "GITOPS_CACHE_KEY" in answer.err


def test_a_dead_redis_is_one_sentence(installation: Installation, cli: Cli, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("GITOPS_REDIS_URL", f"unix://{tmp_path}/nobody.sock?db=0")
    answer = cli("app", "list")
    assert answer.code == 1
    assert "Redis" in answer.err
    assert "Traceback" not in answer.err
