"""What the commands ask for, what they refuse at once, and how they end: 0 done, 1 failed or refused, 2 bad usage."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.cli.client import user
from gitops_workers.core.documents import codec, kinds
from gitops_workers.core.model import Condition, HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import OperationView, ResourceView, Status
from gitops_workers.core.sync.request import Request, selector
from tests.documents import raw
from tests.integration.cli.conftest import Answer, Installation

Cli = Callable[..., Answer]


@pytest.fixture
def row(installation: Installation) -> Status:
    """An automated application, in sync and at rest."""
    done = OperationView(Phase.SUCCEEDED, "1 object applied.", "0" * 40, "2026-01-01T00:00:00Z")
    well: dict[str, Any] = {
        "sync": SyncStatus.SYNCED,
        "health": HealthStatus.HEALTHY,
        "operation": done,
        "conditions": (),
    }
    chosen = replace(installation.rows[1], suspended=False, **well)
    installation.state.save_status(chosen)
    return chosen


@pytest.fixture
def manual(installation: Installation, row: Status) -> Status:
    """The same without automated sync, with three entries of history."""
    app = installation.state.application(row.id)
    assert app is not None
    installation.state.save_applications([replace(app, sync=replace(app.sync, automated=False))])
    history = [
        {"id": number, "revision": "a" * 40, "ref": "main", "deployed_at": "", "initiated_by": "ann"}
        | {"outcome": "Succeeded", "exact": number > 0}
        for number in range(3)
    ]
    installation.state.save(raw("history"), row.id, history)
    return row


def asked(installation: Installation, row: Status) -> Request:
    request = installation.state.load(kinds.REQUEST, row.id)
    assert request is not None
    return request


@contextmanager
def engine(installation: Installation, row: Status, phase: Phase, message: str, **documents: Any) -> Iterator[None]:
    """Answer the next request as the engine would."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.wait(0.02):
            request = installation.state.load(raw("request"), row.id)
            if request is not None:
                answer = {"id": request["id"], "phase": phase.value, "message": message}
                found = {raw(kind): {"id": request["id"], **value} for kind, value in documents.items()}
                installation.state.save_of(row.id, {raw("answer"): answer, **found})
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def test_every_option_of_a_sync_arrives(installation: Installation, manual: Status, cli: Cli) -> None:
    words = (
        "--prune",
        "--force",
        "--revision",
        "v1.2",
        "--resource",
        "apps:Deployment:web",
        "--resource",
        "!:Secret:*",
    )
    assert cli("app", "sync", manual.id, *words).code == 0
    found = asked(installation, manual)
    chosen = (selector("apps:Deployment:web"), selector("!:Secret:*"))
    assert found == Request(found.id, found.by, prune=True, revision="v1.2", resources=chosen, force=True)
    assert found.by


def test_a_dry_run_shows_message_objects_and_diffs(installation: Installation, row: Status, cli: Cli) -> None:
    differs = ResourceView(
        "", "v1", "ConfigMap", "shop", "a", SyncStatus.OUT_OF_SYNC, None, diff="--- a\n+++ b\n+  v: 2"
    )
    doomed = ResourceView("", "v1", "ConfigMap", "shop", "b", SyncStatus.OUT_OF_SYNC, None, "Would be pruned.")
    preview = {"resources": [codec.dump(differs), codec.dump(doomed)]}
    with engine(installation, row, Phase.SUCCEEDED, "Dry run at abc: 1 object would be applied.", preview=preview):
        answer = cli("app", "sync", row.id, "--dry-run", "--revision", "main")
    assert answer.code == 0
    for words in ("1 object would be applied", "Would be pruned.", "+  v: 2"):
        assert words in answer.out
    assert asked(installation, row).dry_run


