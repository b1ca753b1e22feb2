"""What the API tells of applications, and what asking it for work does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.core.documents.kinds import DELETION_ORDER
from gitops_workers.core.documents.wills import DeletionOrder
from gitops_workers.core.prune.deletion import confirmed
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest, HoldReason
from gitops_workers.core.status.rows import Event, Status
from gitops_workers.core.sync.dependencies import Dependency
from tests.documents import raw
from tests.fleet import application, fill
from tests.web_world import LIMITED, READ, WRITE, bearer

LIST = "/api/v1/applications"


@pytest.fixture
def rows(world) -> list[Status]:
    rows = fill(world.state, 240)
    world.state.save_applications([application(row.id) for row in rows])
    for row in rows:
        world.queue.enroll(row.id, row.cluster, "default")
    return rows


@pytest.fixture
def ask(world, rows):
    client = world.client()
    return lambda path, **options: client.get(path, headers=bearer(READ), params=options)


def test_a_listing_walks_all_pages_by_cursor_without_a_gap(ask, rows):
    seen, cursor = [], ""
    while cursor is not None:
        page = ask(LIST, limit=100, cursor=cursor).json()
        assert page["total"] == 240
        seen += [item["id"] for item in page["items"]]
        cursor = page["cursor"]
    assert seen == sorted(row.id for row in rows)


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"text": "checkout-api"}, lambda row: "checkout-api" in row.id),
        ({"sync": "OutOfSync"}, lambda row: row.sync == "OutOfSync"),
        ({"health": "Degraded"}, lambda row: row.health == "Degraded"),
        ({"project": "search"}, lambda row: row.project == "search"),
        ({"cluster": "prod-eu-2"}, lambda row: row.cluster == "prod-eu-2"),
        ({"dialect": "flux", "sync": "Synced"}, lambda row: (row.dialect, row.sync) == ("flux", "Synced")),
    ],
)
def test_filters_are_all_applied(world, ask, rows, filters, fits):
    stored = [world.state.status(row.id) for row in rows]
    found = ask(LIST, limit=500, **filters).json()
    assert {item["id"] for item in found["items"]} == {row.id for row in stored if fits(row)}


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 501}, {"sort": "x"}, {"cursor": "bm8"}, {"cursor": "é"}, {"who": 1}]
)
def test_wrong_filters_are_refused(ask, wrong):
    assert ask(LIST, **wrong).status_code in (400, 422)


def test_an_application_is_found_by_id_and_by_its_bare_name(world, ask, rows):
    world.state.save_applications([application(rows[0].id)])
    by_id = ask(f"{LIST}/{rows[0].id}").json()
    by_name = ask(f"{LIST}/{rows[0].id.rpartition('/')[2]}").json()
    assert by_id == by_name
    assert by_id["id"] == rows[0].id
    assert {item["kind"] for item in by_id["resources"]} >= {"Deployment", "Service"}
    assert [entry["id"] for entry in by_id["history"]] == [7, 6, 5, 4, 3, 2, 1]
    assert set(by_id["history"][0]) >= {"id", "revision", "deployedAt", "initiatedBy", "outcome"}


def test_an_application_shows_what_it_depends_on(world, ask, rows):
    waiting = replace(application(rows[0].id), depends_on=(Dependency(rows[1].id), Dependency("nobody", problem="?")))
    world.state.save_applications([waiting])

    assert ask(f"{LIST}/{rows[0].id}").json()["dependsOn"] == [rows[1].id, "nobody"]
    assert ask(f"{LIST}/{rows[1].id}").json()["dependsOn"] == []


def test_a_bare_name_of_several_applications_names_them(world, ask, rows):
    twin = replace(rows[0], id=rows[0].id.replace("application/argocd", "application/other"))
    world.state.save_status(twin)
    for row in (rows[0], twin):
        world.state.save_applications([application(row.id)])
    answer = ask(f"{LIST}/{rows[0].id.rpartition('/')[2]}")
    assert answer.status_code == 409
    assert twin.id in answer.json()["detail"]


def test_an_application_named_like_a_verb_can_be_asked_for(world, ask, rows):
    world.state.save_status(replace(rows[0], id="application/argocd/resources"))
    assert ask(f"{LIST}/application/argocd/resources").json()["id"] == "application/argocd/resources"
    assert ask(f"{LIST}/application/argocd/resources/resources").json() == {"items": []}


def test_a_diff_lists_only_what_differs(ask, rows):
    items = ask(f"{LIST}/{rows[0].id}/diff").json()["items"]
    assert [item["kind"] for item in items] == ["Deployment"]
    assert "+          image:" in items[0]["diff"]


def test_an_explanation_says_why_nothing_happens_and_what_each_stage_was(world, ask, rows):
    world.state.save(raw("explanation"), rows[0].id, {"commit": "c" * 40, "ref": "main", "failed": "Render"})
    found = ask(f"{LIST}/{rows[0].id}/explain").json()
    assert set(found) == {"id", "why", "nextLook", "earlier", "stages"}
    assert found["id"] == rows[0].id
    assert [stage["name"] for stage in found["stages"]] == ["Last attempt", "Revision", "Render"]
    assert found["stages"][1]["lines"] == [f"main at {'c' * 40}"]
    assert found["why"].startswith("The last attempt failed")


def test_an_explanation_is_for_those_only_who_may_see_the_application(world, rows):
    world.state.save_status(replace(rows[0], project="other"))
    answer = world.client().get(f"{LIST}/{rows[0].id}/explain", headers=bearer(LIMITED))
    assert answer.status_code == 404


def test_events_are_of_the_application_only_and_newest_first(world, ask, rows):
    world.state.add_events([Event("2026-11-23T00:00:00Z", rows[1].id, "Normal", "Other", "of another")])
    items = ask(f"{LIST}/{rows[0].id}/events", limit=3).json()["items"]
    assert len(items) == 3
    assert {item["app"] for item in items} == {rows[0].id}
    assert [item["at"] for item in items] == sorted((item["at"] for item in items), reverse=True)


def test_a_sync_is_stored_before_it_rings(world, rows):
    app = rows[0].id
    answer = world.client().post(f"{LIST}/{app}/sync", json={"prune": True}, headers=bearer(WRITE))
    asked = answer.json().pop("request")
    assert (answer.status_code, answer.json()) == (202, {"id": app, "generation": 1, "request": asked})
    assert world.state.load(raw("request"), app) == {"id": asked, "by": "ann", "prune": True}
    assert [(bell.task, bell.id, bell.queue) for bell in world.published] == [("reconcile", app, "fleet.default")]
    attempt = world.queue.begin(app, 30.0)
    assert attempt is not None
    assert attempt.reasons == ("sync asked by ann",)


def test_an_application_that_is_not_enrolled_yet_is_not_promised_anything(world, rows):
    world.queue.delete(rows[0].id)
    answer = world.client().post(f"{LIST}/{rows[0].id}/sync", json={}, headers=bearer(WRITE))
    assert answer.status_code == 409
    assert world.state.load(raw("request"), rows[0].id) is None


@pytest.mark.parametrize(("verb", "suspended"), [("suspend", True), ("resume", False)])
def test_suspending_is_stored_and_looked_at_now(world, rows, verb, suspended):
    app = rows[0].id
    answer = world.client().post(f"{LIST}/{app}/{verb}", json={}, headers=bearer(WRITE))
    assert answer.status_code == 202
    mark = {} if suspended else {"resumedAt": world.now}
    assert world.state.load(raw("override"), app) == {"suspended": suspended, "by": "ann", **mark}
    assert [bell.id for bell in world.published] == [app]


def leaving(world, row, held=HoldReason.MASS):
    app = replace(application(row.id), leaving=DeletionRequest(7.0, Deleting(Cascade.FOREGROUND), held))
    world.state.save_applications([app])
    return app


def delete(world, row, token=WRITE, **options):
    return world.client().request("DELETE", f"{LIST}/{row.id}", json=options, headers=bearer(token))


def test_a_deletion_that_waits_for_a_human_is_confirmed_and_looked_at_now(world, rows):
    app = leaving(world, rows[0])
    world.state.save(raw("override"), app.id, {"suspended": True, "by": "bob"})
    answer = delete(world, rows[0], cascade="background")
    assert (answer.status_code, answer.json()) == (202, {"id": app.id, "generation": 1})
    order = world.state.load(DELETION_ORDER, app.id)
    assert order == DeletionOrder(7.0, "background", "ann")
    assert confirmed(app.leaving, order).policy.cascade is Cascade.BACKGROUND
    assert world.state.load(raw("override"), app.id) is None
    assert [bell.id for bell in world.published] == [app.id]


def test_what_is_declared_is_not_deleted_here_but_in_the_catalogue(world, rows):
    world.state.save_applications([replace(application(rows[0].id), origin="fleet/shop.yaml")])
    answer = delete(world, rows[0])
    assert answer.status_code == 409
    assert "declared in fleet/shop.yaml" in answer.json()["detail"]
    assert world.state.load(raw("delete"), rows[0].id) is None
    assert world.published == []


@pytest.mark.parametrize(("token", "code"), [(READ, 403), (LIMITED, 404)])
def test_only_who_may_write_it_may_delete_it(world, rows, token, code):
    leaving(world, rows[0])
    assert delete(world, rows[0], token).status_code == code
    assert world.state.load(raw("delete"), rows[0].id) is None


def test_a_deletion_takes_no_other_options(world, rows):
    leaving(world, rows[0])
    assert delete(world, rows[0], cascade="maybe").status_code == 422
    assert delete(world, rows[0], force=True).status_code == 422


@pytest.mark.parametrize("body", ['{"prune": "yes"}', '{"forced": true}', "[]", "{", "NaN", '"x"', "null"])
def test_options_that_are_not_known_are_refused_and_nothing_is_asked(world, rows, body):
    answer = world.client().post(
        f"{LIST}/{rows[0].id}/sync", content=body, headers={**bearer(WRITE), "Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert world.published == []


def test_a_login_that_somebody_wrote_into_a_url_is_not_shown(world, ask, rows):
    world.state.save_status(replace(rows[0], repository="https://user:canary@git.example.com/a.git"))
    assert "canary" not in ask(LIST, limit=500).text
    assert "canary" not in ask(f"{LIST}/{rows[0].id}").text


def test_a_token_of_a_project_lists_that_project(world, rows):
    shop = replace(rows[0], id="application/argocd/shop", project="shop")
    world.state.save_status(shop)
    page = world.client().get(LIST, headers=bearer(LIMITED)).json()
    assert ([item["id"] for item in page["items"]], page["total"]) == ([shop.id], 1)
    other = world.client().get(LIST, headers=bearer(LIMITED), params={"project": "search"}).json()
    assert (other["items"], other["total"]) == ([], 0)


def test_clusters_are_listed_with_their_queues(ask):
    items = ask("/api/v1/clusters").json()["items"]
    assert {item["name"]: item["reachable"] for item in items}["edge-oslo"] is False
    assert set(items[0]) >= {"queueDepth", "inFlight", "lagSeconds", "applications"}


def test_the_description_names_every_path(world):
    client = world.client()
    paths = client.get("/api/openapi.json").json()["paths"]
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "<script" not in page.text
    for path in (LIST, "/api/webhook", "/api/v1/events", "/metrics"):
        assert path in paths
        assert path in page.text
    assert "prune" in page.text
