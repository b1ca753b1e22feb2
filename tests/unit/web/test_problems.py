"""Every refusal is a problem that programs can read (RFC 9457) and people can act on."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import Refused, Retry
from gitops_workers.web.problems import CODES
from tests.documents import raw
from tests.fleet import application, fill
from tests.web_world import LIMITED, READ, WRITE, bearer

LIST = "/api/v1/applications"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code", "words"),
    [
        ("GET", LIST, {}, 401, "unauthorized", "Authorization: Bearer"),
        ("GET", LIST + "/nobody", bearer(READ), 404, "not-found", "no such application"),
        ("GET", "/api/v1/nothing", bearer(READ), 404, "not-found", "/api/docs"),
        ("PUT", LIST + "/nobody", bearer(READ), 405, "method-not-allowed", "DELETE, GET"),
        ("GET", "/api/webhook", {}, 405, "method-not-allowed", "POST"),
        ("POST", LIST + "/nobody/sync", bearer(READ), 403, "forbidden", "role write"),
        ("POST", LIST + "/nobody/sync", bearer(WRITE), 415, "not-json", "application/json"),
        ("POST", LIST + "/nobody/sync", bearer(WRITE) | JSON, 422, "invalid", "the body"),
        ("POST", "/api/webhook", {}, 400, "invalid", "no header tells"),
        ("GET", "/api/v1/clusters", bearer(LIMITED), 403, "forbidden", "limited to projects"),
        ("GET", "/api/v1/events?app=nobody", bearer(READ), 404, "not-found", "no such application"),
        (
            "GET",
            LIST + "?sync=synced",
            bearer(READ),
            422,
            "invalid",
            "found 'synced'; allowed are Synced, OutOfSync",
        ),
        ("GET", LIST + "?health=healthy", bearer(READ), 422, "invalid", "allowed are Healthy, Suspended"),
        ("GET", LIST + "?dialect=helm", bearer(READ), 422, "invalid", "allowed are argocd, flux"),
        ("GET", LIST + "?who=1", bearer(READ), 422, "invalid", "who"),
        ("GET", LIST + "?cursor=bm8", bearer(READ), 422, "invalid", "cursor"),
        ("POST", LIST + "/nobody/rollback", bearer(WRITE) | JSON, 422, "invalid", "the body"),
    ],
)
def test_what_is_refused_says_so_in_one_shape(world, method, path, headers, status, code, words):
    answer = world.client().request(method, path, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert set(found) == {"type", "title", "status", "detail", "code"}
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code)
    assert words in found["detail"]
    assert "Value error" not in found["detail"]
    assert found["type"] == f"/api/docs#{code}"


@pytest.mark.parametrize(
    ("method", "verb", "body"),
    [
        *(("POST", f"/{verb}", {}) for verb in ("sync", "terminate", "suspend", "resume", "refresh")),
        ("POST", "/rollback", {"id": 1}),
        ("DELETE", "", {}),
    ],
)
def test_what_is_asked_of_an_application_that_does_not_exist_is_refused(world, method, verb, body):
    fill(world.state, 3)
    answer = world.client().request(method, f"{LIST}/application/argocd/nobody{verb}", json=body, headers=bearer(WRITE))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert world.published == []


def test_a_rollback_to_an_entry_that_does_not_exist_is_refused_and_names_those_that_do(world):
    row = fill(world.state, 3)[0]
    world.state.save_applications([application(row.id)])
    body = {"id": 99, "pauseAutomation": True}
    answer = world.client().post(f"{LIST}/{row.id}/rollback", json=body, headers=bearer(WRITE))
    assert answer.status_code == 404
    assert "it has 1, 2, 3, 4, 5, 6, 7" in answer.json()["detail"]
    assert world.state.load(raw("request"), row.id) is None


def test_a_bare_name_of_several_has_a_code_of_its_own(world):
    rows = [application(f"application/{place}/web") for place in ("one", "two")]
    for row, status in zip(rows, fill(world.state, 2), strict=True):
        world.state.save_applications([row])
        world.state.save_status(type(status)(**{**_fields(status), "id": row.id}))
    answer = world.client().get(f"{LIST}/web", headers=bearer(READ))
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous-name")


def test_a_store_that_does_not_answer_is_unavailable(world, monkeypatch):
    def away(*_):
        raise Retry("the store is away")

    monkeypatch.setattr(world.state, "query", away)
    answer = world.client().get(LIST, headers=bearer(READ))
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "5")


def test_a_mistake_of_ours_tells_its_class_and_not_its_text(world, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("correct-horse-battery")

    monkeypatch.setattr(world.state, "query", broken)
    answer = world.client().get(LIST, headers=bearer(READ))
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert "ZeroDivisionError" in answer.json()["detail"]
    assert "correct-horse" not in answer.text


def test_a_refusal_is_quoted_to_holders_of_a_token_alone(world, monkeypatch):
    def refused(*_, **__):
        raise Refused("/etc/correct-horse-battery.yaml: cannot be read")

    monkeypatch.setattr(world.state, "query", refused)
    answer = world.client().get(LIST, headers=bearer(READ))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "correct-horse" in answer.json()["detail"]
    monkeypatch.setattr(world.queue, "now", refused)
    answer = world.client().get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert "correct-horse" not in answer.text


def test_the_page_of_the_api_explains_every_code(world):
    page = world.client().get("/api/docs").text
    for code in CODES:
        assert f"<li id={code}>" in page


def _fields(status):
    return {name: getattr(status, name) for name in status.__dataclass_fields__}
