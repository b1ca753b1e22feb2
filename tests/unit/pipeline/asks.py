"""Short ways to ask in the lab, and to see what came of it."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import Record
from gitops_workers.core.status.rows import OperationView
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config

READY = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}


def record(lab: Lab, app: str) -> Record:
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    return stored.record


def operation(lab: Lab, app: str) -> OperationView:
    found = lab.status(app).operation
    assert found is not None
    return found


def ready(lab: Lab, name: str) -> None:
    lab.cluster.put_status(ObjectKey("apps", "Deployment", "shop", name), READY)


def manual(lab: Lab, *versions: str, **sync: Any) -> tuple[str, list[str]]:
    """An application without automated sync, synced at the first of the versions; the commits of all."""
    commits = [lab.push(config("a", versions[0]), config("b", versions[0]))]
    app = lab.declare(automated=False, **sync)
    lab.run()
    lab.ask(app)
    lab.run(2)
    for version in versions[1:]:
        commits.append(lab.push(config("a", version), config("b", version)))
        lab.poll_repository()
    return app, commits
