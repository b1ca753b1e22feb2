"""Clouds and fleets: Config Connector, ACK, Gardener, Karpenter, Karmada, IAM roles, SAP, Pulumi."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Stale,
    Table,
    any_of,
    conditions,
    degraded,
    has,
    healthy,
    joined,
    lacks,
    met,
    not_empty,
    progressing,
    ready,
    suspended,
    unknown,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_SHOOT_LABEL = "metadata.labels.'shoot.gardener.cloud/status'"
_SHOOT: Rule = (
    healthy("Component state: Healthy", has(_SHOOT_LABEL, "healthy")),
    progressing("Component state: Update in progress", has(_SHOOT_LABEL, "progressing")),
    # Argo CD gives a condition 15 minutes from its change on; rules here know no clock and take them as over.
    degraded(
        "Component state: Unhealthy (> 15 minutes)",
        has(_SHOOT_LABEL, "unhealthy"),
        any_of("status.conditions", lacks("status", "True")),
    ),
    degraded("Component state: Unhealthy", has(_SHOOT_LABEL, "unhealthy")),
    unknown("Component state: Unknown", has(_SHOOT_LABEL, "unknown")),
    progressing("Update in progress"),
)


def _current(obj: Manifest) -> bool:
    """The status is about this generation, or does not say."""
    seen = read(obj, "status.observedGeneration")
    return seen is None or seen == read(obj, "metadata.generation")


_CONTEXT = has("kind", "ConfigConnector", "ConfigConnectorContext")
_CONNECTOR: Rule = (
    healthy("{kind} is healthy", _CONTEXT, _current, has("status.healthy", True)),
    degraded("{kind} is not healthy", _CONTEXT, _current, lacks("status.healthy", None)),
    progressing("Update in progress", lambda obj: not _current(obj)),
    conditions(
        healthy("{message}", has("reason", "UpToDate"), has("status", "True")),
        degraded("{message}", has("reason", "UpdateFailed", "DependencyNotFound")),
        suspended("{message}", has("reason", "DependencyNotReady")),
    ),
    progressing("Update in progress"),
)
_NODE_CLASS: Rule = (
    conditions(degraded("{message}", *unmet("Ready")), healthy("EC2NodeClass is ready", *met("Ready"))),
    progressing("Waiting for EC2NodeClass to be ready"),
)
_NODE_POOL: Rule = (
    conditions(degraded("{message}", *unmet("Ready")), healthy("{message}", *met("Ready"))),
    progressing("Waiting for NodePool to be ready"),
)
_CLAIM: Rule = (
    progressing("Waiting for NodeClaim spec to be reconciled", Stale()),
    conditions(suspended("{message}", *met("Disrupting"))),
    conditions(healthy("{message}", *met("Ready")), degraded("{message}", *unmet("Ready"))),
    conditions(progressing("Node initialized, waiting for Ready", *met("Initialized"))),
    conditions(progressing("Node registered, waiting for initialization", *met("Registered"))),
    conditions(progressing("Node launched, waiting for registration", *met("Launched"))),
    progressing("Waiting for NodeClaim to be launched"),
)


def binding(obj: Manifest) -> Health:
    """Karmada: every scheduled cluster reports, none is unhealthy, and what is unknown is at least applied."""
    wanted, reported = items(obj, "spec.clusters"), items(obj, "status.aggregatedStatus")
    if not reported or (wanted and len(reported) != len(wanted)):
        return Health(HealthStatus.PROGRESSING, "Current resource status is insufficient")
    for item in reported:
        health = item.get("health")
        if health == "Unhealthy" or (health == "Unknown" and item.get("applied") is not True):
            return Health(HealthStatus.DEGRADED, "Current resource status is unhealthy")
    return Health(HealthStatus.HEALTHY)


_ROLE_TROUBLE = ("Error", "RolesMaxLimitReached", "PolicyNotAllowed", "RoleNameNotAvailable")


def iam_role(obj: Manifest) -> Health:
    """Iam-manager: the state, with what is known of the role."""
    name, arn, identity = (text(obj, f"status.{key}", "<none>") for key in ("roleName", "roleARN", "roleID"))
    state = read(obj, "status.state")
    if state == "Ready":
        return Health(HealthStatus.HEALTHY, f"Role '{name}' exists with ARN '{arn}' and ID '{identity}'.")
    if state not in _ROLE_TROUBLE:
        return Health(HealthStatus.PROGRESSING, "Waiting for Iamrole to be reconciled")
    retry = f"(retry {text(obj, 'status.retryCount')}) " if number(obj, "status.retryCount") > 0 else ""
    error = read(obj, "status.errorDescription")
    why = f" Reconciliation error was: {error}" if error is not None else ""
    message = f"Failed to reconcile the Iamrole {retry}for role '{name}' with ARN '{arn}' and ID '{identity}'.{why}"
    return Health(HealthStatus.DEGRADED, message)


def sap(obj: Manifest) -> Health:
    """SAP: the first condition that is about another generation, or tells of a failure."""
    if not isinstance(read(obj, "status.conditions"), list):
        return Health(HealthStatus.PROGRESSING, "Waiting for status")
    generation = read(obj, "metadata.generation")
    for item in items(obj, "status.conditions"):
        if None not in (generation, seen := item.get("observedGeneration")) and seen != generation:
            return Health(HealthStatus.PROGRESSING, "Waiting for spec update to be observed")
        if (text(item, "type"), text(item, "status")) in (("Succeeded", "False"), ("Failed", "True")):
            return Health(HealthStatus.DEGRADED, text(item, "message"))
    return Health(HealthStatus.HEALTHY, "Ready to use")


_SAP: Rule = (
    progressing("Resource is being deleted", not_empty("metadata.deletionTimestamp")),
    sap,
)
_STACK: Rule = (
    progressing("Waiting for the operator to observe the latest spec change", Stale(missing=True)),
    conditions(
        degraded("{message}", *met("Stalled")),
        progressing("{message}", *met("Reconciling")),
        healthy("{message}", *met("Ready")),
    ),
    progressing("Waiting for the stack to be reconciled"),
)
_ACK: Rule = (
    conditions(
        degraded("{message}", *met("ACK.Terminal")),
        progressing("{message}", *unmet("Ready")),
        healthy("", *met("Ready")),
    ),
    progressing("Waiting for resource to be ready"),
)

RULES: Table = dict(
    (
        ("*.cnrm.cloud.google.com/*", _CONNECTOR),
        ("*.services.k8s.aws/*", _ACK),
        ("core.gardener.cloud/Shoot", _SHOOT),
        ("karpenter.k8s.aws/EC2NodeClass", _NODE_CLASS),
        ("karpenter.sh/NodePool", _NODE_POOL),
        ("karpenter.sh/NodeClaim", _CLAIM),
        *joined("work.karmada.io", {"ResourceBinding ClusterResourceBinding": binding}),
        ("iammanager.keikoproj.io/Iamrole", iam_role),
        *joined("services.cloud.sap.com", {"ServiceInstance ServiceBinding": _SAP}),
        ("pulumi.com/Stack", _STACK),
        ("pulumi.com/*", ready("Waiting for {kind}")),
    )
)
