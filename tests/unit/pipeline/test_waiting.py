"""Applications that wait for their objects: one listing of the cluster serves all of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_workers.core.model import Dialect, Phase, SyncStatus
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.pipeline.context import BuiltInRules
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

READY: dict[str, Any] = {
    "observedGeneration": 1,
    **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1),
    "conditions": [{"type": "Available", "status": "True"}],
}


def deployment(name: str, wave: int = 0) -> Manifest:
    return manifest("Deployment", name, "apps/v1", wave=wave, spec={"replicas": 1})


def ready(lab: Lab, name: str) -> None:
    lab.cluster.put_status(ObjectKey("apps", "Deployment", "shop", name), READY)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def fleet(lab: Lab, size: int) -> list[str]:
    apps = [lab.declare(name=f"web-{number}", path=f"web-{number}") for number in range(size)]
    files = {}
    for number in range(size):
        for wave in (0, 1):
            body = deployment(f"web-{number}-{wave}", wave)
            files[f"web-{number}/{wave}.json"] = json.dumps(body).encode()
    lab.repository.commit(files)
    return apps


def test_a_fleet_that_waits_is_watched_with_one_listing_and_few_looks(lab: Lab) -> None:
    apps = fleet(lab, 20)
    lab.run(3)
    before = lab.cluster.requests.copy()
    looks = len([item for item in lab.run(20) if item.startswith("reconcile")])
    spent = lab.cluster.requests - before
    assert looks <= 3 * len(apps), "nothing has changed: only the looks that make sure"
    assert spent["list"] <= 25
    for number in range(20):
        ready(lab, f"web-{number}-0")
    lab.run(3)
    assert all(lab.live("Deployment", f"web-{number}-1", "apps") for number in range(20))
    for number in range(20):
        ready(lab, f"web-{number}-1")
    lab.run(3)
    for app in apps:
        status = lab.status(app)
        assert status.sync is SyncStatus.SYNCED
        assert status.health == "Healthy"


def test_what_never_comes_is_watched_ever_less(lab: Lab) -> None:
    fleet(lab, 1)
    lab.run(700)
    before = lab.cluster.requests.copy()
    lab.run(300)
    spent = lab.cluster.requests - before
    assert spent["list"] <= 10


def test_health_after_the_end_of_a_sync_is_seen_at_once(lab: Lab) -> None:
    app = lab.declare()
    lab.push(deployment("web"))
    lab.run(5)
    status = lab.status(app)
    assert status.operation is not None
    assert status.operation.phase is Phase.SUCCEEDED
    assert status.health == "Progressing"
    ready(lab, "web")
    lab.run(2)
    assert lab.status(app).health == "Healthy"


def test_a_gate_of_flux_opens_soon_after_its_objects_are_well(lab: Lab) -> None:
    app = lab.declare(Dialect.FLUX, wait=True)
    lab.push(deployment("web"))
    lab.run(30)
    operation = lab.status(app).operation
    assert operation is not None
    assert operation.phase is Phase.RUNNING
    ready(lab, "web")
    lab.run(4)
    assert lab.status(app).health == "Current"


def test_a_pod_that_cannot_be_scheduled_fails_the_sync_that_waits_for_it(lab: Lab) -> None:
    clock = [datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC).timestamp()]  # five seconds after the pod was created
    lab.context = replace(lab.context, rules=BuiltInRules(lambda: clock[0]))
    app = lab.declare(Dialect.FLUX, wait=True)
    lab.push(manifest("Pod", "web", spec={}))
    lab.run(2)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    lab.cluster.put_status(ObjectKey("", "Pod", "shop", "web"), {"phase": "Pending", "conditions": [condition]})
    lab.run(5)
    assert lab.status(app).operation.phase is Phase.RUNNING
    clock[0] += 15
    lab.run(10)
    assert lab.status(app).operation.phase is Phase.FAILED
    assert "Pod could not be scheduled" in lab.status(app).message
