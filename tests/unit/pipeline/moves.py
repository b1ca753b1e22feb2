"""Short ways to play with the lab: objects, commits, what is there."""

from __future__ import annotations

import json
from typing import Any

from gitops_workers.core.objects import Manifest
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.ports import Urgency
from tests.unit.core.making import manifest
from tests.unit.pipeline.hazards import HazardLab
from tests.unit.pipeline.lab import Lab


def config(name: str, value: str = "1", wave: int | None = None) -> Manifest:
    return manifest("ConfigMap", name, wave=wave, data={"v": value})


def deployment(name: str, wave: int) -> Manifest:
    return manifest("Deployment", name, "apps/v1", wave=wave, spec={"replicas": 1})


def values(lab: Lab) -> dict[str, str]:
    return {key.name: live["data"]["v"] for key, live in lab.cluster.objects().items() if key.kind == "ConfigMap"}


def inventory(lab: Lab, app: str) -> list[str]:
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    return [item.key.name for item in stored.record.inventory]


def push_and_ring(lab: HazardLab, *objects: Manifest) -> None:
    """A commit, its webhook, and the poll that rings the application."""
    lab.push(*objects)
    lab.now += 1.0
    lab.queue.request_poll(repository_group(next(iter(lab.applications.values()))), Urgency.WEBHOOK)
    for bell in lab.queue.dispatch(10):
        lab.answer(bell)


def head(lab: Lab) -> Any:
    return lab.repository.commits[lab.repository.refs["refs/heads/main"]]


def as_json(item: Manifest) -> bytes:
    return json.dumps(item).encode()
