"""Waves and stages over objects that become ready, fail and hang by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_workers.core.model import Dialect, HealthStatus, Phase
from gitops_workers.core.objects import GroupKind, Manifest
from tests.integration.sync.yard import CONFIG_MAP, DEPLOYMENT, Yard, config_map, deployment, job

WAVE = "argocd.argoproj.io/sync-wave"


@pytest.fixture
def lamps(yard: Yard) -> Iterator[GroupKind]:
    """The kind of a definition of this test's own."""
    group = f"{yard.space}.example.com"
    yield GroupKind(group, "Lamp")
    yard.plane.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/lamps.{group}")


def definition(kind: GroupKind, wave: int | None = None) -> Manifest:
    names = {"kind": "Lamp", "plural": "lamps", "singular": "lamp", "listKind": "LampList"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    annotations = {} if wave is None else {WAVE: str(wave)}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"lamps.{kind.group}", "annotations": annotations},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": names,
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def lamp(kind: GroupKind, wave: int | None = None, *, lit: bool = True) -> Manifest:
    annotations = {} if wave is None else {WAVE: str(wave)}
    metadata = {"name": "desk", "annotations": annotations}
    return {"apiVersion": f"{kind.group}/v1", "kind": "Lamp", "metadata": metadata, "spec": {"lit": lit}}


def test_a_deployment_that_becomes_ready_opens_the_next_wave(yard: Yard) -> None:
    yard.adopt()
    yard.commit(deployment("web", plays="hangs"), config_map("after", wave=1, v="1"))
    yard.until(lambda: yard.says("Waiting for Deployment.apps") and yard.pods(app="web"), "the wait")
    assert yard.get(CONFIG_MAP, "after") is None
    assert yard.status(yard.app).health is HealthStatus.PROGRESSING

    yard.release(app="web")
    yard.until_synced()
    assert yard.there(DEPLOYMENT, "web")["status"]["readyReplicas"] == 1
    assert yard.there(CONFIG_MAP, "after")


def test_the_last_wave_is_not_waited_for_and_its_health_is_told_later(yard: Yard) -> None:
    yard.adopt()
    yard.commit(config_map("before", v="1"), deployment("web", plays="hangs", wave=1))
    status = yard.until_synced()
    assert status.health is HealthStatus.PROGRESSING
    yard.release(app="web")
    yard.until(lambda: yard.status(yard.app).health is HealthStatus.HEALTHY, "health")


def test_a_wave_that_cannot_get_healthy_fails_and_the_next_never_comes(yard: Yard) -> None:
    yard.adopt()
    yard.commit(
        deployment("web", plays="hangs", progressDeadlineSeconds=1),
        config_map("after", wave=1, v="1"),
        job("tell", "SyncFail"),
    )
    status = yard.until_phase(Phase.FAILED)
    assert status.health is HealthStatus.DEGRADED
    assert 'Deployment "web" exceeded its progress deadline' in str(status.operation)
    assert yard.get(CONFIG_MAP, "after") is None
    assert yard.there(GroupKind("batch", "Job"), "tell")["status"]["succeeded"] == 1

    yard.commit(deployment("web"), config_map("after", wave=1, v="1"))
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "after")


def test_a_wave_that_waits_for_ever_is_replaced_by_a_new_commit(yard: Yard) -> None:
    yard.adopt()
    yard.commit(deployment("web", plays="hangs"), config_map("after", wave=1, v="1"))
    yard.until(lambda: yard.says("Waiting for Deployment.apps"), "the wait")
    yard.commit(deployment("web"), config_map("after", wave=1, v="2"))
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "after")["data"] == {"v": "2"}


def test_a_wave_that_is_pruned_goes_before_the_one_it_stood_on(yard: Yard) -> None:
    yard.adopt()
    yard.commit(config_map("kept", v="1"), config_map("base", v="1"), deployment("web", wave=1))
    yard.until_synced()
    yard.until(lambda: yard.there(DEPLOYMENT, "web")["status"].get("readyReplicas") == 1, "its pod")

    seen: set[tuple[bool, bool]] = set()

    def both_gone() -> bool:
        base, web = yard.get(CONFIG_MAP, "base"), yard.get(DEPLOYMENT, "web")
        seen.add((web is not None, base is not None))
        return base is None and web is None

    yard.commit(config_map("kept", v="1"))
    yard.until(both_gone, "the prune")
    yard.until_synced()
    assert (True, False) not in seen


def test_a_definition_is_established_before_its_resource_is_applied(yard: Yard, lamps: GroupKind) -> None:
    yard.adopt()
    yard.commit(lamp(lamps, 1), config_map("settings", v="1"), definition(lamps, -1))
    yard.until_synced()
    assert yard.there(lamps, "desk")["spec"] == {"lit": True}
    assert yard.operation.message == "3 objects applied."


def test_flux_gives_its_definitions_a_stage_of_their_own(yard: Yard, lamps: GroupKind) -> None:
    yard.adopt(Dialect.FLUX, wait=True, timeout=300.0)
    yard.commit(lamp(lamps), deployment("web"), definition(lamps))
    status = yard.until_synced()
    assert status.health is HealthStatus.CURRENT
    assert yard.there(lamps, "desk")
    assert yard.there(DEPLOYMENT, "web")["status"]["readyReplicas"] == 1


def test_flux_waits_until_its_timeout_and_a_better_commit_ends_well(yard: Yard) -> None:
    yard.adopt(Dialect.FLUX, wait=True, timeout=20.0)
    yard.commit(deployment("web", plays="hangs"), config_map("settings", v="1"))
    status = yard.until_phase(Phase.FAILED)
    assert "Not healthy after" in str(status.operation)
    assert f"Deployment.apps {yard.space}/web" in str(status.operation)
    assert yard.there(CONFIG_MAP, "settings"), "what could be applied was applied"

    yard.commit(deployment("web"), config_map("settings", v="1"))
    yard.until_synced()


def test_flux_does_not_wait_for_what_says_that_it_failed(yard: Yard) -> None:
    yard.adopt(Dialect.FLUX, wait=True, timeout=6000.0)
    yard.commit(deployment("web", plays="hangs", progressDeadlineSeconds=1))
    status = yard.until_phase(Phase.FAILED)
    assert status.health is HealthStatus.FAILED
    assert "exceeded its progress deadline" in str(status.operation) or "Progress deadline" in str(status.operation)
