"""Clusters and clouds: Cluster API, Config Connector, Gardener, Karpenter, Karmada, IAM roles, SAP, Pulumi."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Stale,
    Step,
    Table,
    Test,
    degraded,
    either,
    empty,
    false,
    filled,
    has,
    healthy,
    items,
    joined,
    lacks,
    progressing,
    read,
    ready,
    reason,
    suspended,
    text,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_ERROR: Test = has("@Ready.severity", "Error")
_CLUSTER: Rule = (
    suspended("Cluster is paused", has("spec.paused", True)),
    degraded("{@Ready.message}", has("status.phase", "Failed")),
    degraded("{@Ready.message}", false("Ready"), _ERROR),
    degraded("{@Ready.message}", false("Ready"), has("status.phase", "Provisioned"), filled("@Ready.message")),
    healthy("Cluster is running", has("status.phase", "Provisioned")),
    progressing("Cluster is deleting", has("status.phase", "Deleting")),
    progressing("Waiting for clusters"),
)
_MACHINES: Rule = (
    suspended("MachineDeployment is paused", has("spec.paused", True)),
    degraded("{@Ready.message?Machines have failed}", has("status.phase", "Failed")),
    degraded("{@Ready.message}", false("Ready"), _ERROR),
    progressing("Cluster is spawning machines", has("status.phase", "ScalingUp")),
    progressing("Cluster is stopping machines", has("status.phase", "ScalingDown")),
    healthy("Machines are running under this deployment", has("status.phase", "Running")),
    progressing("Waiting for machines"),
)
_MACHINE: Rule = (
    degraded("{status.failureMessage|@Ready.message?Machine has failed}", has("status.phase", "Failed")),
    healthy("Machine is running", has("status.phase", "Running")),
    progressing("Machine is {status.phase}", filled("status.phase")),
    progressing("Waiting for machines"),
)
_CONTROL_PLANE: Rule = (
    progressing("Waiting for control plane", empty("status")),
    degraded("{status.failureMessage}", filled("status.failureMessage")),
    degraded("{@Ready.message}", false("Ready"), _ERROR),
    progressing("Control plane is not ready (.status.ready is false)", lacks("status.ready", True)),
    healthy("Control plane is ready", true("Ready")),
    progressing("Control plane is not ready"),
)


def machine_pool(obj: Manifest) -> Health:
    """The phase, with every condition that is not met."""
    phase = text(obj, "status.phase")
    if not phase:
        return Health(HealthStatus.PROGRESSING, "Waiting for MachinePool")
    unmet = [item for item in items(obj, "status.conditions") if read(item, "status") == "False"]
    listed = ", ".join(f"Not {text(item, 'type')} ({text(item, 'reason')})" for item in unmet)
    message = f"MachinePool is {phase}" + (f": {listed}" if listed else "")
    if phase == "Failed" or any(read(item, "severity") == "Error" for item in unmet):
        return Health(HealthStatus.DEGRADED, message)
    running = phase == "Running" and not unmet
    return Health(HealthStatus.HEALTHY if running else HealthStatus.PROGRESSING, message)


def _conditions(obj: Manifest) -> list[str]:
    return [text(item, "status") for item in items(obj, "status.conditions")]


_SHOOT: Rule = (
    progressing("Update in progress", empty("status")),
    suspended("Component state: Hibernated", has("status.hibernated", True)),
    progressing("Component state: Progressing", has("status.lastOperation.state", "Processing", "Pending")),
    degraded("Component state: Failed", has("status.lastOperation.state", "Failed", "Error", "Aborted")),
    degraded("Component state: Unhealthy", lambda obj: not _conditions(obj)),
    healthy("Component state: Healthy", lambda obj: set(_conditions(obj)) == {"True"}),
    progressing("Component state: Progressing", lambda obj: set(_conditions(obj)) <= {"True", "Progressing"}),
    unknown("Component state: Unknown"),
)

_WAITS = ("Creating", "Updating", "Deleting", "DependencyNotReady")
_CONNECTOR: Rule = (
    healthy("{kind} is healthy", has("status.healthy", True)),
    degraded("{kind} is not healthy", has("status.healthy", False)),
    healthy("{@Ready.message}", true("Ready")),
    progressing("{@Ready.message}", reason("Ready", *_WAITS)),
    degraded("{@Ready.message}", false("Ready")),
    progressing("Update in progress"),
)


def _node(name: str) -> tuple[Step, ...]:
    return (
        degraded(f"{{@Ready.message?{name} is not ready}}", false("Ready")),
        healthy(f"{{@Ready.message?{name} is ready}}", true("Ready")),
        progressing(f"Waiting for {name} to be ready"),
    )


_CLAIM: Rule = (
    suspended("{@Disrupting.message?NodeClaim is disrupting}", true("Disrupting")),
    degraded("{@Launched.message?NodeClaim could not be launched}", false("Launched")),
    degraded("{@Ready.message?NodeClaim is not ready}", false("Ready")),
    healthy("{@Ready.message?NodeClaim is ready}", true("Ready")),
    progressing("Node initialized, waiting for Ready", true("Initialized")),
    progressing("Node registered, waiting for initialization", true("Registered")),
    progressing("Node launched, waiting for registration", true("Launched")),
    progressing("Waiting for NodeClaim to be launched"),
)


def binding(obj: Manifest) -> Health:
    """Karmada: every scheduled cluster reports, has it applied, and does not call it unhealthy."""
    reported = items(obj, "status.aggregatedStatus")
    if not reported or len(reported) < len(items(obj, "spec.clusters")):
        return Health(HealthStatus.PROGRESSING, "Current resource status is insufficient")
    if any(read(item, "applied") is not True or read(item, "health") == "Unhealthy" for item in reported):
        return Health(HealthStatus.DEGRADED, "Current resource status is unhealthy")
    return Health(HealthStatus.HEALTHY)


_ROLE = "for role '{status.roleName}' with ARN '{status.roleARN}' and ID '{status.roleID}'"
_SAP: Rule = (
    progressing("Resource is being deleted", filled("metadata.deletionTimestamp")),
    progressing("Waiting for status", empty("status.conditions")),
    progressing("Waiting for spec update to be observed", Stale("@Ready.observedGeneration")),
    progressing("Waiting for spec update to be observed", Stale("@Succeeded.observedGeneration")),
    degraded("{@Failed.message}", true("Failed")),
    healthy("Ready to use", true("Ready"), lacks("@Succeeded.status", "False")),
    progressing("{@Succeeded.message|@Ready.message?Waiting for status}"),
)

RULES: Table = dict(
    (
        *joined(
            "cluster.x-k8s.io",
            {
                "Cluster": _CLUSTER,
                "Machine": _MACHINE,
                "MachineDeployment": _MACHINES,
                "MachinePool": machine_pool,
                "MachineHealthCheck": (
                    degraded("{@RemediationAllowed.message}", false("RemediationAllowed")),
                    healthy("{@RemediationAllowed.message}", true("RemediationAllowed")),
                    progressing("Waiting for healthy machines"),
                ),
            },
        ),
        ("controlplane.cluster.x-k8s.io/AWSManagedControlPlane", _CONTROL_PLANE),
        ("*.cnrm.cloud.google.com/*", _CONNECTOR),
        ("core.gardener.cloud/Shoot", _SHOOT),
        ("karpenter.k8s.aws/EC2NodeClass", _node("EC2NodeClass")),
        ("karpenter.sh/NodePool", _node("NodePool")),
        ("karpenter.sh/NodeClaim", _CLAIM),
        *joined("work.karmada.io", {"ResourceBinding ClusterResourceBinding": binding}),
        (
            "iammanager.keikoproj.io/Iamrole",
            (
                healthy(
                    "Role '{status.roleName}' exists with ARN '{status.roleARN}' and ID '{status.roleID}'.",
                    has("status.state", "Ready"),
                ),
                degraded(
                    f"Failed to reconcile the Iamrole (retry {{status.retryCount}}) {_ROLE}. "
                    "Reconciliation error was: {status.errorDescription}",
                    has("status.state", "Error", "PolicyNotAllowed", "RolesMaxLimitReached"),
                ),
                progressing("Waiting for Iamrole to be reconciled"),
            ),
        ),
        *joined("services.cloud.sap.com", {"ServiceInstance ServiceBinding": _SAP}),
        (
            "pulumi.com/Stack",
            (
                progressing("Waiting for the stack to be processed", empty("status")),
                progressing("Waiting for the operator to observe the latest spec change", Stale(missing=True)),
                degraded("{@Stalled.message?the stack is stalled}", true("Stalled")),
                healthy("{@Ready.message?the stack is up to date}", true("Ready")),
                degraded(
                    "{@Reconciling.message|@Ready.message?the last update failed}",
                    either(has("status.lastUpdate.state", "failed")),
                ),
                progressing("{@Reconciling.message|@Ready.message?the stack is being processed}"),
            ),
        ),
        ("pulumi.com/*", ready("Waiting for {kind}")),
    )
)
