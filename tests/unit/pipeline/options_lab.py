"""Short ways to play with sync options: objects with marks, an application in sync, long quiet times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_workers.core.model import AppId, Dialect
from gitops_workers.core.objects import Manifest, key_of
from gitops_workers.ports import Urgency
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
REPLICAS = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")


def config(name: str, value: str = "1", wave: Any = None, **marks: str) -> Manifest:
    found = manifest("ConfigMap", name, namespace="shop", wave=wave, data={"v": value})
    if marks:
        found["metadata"]["annotations"] = {**found["metadata"].get("annotations", {}), **marks}
    return found


def deployment(name: str, wave: int | None = None) -> Manifest:
    return manifest("Deployment", name, "apps/v1", "shop", wave=wave, spec={"replicas": 1})


def synced(*objects: Manifest, dialect: Dialect = Dialect.ARGOCD, **sync: Any) -> tuple[Lab, AppId]:
    lab = Lab()
    app = lab.declare(dialect, **sync)
    lab.push(*objects)
    lab.run(5)
    return lab, app


def push(lab: Lab, *objects: Manifest) -> None:
    lab.push(*objects)
    lab.poll_repository()
    lab.run(5)


def looks_of(lab: Lab, seconds: float = 400) -> int:
    """How often an application is looked at in a long quiet time with its polls."""
    return sum(done.startswith("reconcile") for done in lab.run(seconds))


def value(lab: Lab, name: str) -> str | None:
    live = lab.live("ConfigMap", name)
    return live["data"]["v"] if live else None


def approve(lab: Lab, app: AppId, at: float) -> None:
    """The application's annotation changes, and the catalogue rings."""
    declared = lab.applications[app]
    lab.applications[app] = replace(declared, deleting=replace(declared.deleting, approved_at=at))
    declared_anew(lab, app)


def declared_anew(lab: Lab, app: AppId, **sync: Any) -> None:
    """The application's manifest has changed."""
    lab.applications[app] = replace(lab.applications[app], sync=replace(lab.applications[app].sync, **sync))
    lab.enroll()
    lab.queue.request(app, "its manifest changed", Urgency.POLL)
    lab.run(5)


def ready(lab: Lab, name: str) -> None:
    live = lab.live("Deployment", name, "apps")
    assert live is not None
    available = {"type": "Available", "status": "True"}
    status = {**dict.fromkeys(REPLICAS, 1), "conditions": [available]}
    lab.cluster.put_status(key_of(live), {**status, "observedGeneration": live["metadata"]["generation"]})
