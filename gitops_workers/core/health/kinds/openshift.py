"""OpenShift, Operator Lifecycle Manager, nmstate, Ansible, Kyverno, Keycloak, Kiali."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    conditions,
    degraded,
    false,
    has,
    healthy,
    joined,
    lacks,
    met,
    progressing,
    ready,
    true,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def deployment_config(obj: Manifest) -> Health:
    """Available and rolled out: both is done, one is on the way, none is trouble."""
    waiting = Health(HealthStatus.PROGRESSING, "replication controller is waiting for pods to run")
    if not items(obj, "status.conditions") or read(obj, "status.replicas") is None:
        return waiting
    new = read(obj, "@Progressing.reason") == "NewReplicationControllerAvailable" and true("Progressing")(obj)
    met = int(true("Available")(obj)) + int(new)
    if met == 2 or number(obj, "status.replicas") == 0:
        return Health(HealthStatus.HEALTHY, "replication controller successfully rolled out")
    return waiting if met else Health(HealthStatus.DEGRADED, "Deployment config is degraded")


def subscription(obj: Manifest) -> Health:
    """Operator Lifecycle Manager. An upgrade that waits for a human who chose to approve by hand is healthy."""
    found = items(obj, "status.conditions")
    if not found:
        return Health(HealthStatus.PROGRESSING, "An install plan for a subscription is pending installation")
    by_hand = (
        read(obj, "spec.installPlanApproval") == "Manual"
        and read(obj, "status.installedCSV") is not None
        and true("InstallPlanPending")(obj)
        and read(obj, "@InstallPlanPending.reason") == "RequiresApproval"
    )
    message, pending, failed = "", False, False
    for position, item in enumerate(found, 1):
        kind, met = read(item, "type"), read(item, "status") == "True"
        if by_hand and kind == "InstallPlanPending":
            continue
        message += f"{position}: {text(item, 'type')} | {text(item, 'status')}\n"
        if kind == "InstallPlanMissing":
            failed = failed or (met and read(item, "reason") != "ReferencedInstallPlanNotFound")
        elif met:
            pending = pending or kind == "InstallPlanPending"
            failed = failed or kind in ("CatalogSourcesUnhealthy", "InstallPlanFailed", "ResolutionFailed")
    state = read(obj, "status.state")
    if state is None:
        return _subscribed(f"{message}.status.state not yet known\n", pending=True, failed=failed)
    if state == "UpgradePending" and by_hand:
        note = " (manual InstallPlan approval pending; treated as healthy)"
        return _subscribed(f"{message}.status.state is '{state}'{note}\n", pending=pending, failed=failed)
    pending = pending or state in ("", "UpgradeAvailable", "UpgradePending")
    failed = failed or state == "UpgradeFailed"
    return _subscribed(f"{message}.status.state is '{state}'\n", pending=pending, failed=failed)


def _subscribed(message: str, *, pending: bool, failed: bool) -> Health:
    if failed:
        return Health(HealthStatus.DEGRADED, message)
    return Health(HealthStatus.PROGRESSING if pending else HealthStatus.HEALTHY, message)


_INGRESS_CONTROLLER: Rule = (
    conditions(
        degraded("{message}", *met("Degraded")),
        progressing("{message}", *unmet("DeploymentReplicasAllAvailable")),
        progressing("{reason}", *met("Progressing")),
        healthy("IngressController is available", *met("Available")),
    ),
    progressing("Status of IngressController is not known yet"),
)


def _network(status: HealthStatus, kind: str) -> Step:
    def told(item: Any) -> Health | None:
        if not all(test(item) for test in met(kind)):
            return None
        said = text(item, "message")
        return Health(status, f"{text(item, 'reason')}: {said}" if said else text(item, "reason"))

    return told


_NETWORK: Rule = (
    conditions(
        _network(HealthStatus.HEALTHY, "Available"),
        _network(HealthStatus.DEGRADED, "Degraded"),
        _network(HealthStatus.PROGRESSING, "Progressing"),
        _network(HealthStatus.SUSPENDED, "Ignored"),
    ),
    progressing("Waiting for policy to be applied"),
)
_JOB = "{status.ansibleJobResult.status} job - {status.ansibleJobResult.url}"
_STATE = "status.ansibleJobResult.status"
_ANSIBLE: Rule = (
    healthy(_JOB, has(_STATE, "successful")),
    degraded(_JOB, has(_STATE, "failed", "error", "canceled")),
    progressing(_JOB, has(_STATE, "new", "pending", "waiting", "running")),
    degraded("{@Failure.message}", true("Failure")),
    progressing("Waiting for AnsibleJob"),
)
_KYVERNO: Rule = (
    healthy("{kind} is ready", true("Ready"), lacks("@Ready.message", None)),
    degraded("{kind} is not ready", false("Ready")),
    progressing("Waiting for {kind} to be ready"),
)


def _age(item: dict[str, Any]) -> tuple[bool, str]:
    changed = text(item, "lastTransitionTime")
    return changed == "", changed


def keycloak(obj: Manifest) -> Health:
    """The oldest condition that tells; one without a time comes last."""
    if not isinstance(read(obj, "status.conditions"), list):
        return Health(HealthStatus.PROGRESSING, "Waiting for Keycloak status conditions to exist")
    found = items(obj, "status.conditions")
    for item in sorted(
        found, key=lambda item: (text(item, "lastTransitionTime") == "", text(item, "lastTransitionTime"))
    ):
        if all(test(item) for test in met("Ready")):
            return Health(HealthStatus.HEALTHY, "")
        if all(test(item) for test in met("HasErrors")):
            return Health(HealthStatus.DEGRADED, f"Has Errors: {text(item, 'message')}")
    return Health(HealthStatus.PROGRESSING, "")


_KIALI: Rule = (
    conditions(
        healthy("{message}", *met("Successful")),
        degraded("{message}", *met("Failure")),
        progressing("{message}", has("type", "Running"), has("reason", "Running")),
    ),
    progressing("Waiting for Kiali"),
)

RULES: Table = dict(
    (
        ("apps.openshift.io/DeploymentConfig", deployment_config),
        ("operator.openshift.io/IngressController", _INGRESS_CONTROLLER),
        ("operators.coreos.com/Subscription", subscription),
        ("nmstate.io/NodeNetworkConfigurationPolicy", _NETWORK),
        ("tower.ansible.com/AnsibleJob", _ANSIBLE),
        *joined("kyverno.io", {"Policy ClusterPolicy": _KYVERNO}),
        ("k8s.keycloak.org/Keycloak", keycloak),
        ("kiali.io/Kiali", _KIALI),
        ("k8s.keycloak.org/KeycloakRealmImport", ready("Waiting for the import to finish", "Done")),
    )
)
