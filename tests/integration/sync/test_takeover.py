"""An application that Argo CD or Flux manages already is adopted as it is, and can be given back."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import GroupKind, Manifest
from gitops_workers.core.record.record import PART_OF
from tests.integration.sync import engines
from tests.integration.sync.engines import ARGOCD, ARGOCD_OLD, ARGOCD_SERVER_SIDE, ENGINES, FLUX, Engine
from tests.integration.sync.yard import CONFIG_MAP, DEPLOYMENT, JOB, Yard, config_map, deployment, job

SERVICE = GroupKind("", "Service")
TRACKING = "argocd.argoproj.io/tracking-id"

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=[engine.name for engine in ENGINES])


def service(**annotations: str) -> Manifest:
    ports = [{"port": 80, "targetPort": 8080}]
    metadata: dict[str, Any] = {"name": "web", "annotations": annotations}
    spec = {"selector": {"app": "web"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def app_of(yard: Yard) -> str:
    return yard.app.rpartition("/")[2]


def managed_by(yard: Yard, engine: Engine, *objects: Manifest) -> None:
    """Have the other engine apply these, and wait for the pods."""
    for item in objects:
        engine.apply(yard.plane, yard.space, app_of(yard), item)
    if any(item["kind"] == "Deployment" for item in objects):
        yard.until(lambda: yard.there(DEPLOYMENT, "web")["status"].get("readyReplicas") == 1, "its pod")


def identity(live: Manifest) -> tuple[str, Any, str | None]:
    """The incarnation, what it is, and how often a Deployment was rolled out (an annotation counts in `generation`)."""
    metadata = live["metadata"]
    rollouts = metadata.get("annotations", {}).get("deployment.kubernetes.io/revision")
    return metadata["uid"], live.get("spec"), rollouts


@every_engine
def test_the_first_sync_writes_marks_and_nothing_else(yard: Yard, engine: Engine) -> None:
    yard.adopt(engine.dialect)
    objects = (deployment("web"), service(), config_map("settings", v="1"))
    managed_by(yard, engine, *objects)
    before = [identity(yard.there(*what)) for what in ((DEPLOYMENT, "web"), (SERVICE, "web"), (CONFIG_MAP, "settings"))]
    pods = [pod["metadata"]["uid"] for pod in yard.pods(app="web")]

    yard.commit(*objects)
    yard.until_synced()
    after = [yard.there(*what) for what in ((DEPLOYMENT, "web"), (SERVICE, "web"), (CONFIG_MAP, "settings"))]
    assert [identity(live) for live in after] == before, "nothing was recreated, nothing was rolled out"
    assert [pod["metadata"]["uid"] for pod in yard.pods(app="web")] == pods
    assert all(live["metadata"]["labels"][PART_OF] for live in after)

    versions = [live["metadata"]["resourceVersion"] for live in after]
    yard.now += 300.0
    yard.run()
    again = [yard.there(*what) for what in ((SERVICE, "web"), (CONFIG_MAP, "settings"))]
    assert [live["metadata"]["resourceVersion"] for live in again] == versions[1:], "and then there is rest"


@every_engine
def test_what_git_dropped_before_the_takeover_or_drops_after_it_goes(yard: Yard, engine: Engine) -> None:
    yard.adopt(engine.dialect)
    managed_by(yard, engine, config_map("settings", v="1", before="1", after="1"), service(team="a"))
    old = identity(yard.there(CONFIG_MAP, "settings"))

    yard.commit(config_map("settings", v="1", after="1"), service())
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "settings")["data"] == {"v": "1", "after": "1"}
    assert "team" not in yard.there(SERVICE, "web")["metadata"].get("annotations", {})

    yard.commit(config_map("settings", v="2"), service())
    yard.until_synced()
    live = yard.there(CONFIG_MAP, "settings")
    assert live["data"] == {"v": "2"}
    assert identity(live) == old


@every_engine
def test_what_others_have_added_stays(yard: Yard, engine: Engine) -> None:
    """A restart that somebody asked for in Argo CD's pages, and an autoscaler's replicas: to undo them is a rollout."""
    yard.adopt(engine.dialect)
    given = deployment("web")
    del given["spec"]["replicas"]
    managed_by(yard, engine, given)
    path = f"/apis/apps/v1/namespaces/{yard.space}/deployments/web"
    restarted = {
        "template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}
    }
    assert yard.plane.call("PATCH", f"{path}?fieldManager=argocd-server", {"spec": restarted})[0] == 200
    assert yard.plane.call("PATCH", f"{path}?fieldManager=autoscaler", {"spec": {"replicas": 2}})[0] == 200
    yard.until(lambda: identity(yard.there(DEPLOYMENT, "web"))[2] == "2", "the restart")
    before = identity(yard.there(DEPLOYMENT, "web"))

    yard.commit(given)
    yard.until_synced()
    live = yard.there(DEPLOYMENT, "web")
    assert identity(live) == before
    assert live["spec"]["replicas"] == 2


@every_engine
def test_prune_works_for_what_was_taken_over(yard: Yard, engine: Engine) -> None:
    yard.adopt(engine.dialect)
    managed_by(yard, engine, config_map("kept", v="1"), config_map("dropped", v="1"), config_map("theirs", v="1"))
    yard.commit(config_map("kept", v="1"), config_map("dropped", v="1"))
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "theirs"), "what Git did not have at the takeover is not ours to delete"

    yard.commit(config_map("kept", v="1"))
    yard.until(lambda: yard.get(CONFIG_MAP, "dropped") is None, "the prune")
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "kept")
    assert yard.there(CONFIG_MAP, "theirs")


@pytest.mark.parametrize("engine", [ARGOCD, ARGOCD_SERVER_SIDE, ARGOCD_OLD], ids=lambda engine: engine.name)
def test_the_jobs_of_argo_cds_hooks_are_replaced(yard: Yard, engine: Engine) -> None:
    yard.adopt()
    managed_by(yard, engine, job("migrate", "PreSync"), config_map("settings", v="1"))
    old = yard.there(JOB, "migrate")

    yard.commit(job("migrate", "PreSync", image="registry.example/main:2"), config_map("settings", v="2"))
    yard.until_synced()
    new = yard.there(JOB, "migrate")
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert new["status"]["succeeded"] == 1
    assert yard.there(CONFIG_MAP, "settings")["data"] == {"v": "2"}


def test_a_job_that_only_shares_the_name_is_not_replaced(yard: Yard) -> None:
    yard.adopt()
    engines.ARGOCD.apply(yard.plane, yard.space, "another", job("migrate", "PreSync"))
    old = yard.there(JOB, "migrate")["metadata"]["uid"]
    yard.commit(job("migrate", "PreSync"), config_map("settings", v="1"))
    yard.until(lambda: yard.says("is not this application's"), "the refusal")
    assert yard.there(JOB, "migrate")["metadata"]["uid"] == old


@every_engine
def test_what_is_ours_is_theirs_again_when_they_apply_it(yard: Yard, engine: Engine) -> None:
    yard.adopt(engine.dialect)
    objects = (deployment("web"), config_map("settings", v="1"))
    yard.commit(*objects)
    yard.until_synced()
    yard.until(lambda: yard.there(DEPLOYMENT, "web")["status"].get("readyReplicas") == 1, "its pod")
    before = [yard.there(DEPLOYMENT, "web"), yard.there(CONFIG_MAP, "settings")]
    for live in before:
        marked = engine.marked(yard.space, app_of(yard), live)["metadata"]
        if not engine.labelled:
            for kind in ("labels", "annotations"):
                assert marked.get(kind, {}) == live["metadata"].get(kind, {}), "the engine finds its own marks"

    after = [engine.apply(yard.plane, yard.space, app_of(yard), item) for item in objects]
    assert [identity(live) for live in after] == [identity(live) for live in before]


def test_flux_takes_our_fields_over_when_it_is_told_to(yard: Yard) -> None:
    """kustomize-controller --override-manager=gitops-workers: our entry becomes Flux' before it applies."""
    yard.adopt(Dialect.FLUX)
    yard.commit(config_map("settings", v="1", dropped="1"))
    yard.until_synced()
    live = yard.there(CONFIG_MAP, "settings")
    entries = [
        {**entry, "manager": FLUX.manager} if entry["manager"] == "gitops-workers" else entry
        for entry in live["metadata"]["managedFields"]
    ]
    path = f"/api/v1/namespaces/{yard.space}/configmaps/settings"
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": entries}]
    assert yard.plane.call("PATCH", path, patch, content_type="application/json-patch+json")[0] == 200

    given_back = FLUX.apply(yard.plane, yard.space, app_of(yard), config_map("settings", v="1"))
    assert given_back["data"] == {"v": "1"}
    assert given_back["metadata"]["uid"] == live["metadata"]["uid"]
