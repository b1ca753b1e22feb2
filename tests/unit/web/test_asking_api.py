"""Asking for work over HTTP: what is stored, what is refused and with which code, and how it ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.core.documents import codec, kinds
from gitops_workers.core.documents.wills import RefreshAnswer
from gitops_workers.core.model import Condition, Phase, SyncStatus
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.core.status.rows import OperationView, ResourceView, Status
from gitops_workers.core.sync.request import Request, selector
from tests.documents import raw
from tests.fleet import application, fill
from tests.web_world import LIMITED, READ, WRITE, bearer

LIST = "/api/v1/applications"


@pytest.fixture
def row(world) -> Status:
    """An automated application of the project shop."""
    found = replace(fill(world.state, 3)[0], suspended=False, project="shop")
    world.state.save_status(found)
    world.state.save_applications([application(found.id)])
    world.queue.enroll(found.id, found.cluster, "default")
    return found


@pytest.fixture
def post(world, row):
    client = world.client()
    return lambda verb, body, token=WRITE: client.post(f"{LIST}/{row.id}/{verb}", json=body, headers=bearer(token))


@pytest.mark.parametrize(
    ("verb", "body", "wanted"),
    [
        ("sync", {}, {}),
        (
            "sync",
            {"prune": True, "force": True, "resources": ["apps:Deployment:shop/web", "!:Secret:*"]},
            {"prune": True, "force": True, "resources": (selector("apps:Deployment:shop/web"), selector("!:Secret:*"))},
        ),
        ("sync", {"dryRun": True, "revision": "v1"}, {"dry_run": True, "revision": "v1"}),
        ("rollback", {"id": 3, "pauseAutomation": True}, {"rollback": 3, "pause": True}),
        ("rollback", {"id": 1, "prune": True, "pauseAutomation": True}, {"rollback": 1, "prune": True, "pause": True}),
    ],
)
def test_what_is_asked_is_stored_with_the_name_of_who_asks(world, row, post, verb, body, wanted):
    answer = post(verb, body)
    assert answer.status_code == 202
    asked = answer.json()["request"]
    assert world.state.load(kinds.REQUEST, row.id) == Request(asked, "ann", **wanted)
    assert [bell.id for bell in world.published] == [row.id]


@pytest.mark.parametrize(
    ("verb", "body", "code", "words"),
    [
        ("sync", {"revision": "v1"}, 409, "turn automated sync off"),
        ("sync", {"resources": ["web"]}, 422, "[!]GROUP:KIND:[NAMESPACE/]NAME"),
        ("sync", {"resources": "web"}, 422, "resources"),
        ("sync", {"revision": "-x"}, 422, "no name that Git allows"),
        ("sync", {"revision": "a" * 2000}, 422, "revision"),
        ("sync", {"dry_run": True}, 422, "dry_run"),
        ("rollback", {"id": 3}, 409, "--pause-automation"),
        ("rollback", {}, 422, "id"),
        ("rollback", {"id": -1}, 422, "id"),
        ("rollback", {"id": "3"}, 422, "id"),
        ("rollback", {"id": 3, "force": True}, 422, "force"),
        ("terminate", {}, 409, "nothing to terminate"),
        ("terminate", {"force": True}, 422, "force"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(world, row, post, verb, body, code, words):
    answer = post(verb, body)
    assert answer.status_code == code
    assert words in answer.json()["detail"]
    assert world.state.load(raw("request"), row.id) is None
    assert world.published == []


@pytest.mark.parametrize("verb", ["sync", "rollback", "terminate"])
def test_a_reader_asks_for_nothing_and_a_team_only_for_its_own(world, row, post, verb):
    body = {"id": 3, "pauseAutomation": True} if verb == "rollback" else {}
    running = OperationView(Phase.RUNNING, "", "0" * 40, "2026-01-01T00:00:00Z")
    world.state.save_status(replace(row, operation=running))
    assert post(verb, body, READ).status_code == 403
    assert post(verb, body, LIMITED).status_code == 202
    world.state.save_status(replace(row, operation=running, project="search"))
    assert post(verb, body, LIMITED).status_code == 404


def test_a_running_operation_is_terminated_also_while_the_application_is_suspended(world, row, post):
    running = OperationView(Phase.RUNNING, "", "0" * 40, "2026-01-01T00:00:00Z")
    world.state.save_status(replace(row, operation=running, suspended=True))
    assert post("terminate", {}).status_code == 202
    assert world.state.load(kinds.REQUEST, row.id).terminate
    answer = post("sync", {})
    assert answer.status_code == 409
    assert "resume it first" in answer.json()["detail"]


def test_an_application_whose_automated_sync_is_paused_is_rolled_back_again(world, row, post):
    world.state.save_status(replace(row, conditions=(Condition("AutomationPaused", "ann rolled back to #1"),)))
    assert post("rollback", {"id": 1}).status_code == 202


def test_how_a_request_ended_can_be_asked_for(world, row, post):
    client = world.client()

    def read():
        return client.get(f"{LIST}/{row.id}/request", headers=bearer(READ))

    assert read().status_code == 404
    asked = post("sync", {"dryRun": True}).json()["request"]
    assert read().json() == {"id": asked, "by": "ann", "phase": None, "message": "", "resources": []}
    view = ResourceView("", "v1", "ConfigMap", "shop", "a", SyncStatus.OUT_OF_SYNC, None, diff="+  v: 2")
    world.state.save(raw("answer"), row.id, {"id": asked, "phase": "Succeeded", "message": "1 object would be applied"})
    world.state.save(raw("preview"), row.id, {"id": asked, "resources": [codec.dump(view)]})
    found = read().json()
    assert (found["phase"], found["message"]) == ("Succeeded", "1 object would be applied")
    assert [(item["name"], item["diff"]) for item in found["resources"]] == [("a", "+  v: 2")]
    world.state.save(kinds.REQUEST, row.id, Request("another", "bob"))
    assert read().json() == {"id": "another", "by": "bob", "phase": None, "message": "", "resources": []}


def test_the_description_names_the_verbs_with_their_options(world):
    document = world.client().get("/api/openapi.json").json()
    paths, schemas = document["paths"], document["components"]["schemas"]

    def schema(verb):
        body = paths[f"{LIST}/{{app}}/{verb}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        return schemas[body["$ref"].removeprefix("#/components/schemas/")]

    assert set(schema("sync")["properties"]) == {"prune", "revision", "resources", "dryRun", "force"}
    assert set(schema("rollback")["properties"]) == {"id", "prune", "pauseAutomation"}
    assert schema("rollback")["required"] == ["id"]
    assert LIST + "/{app}/terminate" in paths
    assert LIST + "/{app}/request" in paths


def test_a_refresh_is_stored_and_its_end_is_told(world, row, post):
    answer = post("refresh", {})
    assert answer.status_code == 202, answer.text
    asked = world.state.load(kinds.REFRESH, row.id)
    url = f"{LIST}/{row.id}/refresh"
    assert world.client().get(url, headers=bearer(READ)).json()["done"] is False
    world.state.save(kinds.REFRESHED, row.id, RefreshAnswer(asked.at + 1, "the cluster does not answer"))
    found = world.client().get(url, headers=bearer(READ)).json()
    assert (found["done"], found["reason"]) == (False, "the cluster does not answer")
    world.state.save(kinds.REFRESHED, row.id, RefreshAnswer(asked.at + 2, ""))
    found = world.client().get(url, headers=bearer(READ)).json()
    assert (found["done"], found["reason"]) == (True, "")


def test_a_suspended_application_is_not_refreshed(world, row, post):
    world.state.save_status(replace(row, suspended=True))
    assert post("refresh", {}).status_code == 409
    assert world.state.load(kinds.REFRESH, row.id) is None


def test_whoever_resumes_has_the_application_compared_anew(world, row, post):
    assert post("suspend", {}).status_code == 202
    assert world.state.load(kinds.REFRESH, row.id) is None
    assert post("resume", {}).status_code == 202
    assert refreshes.is_pending(world.state.load(kinds.REFRESH, row.id), world.state.load(kinds.REFRESHED, row.id))
