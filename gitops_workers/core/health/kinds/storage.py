"""Storage: NetApp, Rook, snapshots, object buckets, OpenShift storage."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    empty,
    false,
    filled,
    has,
    healthy,
    items,
    joined,
    progressing,
    read,
    suspended,
    text,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_ASTRA: Rule = (
    progressing("No status available", empty("status")),
    healthy("{kind} Completed", has("status.state", "Completed")),
    degraded("{status.state}", has("status.state", "Failed", "Error")),
    suspended("{kind} Paused", has("status.state", "Paused")),
    progressing("{kind} {status.state}"),
)
_SWITCH: Rule = (suspended("{kind} disabled", has("spec.enabled", False)), healthy("{kind} enabled"))
_SNAPSHOT: Rule = (
    healthy("Ready to use", has("status.readyToUse", True)),
    degraded("{status.error.message}", filled("status.error")),
    progressing("Waiting for status"),
)

_CEPH_HEALTH = {
    "HEALTH_OK": HealthStatus.HEALTHY,
    "HEALTH_WARN": HealthStatus.PROGRESSING,
    "HEALTH_ERR": HealthStatus.DEGRADED,
}


def ceph_cluster(obj: Manifest) -> Health:
    """The health that Ceph reports, unless the operator itself is in trouble or at work."""
    health, state = text(obj, "status.ceph.health"), text(obj, "status.state")
    if not health:
        return Health(HealthStatus.PROGRESSING, text(obj, "status.message", "Ceph cluster is being initialized"))
    status = _CEPH_HEALTH.get(health, HealthStatus.UNKNOWN)
    if state == "Error":
        status = HealthStatus.DEGRADED
    elif state in ("Creating", "Updating", "Connecting") and status is HealthStatus.HEALTHY:
        status = HealthStatus.PROGRESSING
    message = f"Ceph health is {health} - Ceph cluster state is {state} - {text(obj, 'status.message')}"
    return Health(status, message)


def _ceph(what: str, end: str = "") -> tuple[Step, ...]:
    said = f"{what} phase is {{status.phase}}"
    return (
        progressing(f"Waiting for {what}", empty("status.phase")),
        healthy(said + end, has("status.phase", "Ready", "Connected")),
        degraded(said, has("status.phase", "Failure", "Failed", "ReconcileFailed")),
        progressing(said),
    )


def cassandra(obj: Manifest) -> Health:
    """Every rack has all its members ready."""
    racks = read(obj, "status.racks")
    if not isinstance(racks, dict) or not racks:
        return Health(HealthStatus.PROGRESSING, "Waiting for Cassandra Cluster")
    wanted = {text(item, "name"): read(item, "members") for item in items(obj, "spec.datacenter.racks")}
    for name, rack in racks.items():
        if read(rack, "readyMembers") != wanted.get(name, read(rack, "members")):
            return Health(HealthStatus.PROGRESSING, "Waiting for Cassandra Cluster")
    return Health(HealthStatus.HEALTHY)


RULES: Table = dict(
    (
        *joined(
            "astra.netapp.io",
            {
                "AppVault": (
                    progressing("No status available", empty("status")),
                    healthy("AppVault Available", has("status.state", "available", "Available")),
                    degraded("{status.error|status.state}", has("status.state", "error", "Error", "Failed")),
                    progressing("AppVault {status.state}"),
                ),
                "Application": (
                    progressing("No status available", empty("status")),
                    healthy("Astra Application Ready, protectionState: {status.protectionState}", true("Ready")),
                    degraded("Astra Application Degraded, message: {@Ready.message}", false("Ready")),
                    progressing("Astra Application Progressing"),
                ),
                "ExecHook Schedule": _SWITCH,
                "*": _ASTRA,
            },
        ),
        *joined(
            "trident.netapp.io",
            {
                "TridentBackendConfig": (
                    degraded("{status.message}", has("status.lastOperationStatus", "Failed")),
                    healthy("{status.message}", has("status.lastOperationStatus", "Success")),
                    progressing("Waiting for backend creation"),
                ),
                "TridentOrchestrator": (
                    healthy("{status.message}", has("status.status", "Installed")),
                    degraded("{status.message}", has("status.status", "Failed", "Error")),
                    progressing("Waiting for trident installation"),
                ),
            },
        ),
        *joined("snapshot.storage.k8s.io", {"VolumeSnapshot VolumeSnapshotContent": _SNAPSHOT}),
        *joined(
            "ceph.rook.io",
            {
                "CephCluster": ceph_cluster,
                "CephObjectStore": _ceph("Ceph object store", " - endpoint: {status.info.endpoint}"),
                "CephBlockPool": _ceph("Ceph block pool"),
                "CephFilesystem": _ceph("Ceph filesystem"),
                "CephObjectStoreUser": _ceph("Ceph object store user"),
            },
        ),
        *joined("cassandra.rook.io", {"Cluster": cassandra}),
        *joined(
            "objectbucket.io",
            {
                "ObjectBucketClaim": (
                    progressing("Waiting for object bucket claim", empty("status.phase")),
                    healthy("Object bucket claim phase is {status.phase}", has("status.phase", "Bound")),
                    degraded("Object bucket claim phase is {status.phase}", has("status.phase", "Failed")),
                    unknown("Object bucket claim phase is {status.phase}", has("status.phase", "Released")),
                    progressing("Object bucket claim phase is {status.phase}"),
                )
            },
        ),
        *joined(
            "ocs.openshift.io",
            {
                "StorageCluster": (
                    degraded("{@Degraded.message}", true("Degraded")),
                    progressing("{@Progressing.message}", true("Progressing")),
                    healthy("{@Available.message}", true("Available")),
                    degraded("{@Available.message}", false("Available")),
                    progressing("Waiting for StorageCluster status"),
                )
            },
        ),
    )
)
