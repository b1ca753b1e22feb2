"""Cluster API: clusters, their machines, and the control planes of a cloud."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Same,
    Stale,
    Table,
    conditions,
    degraded,
    false,
    has,
    healthy,
    joined,
    met,
    not_empty,
    progressing,
    suspended,
    true,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_CLUSTER: Rule = (
    suspended("Cluster is paused", has("spec.paused", True)),
    degraded("{@Ready.message}", has("status.phase", "Failed")),
    degraded("{@Ready.message}", false("Ready"), has("@Ready.severity", "Error", None)),
    degraded("{@Ready.message}", false("Ready"), has("status.phase", "Provisioned"), not_empty("@Ready.message")),
    healthy("Cluster is running", has("status.phase", "Provisioned")),
    progressing("Cluster is deleting", has("status.phase", "Deleting")),
    progressing("Waiting for clusters"),
)
_MACHINES: Rule = (
    suspended("MachineDeployment is paused", has("spec.paused", True)),
    degraded("MachineDeployment is failed", has("status.phase", "Failed")),
    progressing("Cluster is spawning machines", has("status.phase", "ScalingUp")),
    progressing("Cluster is stopping machines", has("status.phase", "ScalingDown")),
    healthy("Machines are running under this deployment", has("status.phase", "Running")),
    progressing("Waiting for machines"),
)


def machine(obj: Manifest) -> Health:
    """The phase; one that does not run says why in its Ready condition."""
    phase = read(obj, "status.phase")
    if phase == "Running":
        return Health(HealthStatus.HEALTHY, "Machine is running")
    status = HealthStatus.DEGRADED if phase == "Failed" else HealthStatus.PROGRESSING
    unready = [item for item in items(obj, "status.conditions") if all(test(item) for test in unmet("Ready"))]
    return Health(status, text(unready[0], "message") if unready else "Condition is unknown")


_POOL = {
    **dict.fromkeys(("Running", "Scaling"), HealthStatus.HEALTHY),
    **dict.fromkeys(("Failed", "Unknown"), HealthStatus.DEGRADED),
}


def machine_pool(obj: Manifest) -> Health:
    """The phase alone decides; every condition that is not met is told."""
    phase = text(obj, "status.phase")
    unmet_ones = []
    for item in items(obj, "status.conditions"):
        if item.get("type") is not None and item.get("status") == "False":
            why = f" ({text(item, 'reason')})" if item.get("reason") is not None else ""
            unmet_ones.append(f"Not {text(item, 'type')}{why}")
    message = f"MachinePool is {phase}" if phase else ""
    told = f"{message}: {', '.join(unmet_ones)}" if unmet_ones else message
    return Health(_POOL.get(phase, HealthStatus.PROGRESSING), told)


def control_plane(obj: Manifest) -> Health:
    """AWS: a condition that is True and Ready decides, else all errors that come before it."""
    if Stale()(obj):
        return Health(HealthStatus.PROGRESSING, "Waiting for the control plane spec to be reconciled")
    if failure := text(obj, "status.failureMessage"):
        return Health(HealthStatus.DEGRADED, failure)
    if not isinstance(read(obj, "status.conditions"), list):
        return Health(HealthStatus.PROGRESSING, "Provisioning...")
    if true("EKSControlPlaneUpdating")(obj):
        return Health(HealthStatus.PROGRESSING, "EKS control plane is updating")
    errors = []
    for item in items(obj, "status.conditions"):
        if all(test(item) for test in met("Ready")):
            return Health(HealthStatus.HEALTHY, "Control plane is ready")
        if item.get("status") == "False" and item.get("severity") == "Error":
            errors.append(f"{text(item, 'message')} ")
    if errors:
        return Health(HealthStatus.DEGRADED, "".join(errors))
    why = " (.status.ready is false)" if read(obj, "status.ready") is False else ""
    return Health(HealthStatus.PROGRESSING, f"Control plane is not ready{why}")


_HEALTH_CHECK: Rule = (
    progressing("", has("status.currentHealthy", None)),
    healthy("", Same("status.expectedMachines", "status.currentHealthy")),
    degraded(""),
)
_RESOURCE_SET: Rule = (
    conditions(
        healthy("cluster resource set is applied", *met("ResourcesApplied")),
        degraded("{message}", *unmet("ResourcesApplied")),
    ),
    progressing("Initializing cluster resource set"),
)


RULES: Table = dict(
    (
        *joined(
            "cluster.x-k8s.io",
            {
                "Cluster": _CLUSTER,
                "Machine": machine,
                "MachineDeployment": _MACHINES,
                "MachinePool": machine_pool,
                "MachineHealthCheck": _HEALTH_CHECK,
            },
        ),
        ("addons.cluster.x-k8s.io/ClusterResourceSet", _RESOURCE_SET),
        ("controlplane.cluster.x-k8s.io/AWSManagedControlPlane", control_plane),
    )
)
