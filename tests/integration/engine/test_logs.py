"""What the workers' own logs say of an application's life, and that they say nothing while nothing happens."""

from __future__ import annotations

import json
from typing import Any

import httpx

from gitops_workers.core.documents.kinds import EVENT_CURSOR
from gitops_workers.core.scheduling.poll_groups import cluster_group
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.ports import Urgency
from tests.integration.engine.installation import Installation, config_map, installation
from tests.servers.event_receiver import receiver

SECRET = "correct-horse-battery"


def lines(site: Installation, app: str) -> list[dict[str, Any]]:
    """What workers have logged about the application, in the order of time."""
    read = [line for line in site.logs().splitlines() if line.startswith("{")]
    found = [line for line in map(json.loads, read) if line.get("application") == app]
    return sorted(found, key=lambda line: str(line["timestamp"]))


def test_each_write_bears_who_what_where_and_its_operation(story):
    site, shop = story.site, story.shop
    shop.push({"told/a.yaml": config_map("told-a", SECRET), "told/b.yaml": config_map("told-b")})
    site.declare("told.yaml", site.argo("told", shop.url, "told"))
    app = site.app("told")
    operation = site.until_synced(app).operation
    site.until(lambda: [line for line in lines(site, app) if line["event"] == "operation_succeeded"], "the end")

    written = [line for line in lines(site, app) if line["event"] == "cluster_write"]
    applied = {line["object"]: line for line in written if line["verb"] == "apply"}
    assert set(applied) == {f"ConfigMap {site.space}/told-a", f"ConfigMap {site.space}/told-b"}
    for line in applied.values():
        assert (line["cluster"], line["result"], line["operation"]) == ("east", "201", operation.id)
        assert line["attempt"] > 0
        assert line["milliseconds"] > 0
    assert any(line["object"].startswith("ConfigMap gitops-workers/") for line in written)
    assert SECRET not in site.logs()

    (began,) = [line for line in lines(site, app) if line["event"] == "operation_began"]
    ended = next(line for line in lines(site, app) if line["event"] == "operation_succeeded")
    assert {began["operation"], ended["operation"]} == {operation.id}
    told = [event for event in site.state.events(app) if event.reason == "OperationSucceeded"]
    assert [(event.operation, event.revision) for event in told] == [(operation.id, operation.revision)]


def test_a_self_heal_and_a_prune_can_be_read_in_the_log(story):
    site, shop = story.site, story.shop
    shop.push({"healed/a.yaml": config_map("healed-a"), "healed/b.yaml": config_map("healed-b")})
    site.declare("healed.yaml", site.argo("healed", shop.url, "healed"))
    app = site.app("healed")
    site.until_synced(app)
    path = f"/api/v1/namespaces/{site.space}/configmaps/healed-a"
    assert site.east.call("PATCH", path, {"data": {"v": "by hand"}})[0] == 200
    site.until(lambda: site.value("healed-a") == "1", "healing")
    site.until(lambda: [line for line in lines(site, app) if line["event"] == "self_heal"], "the line")
    healed = next(line for line in lines(site, app) if line["event"] == "self_heal")
    assert f"Somebody changed ConfigMap {site.space}/healed-a in the cluster" in healed["message"]

    site.until_synced(app, shop.push({"healed/b.yaml": None}))
    site.until(lambda: site.value("healed-b") is None, "the prune")
    deleted = [line for line in lines(site, app) if line.get("verb") == "delete"]
    assert [line["object"] for line in deleted] == [f"ConfigMap {site.space}/healed-b"]


def test_an_application_at_rest_is_looked_at_without_a_line(story):
    site, shop = story.site, story.shop
    shop.push({"quiet/a.yaml": config_map("quiet-a")})
    site.declare("quiet.yaml", site.argo("quiet", shop.url, "quiet"))
    app = site.app("quiet")
    site.until_synced(app)
    site.until(lambda: [line for line in lines(site, app) if line["event"] == "operation_succeeded"], "the end")
    before = lines(site, app)
    for _ in range(3):
        asked_at = stamp(site.queue.now())
        site.queue.request_poll(cluster_group("east"), Urgency.WEBHOOK)
        site.queue.request(app, "a look", Urgency.MANUAL)
        site.until_status(app, lambda status, since=asked_at: status.last_checked_at > since)
    assert lines(site, app) == before


def test_one_search_by_operation_or_attempt_finds_a_sync_in_log_events_status_and_api(story):
    site, shop = story.site, story.shop
    shop.push({"traced/a.yaml": config_map("traced-a")})
    site.declare("traced.yaml", site.argo("traced", shop.url, "traced"))
    app = site.app("traced")
    operation = site.until_synced(app).operation.id
    site.until(lambda: [line for line in lines(site, app) if line["event"] == "operation_succeeded"], "the end")
    url = f"{site.engine.web}/api/v1/applications/{app}"

    ended = next(line for line in lines(site, app) if line["event"] == "operation_succeeded")
    said = [line["event"] for line in lines(site, app) if line.get("operation") == operation]
    assert said[0] == "operation_began"
    assert {"cluster_write", "operation_succeeded"} <= set(said)
    assert all(line["generation"] for line in lines(site, app) if line.get("operation") == operation)
    events = httpx.get(f"{url}/events").json()["items"]
    found = [event for event in events if event["operation"] == operation]
    assert {"OperationSucceeded", "SyncStatusChanged"} <= {event["reason"] for event in found}
    assert httpx.get(url).json()["operation"]["id"] == site.status(app).operation.id == operation

    attempt = ended["attempt"]
    assert attempt > 0
    assert attempt in {event["attempt"] for event in found}
    assert {event.attempt for event in site.state.events(app) if event.operation == operation} <= {
        line["attempt"] for line in lines(site, app) if "attempt" in line
    }
    status = site.status(app)
    assert status.attempt >= attempt
    assert httpx.get(url).json()["attempt"] >= status.attempt


def test_every_event_of_a_sync_reaches_a_webhook_with_its_id_and_a_broken_one_holds_up_no_sync(planes, tmp_path):
    with receiver(503) as (url, got), installation(tmp_path, planes, event_sinks=(f"webhook={url}",)) as site:
        shop = site.repository("shop.git")
        shop.push({"sunk/a.yaml": config_map("sunk-a")})
        # The delivery to a new sink begins with what happens from now on: its cursor has to be there.
        site.until(lambda: site.state.load(EVENT_CURSOR, "webhook") is not None, "the cursor")
        site.declare("sunk.yaml", site.argo("sunk", shop.url, "sunk"))
        app = site.app("sunk")
        site.until_synced(app)
        site.until(lambda: got, "the first try")
        got.status = 204
        newest = site.state.events(limit=1)[0].id
        site.until(lambda: newest in {key for _, key, _ in got.taken}, "the delivery")
        told = [key for _, key, _ in got.taken]
        assert (
            sorted(set(told), key=told.index) == [event.id for event in reversed(site.state.events())][: len(set(told))]
        )
        assert {event.id for event in site.state.events(app)} <= set(told)
        assert url not in site.logs()
