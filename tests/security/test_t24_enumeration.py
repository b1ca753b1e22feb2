"""T24: what exists and may not be seen answers like what does not exist."""

from __future__ import annotations

import pytest

from gitops_workers.core.status.rows import Status
from tests.fleet import application
from tests.web_world import LIMITED, READ, bearer

HIDDEN = Status("application/argocd/hidden", "argocd", "secret-project", "c", "", "", "")
UNKNOWN = "application/argocd/absent"
BASE = "/api/v1/applications"
READS = ["", "/resources", "/diff", "/history", "/events", "/explain", "/request", "/refresh"]
WRITES = ["/sync", "/terminate", "/suspend", "/resume", "/refresh"]


@pytest.fixture
def client(world):
    world.state.save_status(HIDDEN)
    world.state.save_applications([application(HIDDEN.id)])
    world.queue.enroll(HIDDEN.id, "c", "default")
    return world.client()


def shape(answer, name):
    """Everything of the answer but the caller's own word, which it repeats; the names here are of one length."""
    headers = {k: v for k, v in answer.headers.items() if k != "date"}
    return answer.status_code, answer.text.replace(repr(name), "NAME"), headers


@pytest.mark.parametrize("verb", READS)
@pytest.mark.parametrize("names", [(HIDDEN.id, UNKNOWN), ("hidden", "absent")])
def test_reading_answers_alike(client, verb, names):
    answers = [client.get(f"{BASE}/{name}{verb}", headers=bearer(LIMITED)) for name in names]
    hidden, unknown = map(shape, answers, names)
    assert hidden == unknown
    assert hidden[0] == 404


@pytest.mark.parametrize("verb", WRITES)
def test_writing_answers_alike_and_does_nothing(world, client, verb):
    names = (HIDDEN.id, UNKNOWN)
    answers = [client.post(f"{BASE}/{name}{verb}", json={}, headers=bearer(LIMITED)) for name in names]
    hidden, unknown = map(shape, answers, names)
    assert hidden == unknown
    assert world.queue.wanted(HIDDEN.id) == 0


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("headers", [{}, bearer(READ), bearer("nobody's token, but long")])
def test_who_may_not_write_learns_nothing_from_trying(client, verb, headers):
    names = (HIDDEN.id, UNKNOWN)
    answers = [client.post(f"{BASE}/{name}{verb}", json={}, headers=headers) for name in names]
    hidden, unknown = map(shape, answers, names)
    assert hidden == unknown
    assert answers[0].status_code in (401, 403)


def test_a_listing_and_its_total_leave_it_out(client):
    page = client.get(BASE, headers=bearer(LIMITED), params={"project": "secret-project"}).json()
    assert page == {"items": [], "total": 0, "cursor": None}
    assert client.get(BASE, headers=bearer(LIMITED)).json()["total"] == 0


@pytest.mark.parametrize("path", ["/api/v1/clusters", "/api/v1/events", "/metrics"])
def test_what_belongs_to_no_project_is_not_for_a_token_of_projects(client, path):
    assert client.get(path, headers=bearer(LIMITED)).status_code == 403


@pytest.mark.parametrize("verb", READS)
@pytest.mark.parametrize("names", [(HIDDEN.id, UNKNOWN), ("hidden", "absent")])
def test_both_cost_the_same_reads_so_that_the_time_tells_nothing(world, client, verb, names, monkeypatch):
    reads: list[str] = []

    class Counted(type(world.state)):  # type: ignore[misc]  # it counts what any state of the world is asked
        def __getattribute__(self, name):
            if not name.startswith("_"):
                reads.append(name)
            return super().__getattribute__(name)

    monkeypatch.setattr(world.state, "__class__", Counted)
    costs = []
    for name in names:
        reads.clear()
        client.get(f"{BASE}/{name}{verb}", headers=bearer(LIMITED))
        costs.append(list(reads))
    assert costs[0] == costs[1] != []
