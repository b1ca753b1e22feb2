"""Dashboards of Argo CD and Flux find their names, with figures from the store."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from gitops_workers.core.model import Destination
from gitops_workers.core.telemetry.presence import ABSENT_SECONDS, BEAT, WORKER, Process
from gitops_workers.ports import Urgency
from tests.fleet import application, fill
from tests.web_world import LIMITED, READ, bearer
from tests.webhook_requests import SECRETS, github


def samples(world, **settings):
    answer = world.client(**settings).get("/metrics", headers=bearer(READ))
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]


def test_every_argo_application_has_its_info_and_every_flux_object_its_own(world):
    rows = fill(world.state, 1_100)
    world.state.save_applications([application(rows[0].id)])
    found = samples(world)
    infos = [labels for name, labels, _ in found if name == "argocd_app_info"]
    flux = [labels for name, labels, _ in found if name == "gotk_resource_info"]
    assert len(infos) == sum(row.dialect == "argocd" for row in rows)
    assert len(flux) == sum(row.dialect == "flux" for row in rows)
    first = next(labels for labels in infos if labels["name"] == rows[0].id.rpartition("/")[2])
    assert first == {
        "namespace": "argocd",
        "name": "checkout-api-prod-eu-1",
        "project": "checkout",
        "autosync_enabled": "true",
        "repo": "https://git.example.com/checkout/deploy.git",
        "dest_server": "https://prod-eu-1.k8s.example.com:6443",
        "dest_namespace": "checkout-api",
        "sync_status": "OutOfSync",
        "health_status": "Progressing",
        "operation": "",
    }
    assert {labels["ready"] for labels in flux} <= {"True", "False", "Unknown"}
    conditions = [labels for name, labels, _ in found if name == "argocd_app_condition"]
    assert [labels["condition"] for labels in conditions] == ["SharedResourceWarning"]


def test_a_cluster_that_nobody_uses_is_neither_up_nor_down(world):
    fill(world.state, 3)
    views = {view.name: view for view in world.state.clusters()}
    world.state.save_cluster(replace(views["staging"], reachable=None))
    world.state.save_cluster(replace(views["edge-oslo"], reachable=False))
    found = {
        labels["server"]: value for name, labels, value in samples(world) if name == "argocd_cluster_connection_status"
    }
    assert views["staging"].server not in found
    assert found[views["edge-oslo"].server] == 0
    assert found[views["prod-eu-1"].server] == 1


def test_the_destination_s_server_is_the_manifest_s_word(world):
    row = fill(world.state, 1)[0]
    here = "https://kubernetes.default.svc"
    world.state.save_applications([replace(application(row.id), destination=Destination(server=here))])
    assert [labels["dest_server"] for name, labels, _ in samples(world) if name == "argocd_app_info"] == [here]


def test_queues_are_measured_per_cluster(world):
    fill(world.state, 10)
    world.queue.enroll("application/argocd/a", "prod-eu-1", "default")
    world.queue.request("application/argocd/a", "", Urgency.MANUAL)
    world.now += 7.0
    found = {(name, labels.get("cluster")): value for name, labels, value in samples(world)}
    assert found["gitops_queue_depth", "prod-eu-1"] == 1
    assert found["gitops_queue_in_flight", "prod-eu-1"] == 0
    assert found["gitops_queue_lag_seconds", "prod-eu-1"] == 7
    assert ("argocd_cluster_connection_status", None) in found


def test_a_login_in_a_repository_url_is_no_label(world):
    row = fill(world.state, 1)[0]
    world.state.save_status(replace(row, repository="https://user:canary@git.example.com/a.git"))
    assert "canary" not in str(samples(world))


def test_webhooks_are_counted_by_outcome(world):
    client = world.client(webhook_secrets=SECRETS)
    headers, body = github()
    client.post("/api/webhook", content=body, headers=headers)
    client.post("/api/webhook", content=body + b" ", headers=headers)
    text = client.get("/metrics", headers=bearer(READ)).text
    assert 'gitops_webhook_requests_total{outcome="unknown-repository",provider="github"} 1.0' in text
    assert 'gitops_webhook_requests_total{outcome="rejected",provider="none"} 1.0' in text


def test_metrics_need_a_token_that_sees_everything_unless_they_are_open(world):
    assert world.client().get("/metrics").status_code == 401
    assert world.client().get("/metrics", headers=bearer(LIMITED)).status_code == 403
    assert world.client(open_metrics=True).get("/metrics").status_code == 200


def test_readiness_says_who_is_missing_and_fails_for_it_only_where_a_monitor_asks(world):
    fill(world.state, 10)
    client = world.client()
    client_says = client.get("/readyz")
    assert client_says.status_code == 200
    assert "no worker of fleet default has been seen yet" in client_says.text
    assert client.get("/readyz?strict=true").status_code == 503
    worker = Process(WORKER, "one@host", ("control", "fleet.default", "fleet.edge"))
    for process in (worker, Process(BEAT, "beat@host")):
        world.telemetry.report(process, {})
    assert client.get("/readyz?strict=true").text == "ok\n"
    world.now += ABSENT_SECONDS + 1
    assert "no worker of fleet edge since 1970-01-01T00:16:40Z" in client.get("/readyz").text


def test_probes_ask_for_nothing_and_tell_an_outage(world):
    def gone() -> float:
        raise ConnectionError("gone")

    assert world.client().get("/readyz").status_code == 200
    world.queue.now = gone
    assert world.client().get("/readyz").status_code == 503
    assert world.client().get("/healthz").status_code == 200
