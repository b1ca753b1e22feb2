"""T23: a foreign page cannot use its visitor's place in the network."""

from __future__ import annotations

import pytest

from gitops_workers.core.status.rows import Status
from tests.fleet import application
from tests.web_world import WRITE, bearer

APP = Status("application/argocd/a", "argocd", "default", "c", "", "", "")
SYNC = f"/api/v1/applications/{APP.id}/sync"
HERE = {"address": ("127.0.0.1", 1), "base": "http://127.0.0.1:8080", "open_to_loopback": True}


@pytest.fixture
def enrolled(world):
    world.state.save_status(APP)
    world.state.save_applications([application(APP.id)])
    world.queue.enroll(APP.id, "c", "default")
    return world


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("place", [HERE, {}])
def test_what_a_form_can_send_is_refused(enrolled, kind, place):
    headers = bearer(WRITE) | ({"Content-Type": kind} if kind else {})
    assert enrolled.client(**place).post(SYNC, content=b"{}", headers=headers).status_code == 415
    assert enrolled.queue.wanted(APP.id) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
)
@pytest.mark.parametrize("login", [{}, bearer(WRITE)])
def test_a_request_of_another_origin_is_refused(enrolled, headers, login):
    assert enrolled.client(**HERE).post(SYNC, json={}, headers=headers | login).status_code == 403
    assert enrolled.queue.wanted(APP.id) == 0


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8080"}])
def test_our_own_page_and_programs_may(enrolled, headers):
    assert enrolled.client(**HERE).post(SYNC, json={}, headers=headers).status_code == 202


def test_a_foreign_page_reads_nothing_from_this_machine(enrolled):
    answer = enrolled.client(**HERE).get("/api/v1/applications", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_no_cookie_is_ever_set_or_looked_at(enrolled):
    client = enrolled.client()
    for path in ("/api/v1/applications", "/api/docs", "/healthz"):
        assert "set-cookie" not in client.get(path, headers=bearer(WRITE)).headers
    assert client.get("/api/v1/applications", headers={"Cookie": f"token={WRITE}"}).status_code == 401
