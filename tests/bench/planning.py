"""What it costs to decide: from objects and their dry-run answers to the plan, in this process alone."""

from __future__ import annotations

import statistics
import time

from gitops_workers.core.diff.compare import compared
from gitops_workers.core.diff.desired import Desired, desired_objects
from gitops_workers.core.model import Application, Destination, Dialect, Schedule, SourceSpec
from gitops_workers.core.objects import GroupKind, Manifest
from gitops_workers.core.prune.candidates import candidates
from gitops_workers.core.record.record import InventoryItem
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.core.sync.plan import plan
from gitops_workers.core.sync.sync_policy import SyncPolicy

KINDS = (("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "ConfigMap"))
SCOPES = {GroupKind("apps", "Deployment"): True, GroupKind("", "Service"): True, GroupKind("", "ConfigMap"): True}


def milliseconds(size: int, rounds: int = 7) -> float:
    """The median of comparing, finding what left Git, and planning `size` objects in ten waves."""
    app = _application()
    desired = desired_objects(app, [_object(number) for number in range(size)], SCOPES)
    live = [_live(item) for item in desired]
    inventory = [InventoryItem(item.key, item.version) for item in desired]
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        looks = {item.key: compared(item, found, item.manifest) for item, found in zip(desired, live, strict=True)}
        candidates(inventory, looks)
        plan(app, desired, ())
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _application() -> Application:
    return Application(
        id="application/argocd/large",
        dialect=Dialect.ARGOCD,
        source=SourceSpec("https://git.example/large.git"),
        render=RenderSpec(),
        destination=Destination(name="east", namespace="large"),
        sync=SyncPolicy(automated=True),
        schedule=Schedule(120.0, 60.0, 120.0),
    )


def _object(number: int) -> Manifest:
    api, kind = KINDS[number % len(KINDS)]
    wave = {"argocd.argoproj.io/sync-wave": str(number % 10)}
    containers = [{"name": "web", "image": f"registry.example/web:{number}", "env": [{"name": "N", "value": "1"}] * 10}]
    body = {"spec": {"replicas": 2, "template": {"spec": {"containers": containers}}}}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": f"web-{number}", "annotations": wave}, **body}


def _live(item: Desired) -> Manifest:
    metadata = {**item.manifest["metadata"], "uid": item.key.name, "resourceVersion": "7", "generation": 1}
    return {**item.manifest, "metadata": metadata, "status": {"replicas": 2}}
