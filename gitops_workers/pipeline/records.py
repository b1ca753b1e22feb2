"""Records without a request: a copy of each in the state store, read from the cluster once when there is none.

A copy can be old, never wrong: the next write names its resourceVersion, and the cluster refuses when it has moved on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_workers.core import record_document
from gitops_workers.core.model import AppId
from gitops_workers.core.record import StoredRecord
from gitops_workers.pipeline.world import World

KIND = "record"
WARM = "records"
"""Documents `records/<cluster>`: all records of this cluster have been copied since Redis was last empty."""


def load(world: World, cluster: str, app: AppId, copy: Mapping[str, Any] | None) -> StoredRecord | None:
    """The application's record by its copy, else from the cluster; None when the cluster has none."""
    if copy is not None and copy["cluster"] == cluster:
        return StoredRecord(record_document.from_json(app, copy["record"]), copy["resourceVersion"])
    if world.state.load(WARM, cluster):
        return None
    return world.clusters.records(cluster).load(app)


def remember(world: World, cluster: str, stored: StoredRecord) -> None:
    """Keep a copy of what the cluster has now."""
    world.state.save(KIND, stored.record.app, _copy(cluster, stored))


def warm(world: World, cluster: str) -> None:
    """Copy all records of a cluster with one listing, unless that was done."""
    if world.state.load(WARM, cluster):
        return
    found = world.clusters.records(cluster).load_all()
    world.state.save_many(KIND, {stored.record.app: _copy(cluster, stored) for stored in found})
    world.state.save(WARM, cluster, True)


def _copy(cluster: str, stored: StoredRecord) -> dict[str, object]:
    document = record_document.to_json(stored.record)
    return {"cluster": cluster, "resourceVersion": stored.resource_version, "record": document}
