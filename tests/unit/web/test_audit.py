"""Whoever asks for a change leaves an event and a log line: who, from where, what, and whether it was taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from gitops_workers.core.model import Phase
from gitops_workers.core.status.rows import OperationView
from tests.documents import raw
from tests.fleet import application, fill
from tests.web_world import READ, WRITE, bearer

LIST = "/api/v1/applications"


@pytest.fixture
def row(world):
    running = OperationView(Phase.RUNNING, "", "0" * 40, "2026-01-01T00:00:00Z")
    found = replace(fill(world.state, 3)[0], suspended=False, project="shop", operation=running)
    world.state.save_status(found)
    world.state.save_applications([application(found.id)])
    world.state.save(raw("history"), found.id, [{"id": 3}])
    world.queue.enroll(found.id, found.cluster, "default")
    return found


def events(world, row, seen: int):
    return world.state.events(row.id)[: len(world.state.events(row.id)) - seen]


@pytest.mark.parametrize(
    ("method", "verb", "body", "reason", "words"),
    [
        ("POST", "/sync", {"prune": True, "dryRun": True}, "SyncRequested", "sync (dry run, prune) asked by ann"),
        ("POST", "/rollback", {"id": 3, "pauseAutomation": True}, "RollbackRequested", "rollback (to #3, pause"),
        ("POST", "/terminate", {}, "TerminateRequested", "terminate asked by ann from 203.0.113.9; accepted"),
        ("POST", "/suspend", {}, "SuspendRequested", "suspend asked by ann"),
        ("POST", "/resume", {}, "ResumeRequested", "resume asked by ann"),
    ],
)
def test_what_is_taken_is_an_event_and_a_line(world, row, method, verb, body, reason, words):
    seen = len(world.state.events(row.id))
    with capture_logs() as lines:
        answer = world.client().request(method, f"{LIST}/{row.id}{verb}", json=body, headers=bearer(WRITE))
    assert answer.status_code == 202
    (event,) = events(world, row, seen)
    assert (event.type, event.reason, event.by, event.source) == ("Normal", reason, "ann", "203.0.113.9")
    assert words in event.message
    assert f"accepted as generation {answer.json()['generation']}." in event.message
    assert event.request == answer.json().get("request", "")
    (line,) = lines
    assert (line["application"], line["by"], line["source"]) == (row.id, "ann", "203.0.113.9")
    assert line["log_level"] == "info"


@pytest.mark.parametrize(
    ("method", "verb", "body", "code"),
    [
        ("POST", "/rollback", {"id": 3}, 409),
        ("POST", "/rollback", {"id": 99, "pauseAutomation": True}, 404),
        ("POST", "/sync", {"revision": "-x"}, 422),
        ("DELETE", "", {}, 409),
    ],
)
def test_what_is_refused_is_a_warning_with_the_reason(world, row, method, verb, body, code):
    seen = len(world.state.events(row.id))
    with capture_logs() as lines:
        answer = world.client().request(method, f"{LIST}/{row.id}{verb}", json=body, headers=bearer(WRITE))
    assert answer.status_code == code
    (event,) = events(world, row, seen)
    assert (event.type, event.reason, event.by) == ("Warning", "RequestRefused", "ann")
    assert answer.json()["detail"] in event.message
    assert [line["log_level"] for line in lines] == ["warning"]
    assert world.state.load(raw("request"), row.id) is None


def test_who_may_only_read_leaves_a_line_and_no_event(world, row):
    seen = len(world.state.events(row.id))
    with capture_logs() as lines:
        assert world.client().post(f"{LIST}/{row.id}/sync", json={}, headers=bearer(READ)).status_code == 403
    assert events(world, row, seen) == ()
    (line,) = lines
    assert (line["event"], line["by"], line["source"]) == ("request_forbidden", "reader", "203.0.113.9")


def test_the_address_that_a_proxy_names_is_told_beside_the_proxy_s_own(world, row):
    headers = {**bearer(WRITE), "X-Forwarded-For": "10.0.0.1, 192.0.2.7\x7f"}
    world.client().post(f"{LIST}/{row.id}/sync", json={}, headers=headers)
    assert world.state.events(row.id)[0].source == "203.0.113.9, forwarded for 192.0.2.7"
