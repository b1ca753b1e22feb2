"""Who is let in: holders of tokens, and whoever sits at this machine where that was switched on."""

from __future__ import annotations

import pytest

from gitops_workers.core.status.rows import Status
from tests.fleet import application
from tests.web_world import READ, WRITE, bearer

LIST = "/api/v1/applications"
HERE = {"address": ("127.0.0.1", 4711), "base": "http://127.0.0.1:8080"}
APP = Status("application/argocd/a", "argocd", "default", "c", "", "", "")


def test_without_any_token_the_api_is_off_and_says_how_to_switch_it_on(world):
    answer = world.client(tokens=()).get(LIST, headers=bearer(READ))
    assert (answer.status_code, "GITOPS_TOKENS" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080"])
def test_this_machine_needs_no_token_where_that_was_switched_on(world, base):
    client = world.client(tokens=(), open_to_loopback=True, address=("127.0.0.1", 1), base=base)
    assert client.get(LIST).status_code == 200


def test_this_machine_needs_a_token_where_that_was_not_switched_on(world):
    assert world.client(**HERE).get(LIST).status_code == 401


@pytest.mark.parametrize(
    ("address", "base", "headers"),
    [
        (("203.0.113.9", 1), "http://127.0.0.1:8080", {}),
        # DNS rebinding: a foreign page's own name that points here.
        (("127.0.0.1", 1), "http://evil.example.com", {}),
        (("127.0.0.1", 1), "http://127.0.0.1.evil.example.com", {}),
        # A proxy on this machine speaks for somebody else.
        (("127.0.0.1", 1), "http://127.0.0.1:8080", {"X-Forwarded-For": "203.0.113.9"}),
        (("127.0.0.1", 1), "http://127.0.0.1:8080", {"Forwarded": "for=203.0.113.9"}),
    ],
)
def test_who_only_looks_like_this_machine_needs_a_token(world, address, base, headers):
    client = world.client(open_to_loopback=True, address=address, base=base)
    assert client.get(LIST, headers=headers).status_code == 401
    assert client.get(LIST, headers=headers | bearer(READ)).status_code == 200


def test_a_wrong_token_is_refused_even_from_this_machine(world):
    assert world.client(open_to_loopback=True, **HERE).get(LIST, headers=bearer("x" * 20)).status_code == 401


@pytest.mark.parametrize("verb", ["sync", "suspend", "resume"])
def test_a_reader_changes_nothing(world, verb):
    world.state.save_status(APP)
    world.state.save_applications([application(APP.id)])
    world.queue.enroll(APP.id, "c", "default")
    path = f"{LIST}/{APP.id}/{verb}"
    assert world.client().post(path, json={}, headers=bearer(READ)).status_code == 403
    assert world.queue.wanted(APP.id) == 0
    assert world.client().post(path, json={}, headers=bearer(WRITE)).status_code == 202
