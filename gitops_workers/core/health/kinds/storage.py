"""Storage: NetApp, Rook, snapshots, object buckets, OpenShift storage."""

from __future__ import annotations

from gitops_workers.core.health.fields import read, text
from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    empty,
    false,
    first,
    has,
    healthy,
    joined,
    lacks,
    not_empty,
    progressing,
    suspended,
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
_SCHEDULE: Rule = (
    healthy("Protection policy lastScheduleTime: {status.lastScheduleTime}", lacks("status.lastScheduleTime", None)),
    healthy("Protection policy not yet executed"),
)
_SWITCH: Rule = (
    healthy("{kind} enabled", has("spec.enabled", True)),
    suspended("{kind} disabled", has("spec.enabled", False)),
    progressing("No status available"),
)
_SNAPSHOT: Rule = (
    healthy("Ready to use", has("status.readyToUse", True)),
    degraded("{status.error.message}", not_empty("status.error")),
    progressing("Waiting for status"),
)

_CEPH_HEALTH = {
    "HEALTH_OK": HealthStatus.HEALTHY,
    "HEALTH_WARN": HealthStatus.DEGRADED,
    "HEALTH_ERR": HealthStatus.DEGRADED,
}
_CEPH_STATE = {
    **dict.fromkeys(("Created", "Connected"), HealthStatus.HEALTHY),
    "Error": HealthStatus.DEGRADED,
}


def ceph_cluster(obj: Manifest) -> Health:
    """What Ceph reports with its details; only if that is good, what the operator does; and its message."""
    if not isinstance(read(obj, "status"), dict):
        return Health(HealthStatus.PROGRESSING, "Waiting for status to be reported")
    status, told = HealthStatus.PROGRESSING, []
    if (health := read(obj, "status.ceph.health")) is not None:
        status = _CEPH_HEALTH.get(str(health), status)
        details = read(obj, "status.ceph.details")
        said = [text(item, "message") for _, item in sorted(details.items())] if isinstance(details, dict) else []
        why = "; ".join(part for part in said if part)
        told.append(f"Ceph health is {health}" + (f" ({why})" if why else ""))
    if status is HealthStatus.HEALTHY and (state := read(obj, "status.state")) is not None:
        status = _CEPH_STATE.get(str(state), HealthStatus.PROGRESSING)
        told.append(f"Ceph cluster state is {state}")
    told.append(text(obj, "status.message"))
    return Health(status, " - ".join(part for part in told if part))


def _ceph(what: str) -> tuple[Step, ...]:
    said = f"{what} phase is {{status.phase}}"
    return (
        progressing("Waiting for status to be reported", empty("status.phase")),
        healthy(said, has("status.phase", "Ready", "Connected")),
        degraded(said, has("status.phase", "Failure", "Failed", "ReconcileFailed")),
        progressing(said),
    )


def object_store(obj: Manifest) -> Health:
    """As other kinds of Ceph, with the endpoint as far as it is known."""
    found = first(_ceph("Ceph object store"), obj) or Health(HealthStatus.UNKNOWN)
    endpoint = text(obj, "status.info.endpoint")
    return Health(found.status, f"{found.message} - endpoint: {endpoint}") if endpoint else found


def cassandra(obj: Manifest) -> Health:
    """No rack has fewer ready members than members."""
    racks = read(obj, "status.racks")
    waiting = Health(HealthStatus.PROGRESSING, "Waiting for Cassandra Cluster")
    if not isinstance(racks, dict):
        return waiting
    counts = [(read(rack, "members"), read(rack, "readyMembers")) for rack in racks.values()]
    good = all(None in (members, ready) or members == ready for members, ready in counts)
    return Health(HealthStatus.HEALTHY) if good else waiting


RULES: Table = dict(
    (
        *joined(
            "astra.netapp.io",
            {
                "AppVault": (
                    healthy("AppVault Available", has("status.state", "available", "Available")),
                    degraded("AppVault Failed", has("status.state", "failed")),
                    degraded("{status.error|status.state}", has("status.state", "error", "Error", "Failed")),
                    progressing("No status available", empty("status.state")),
                    progressing("AppVault {status.state}"),
                ),
                "Application": (
                    healthy("Astra Application Ready, protectionState: {status.protectionState}", true("Ready")),
                    degraded("Astra Application Degraded, message: {@Ready.message}", false("Ready")),
                    progressing("No status available"),
                ),
                "ExecHook": _SWITCH,
                "Schedule": _SCHEDULE,
                "*": _ASTRA,
            },
        ),
        *joined(
            "trident.netapp.io",
            {
                "TridentBackendConfig": (
                    degraded("{status.message}", has("status.lastOperationStatus", "Failed")),
                    healthy(
                        "{status.message}", has("status.lastOperationStatus", "Success"), has("status.phase", "Bound")
                    ),
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
                "CephObjectStore": object_store,
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
                    progressing("Waiting for status to be reported", has("status", None)),
                    progressing("Waiting for phase to be reported", has("status.phase", None)),
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