def test_a_dry_run_that_is_refused_exits_with_1(installation: Installation, row: Status, cli: Cli) -> None:
    with engine(installation, row, Phase.FAILED, "quota exceeded"):
        answer = cli("app", "sync", row.id, "--dry-run")
    assert answer.code == 1
    assert "quota exceeded" in answer.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("sync", "--revision", "v1"), 1, "turn automated sync off"),
        (("sync", "--resource", "Deployment:web"), 2, "[!]GROUP:KIND:[NAMESPACE/]NAME"),
        (("sync", "--revision", "-x=y"), 2, "revision is no name that Git allows"),
        (("rollback", "0"), 1, "--pause-automation"),
        (("rollback", "--pause-automation", "--", "-1"), 2, ""),
        (("rollback",), 2, ""),
        (("terminate",), 1, "nothing to terminate"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_stored(
    installation: Installation, row: Status, cli: Cli, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = cli("app", words[0], row.id, *words[1:])
    assert answer.code == code
    assert said in answer.err
    assert installation.state.load(raw("request"), row.id) is None


@pytest.mark.parametrize(
    ("words", "reason", "said"),
    [
        (("sync", "--prune"), "SyncRequested", "sync (prune) asked by"),
        (("rollback", "2"), "RollbackRequested", "rollback (to #2) asked by"),
        (("rollback", "7"), "RequestRefused", "the history has no entry 7"),
        (("terminate",), "RequestRefused", "nothing to terminate"),
        (("suspend",), "SuspendRequested", "suspend asked by"),
        (("resume",), "ResumeRequested", "resume asked by"),
        (("delete", "--yes"), "RequestRefused", "delete asked by"),
    ],
)
def test_each_command_that_is_to_change_something_is_an_event(
    installation: Installation, manual: Status, cli: Cli, words: tuple[str, ...], reason: str, said: str
) -> None:
    before = len(installation.state.events(manual.id, 1000))
    cli("app", words[0], manual.id, *words[1:])
    event, *more = installation.state.events(manual.id, 1000)
    assert len(more) == before
    assert (event.reason, event.by, event.source) == (reason, user(), socket.gethostname())
    assert said in event.message
    stored = installation.state.load(raw("request"), manual.id)
    assert stored is None or event.request == stored["id"]


def test_a_rollback_names_an_entry_that_is_there(installation: Installation, manual: Status, cli: Cli) -> None:
    unknown = cli("app", "rollback", manual.id, "7")
    assert unknown.code == 2
    assert "it has 0, 1, 2" in unknown.err
    assert cli("app", "rollback", manual.id, "2", "--prune").code == 0
    found = asked(installation, manual)
    assert found == Request(found.id, found.by, prune=True, rollback=2)


def test_an_automated_application_is_rolled_back_with_a_pause_and_a_paused_one_without(
    installation: Installation, manual: Status, cli: Cli
) -> None:
    app = installation.state.application(manual.id)
    assert app is not None
    installation.state.save_applications([replace(app, sync=replace(app.sync, automated=True))])
    with engine(installation, manual, Phase.SUCCEEDED, "Rolled back to #1."):
        answer = cli("app", "rollback", manual.id, "1", "--pause-automation", "--wait", "--timeout", "30")
    assert (answer.code, "Rolled back to #1." in answer.out) == (0, True)
    assert asked(installation, manual).pause
    paused = Condition("AutomationPaused", "ann rolled back to #1; automated sync is paused.")
    installation.state.save_status(replace(manual, conditions=(paused,)))
    assert cli("app", "rollback", manual.id, "0").code == 0


def test_history_says_what_a_rollback_would_render(installation: Installation, manual: Status, cli: Cli) -> None:
    found = json.loads(cli("app", "history", manual.id, "-o", "json").out)
    assert [(item["id"], item["rollback"]) for item in found] == [(2, "exact"), (1, "exact"), (0, "commit")]
    assert "ROLLBACK" in cli("app", "history", manual.id).out


def test_terminate_waits_for_the_end(installation: Installation, row: Status, cli: Cli) -> None:
    running = OperationView(Phase.RUNNING, "Waiting for x.", "0" * 40, "2026-01-01T00:00:00Z")
    installation.state.save_status(replace(row, operation=running))
    with engine(installation, row, Phase.SUCCEEDED, "terminated by ann"):
        answer = cli("app", "terminate", row.id, "--timeout", "30")
    assert answer.code == 0
    assert "terminated by ann" in answer.out
    found = asked(installation, row)
    assert found == Request(found.id, found.by, terminate=True)


def test_a_request_whose_place_another_one_took_is_not_waited_for(
    installation: Installation, row: Status, cli: Cli
) -> None:
    def overtake() -> None:
        while installation.state.load(raw("request"), row.id) is None:
            pass
        installation.state.save(kinds.REQUEST, row.id, Request("other", "bob"))

    thread = threading.Thread(target=overtake, daemon=True)
    thread.start()
    answer = cli("app", "sync", row.id, "--wait", "--timeout", "30")
    thread.join(30)
    assert answer.code == 1
    assert "took the place" in answer.err


@pytest.mark.parametrize(
    ("changes", "words", "code"),
    [
        ({}, (), 0),
        ({}, ("--operation",), 0),
        ({"sync": SyncStatus.OUT_OF_SYNC}, ("--sync",), 1),
        ({"sync": SyncStatus.OUT_OF_SYNC}, ("--health",), 0),
        ({"sync": SyncStatus.OUT_OF_SYNC}, ("--operation",), 0),
        ({"health": HealthStatus.PROGRESSING}, ("--health",), 1),
        ({"health": HealthStatus.DEGRADED}, ("--degraded",), 0),
        ({"health": HealthStatus.FAILED}, ("--degraded",), 0),
        ({"health": HealthStatus.DEGRADED}, ("--health", "--degraded"), 0),
        ({"health": HealthStatus.DEGRADED}, ("--health",), 1),
        ({"health": HealthStatus.SUSPENDED}, ("--suspended",), 0),
        ({}, ("--suspended",), 1),
        ({"operation": Phase.RUNNING}, (), 1),
        ({"operation": Phase.RUNNING}, ("--operation",), 1),
        ({"operation": Phase.RUNNING, "health": HealthStatus.DEGRADED}, ("--degraded",), 0),
    ],
)
def test_wait_ends_when_what_is_named_is_so(
    installation: Installation, row: Status, cli: Cli, changes: dict[str, Any], words: tuple[str, ...], code: int
) -> None:
    if phase := changes.get("operation"):
        changes = {**changes, "operation": OperationView(phase, "", "0" * 40, "2026-01-01T00:00:00Z")}
    installation.state.save_status(replace(row, **changes))
    assert cli("app", "wait", row.id, *words, "--timeout", "0.3").code == code


def test_what_is_asked_and_not_answered_is_waited_for(installation: Installation, row: Status, cli: Cli) -> None:
    installation.state.save(kinds.REQUEST, row.id, Request("1", "ann"))
    assert cli("app", "wait", row.id, "--operation", "--timeout", "0.3").code == 1
    installation.state.save(raw("answer"), row.id, {"id": "1", "phase": "Succeeded", "message": ""})
    assert cli("app", "wait", row.id, "--operation", "--timeout", "0.3").code == 0


def test_resume_leaves_the_moment(installation: Installation, row: Status, cli: Cli) -> None:
    before = installation.queue.now()
    assert cli("app", "resume", row.id).code == 0
    assert before <= installation.state.load(raw("override"), row.id)["resumedAt"] <= installation.queue.now()
