"""A push makes exactly the poll groups of its repository due, and the message goes out at once."""

from __future__ import annotations

import pytest

from tests.documents import raw
from tests.webhook_requests import BUILDERS, REPOSITORIES, SECRETS, github

PATH = "/api/webhook"


@pytest.mark.parametrize("provider", BUILDERS)
def test_a_push_rings_for_the_groups_of_its_repository(world, provider):
    world.queue.enroll_poll("repository/one", "//git.example.com", 500.0)
    world.queue.enroll_poll("repository/other", "//git.example.com", 500.0)
    world.state.save(raw("repository"), REPOSITORIES[provider], ["repository/one"])
    headers, body = BUILDERS[provider]()
    answer = world.client(webhook_secrets=SECRETS).post(PATH, content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {"accepted": True, "polls": 1}
    assert [(bell.task, bell.id) for bell in world.published] == [("poll", "repository/one")]


def test_the_poll_that_follows_asks_for_refs_that_are_newer_than_the_push(world):
    world.queue.enroll_poll("repository/one", "//git.example.com", 500.0)
    world.state.save(raw("repository"), "github.com/org/app", ["repository/one"])
    world.now = 2_000.0
    headers, body = github()
    world.client(webhook_secrets=SECRETS).post(PATH, content=body, headers=headers)
    attempt = world.queue.begin_poll("repository/one", 30.0)
    assert attempt is not None
    assert attempt.not_before == 2_000.0


def test_a_repository_of_nobody_changes_nothing(world):
    headers, body = github()
    answer = world.client(webhook_secrets=SECRETS).post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (200, False)
    assert world.published == []


def test_a_refused_request_says_why_and_changes_nothing(world):
    world.state.save(raw("repository"), "github.com/org/app", ["repository/one"])
    headers, body = github(secret=b"wrong")
    answer = world.client(webhook_secrets=SECRETS).post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "unauthorized")
    assert "x-hub-signature-256" in answer.json()["detail"]
    assert world.published == []


def test_a_store_that_does_not_answer_is_told_to_the_sender(world):
    def gone(*_: object) -> None:
        raise ConnectionError("gone")

    world.state.load_many = gone
    headers, body = github()
    answer = world.client(webhook_secrets=SECRETS).post(PATH, content=body, headers=headers)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
