"""OpenShift, Operator Lifecycle Manager, Open Cluster Management, nmstate, Ansible, Kyverno, Keycloak."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Table,
    degraded,
    each,
    empty,
    false,
    has,
    healthy,
    items,
    joined,
    number,
    progressing,
    read,
    ready,
    text,
    true,
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


_UNREPORTED = Health(HealthStatus.PROGRESSING, "Waiting for the status to be reported")
_COMPLIANCE = {"Compliant": HealthStatus.HEALTHY, "NonCompliant": HealthStatus.DEGRADED}


def compliance(obj: Manifest) -> Health:
    """Open Cluster Management's leaf policies: compliant or not, with what each template says."""
    if not read(obj, "status"):
        return _UNREPORTED
    seen = read(obj, "status.lastEvaluatedGeneration") or read(obj, "status.observedGeneration")
    if seen is not None and seen != read(obj, "metadata.generation"):
        return Health(HealthStatus.PROGRESSING, "Status was reported for an older generation of the policy")
    if not read(obj, "status.compliant"):
        return _UNREPORTED
    status = _COMPLIANCE.get(text(obj, "status.compliant"), HealthStatus.PROGRESSING)
    details = read(obj, "status.compliancyDetails")
    if isinstance(details, list):
        said = [
            f"{text(each, 'type')} - {text(each, 'message')}" for item in details for each in items(item, "conditions")
        ]
        return Health(status, "; ".join(said))
    if isinstance(details, dict):
        return Health(status, "; ".join(text(item, "message") for _, item in sorted(details.items())))
    return Health(status, text(obj, "@Compliant.message"))


def ocm_policy(obj: Manifest) -> Health:
    """A root policy speaks of clusters, its copy in a cluster's namespace of templates."""
    if read(obj, "spec.disabled") is True:
        return Health(HealthStatus.HEALTHY, "Policy is disabled")
    if not read(obj, "status"):
        return _UNREPORTED
    if read(obj, "status.placement") is not None:
        clusters = items(obj, "status.status")
        if not clusters and not read(obj, "status.compliant"):
            return Health(HealthStatus.HEALTHY, "No clusters match this policy")
        return _all_compliant("clusters", {text(item, "clustername"): text(item, "compliant") for item in clusters})
    details = items(obj, "status.details")
    if not details:
        return _UNREPORTED
    return _all_compliant("templates", {text(item, "templateMeta.name"): text(item, "compliant") for item in details})


def _all_compliant(what: str, found: dict[str, str]) -> Health:
    bad = [name for name, state in found.items() if state == "NonCompliant"]
    waiting = [name for name, state in found.items() if state not in ("NonCompliant", "Compliant")]
    if bad:
        return Health(HealthStatus.DEGRADED, f"NonCompliant {what}: {', '.join(bad)}")
    if waiting:
        return Health(HealthStatus.PROGRESSING, f"Waiting for {what}: {', '.join(waiting)}")
    return Health(HealthStatus.HEALTHY, f"All {what} are compliant")


_INGRESS_CONTROLLER: Rule = (
    progressing("Waiting for IngressController status", empty("status.conditions")),
    degraded("{@Degraded.message}", true("Degraded")),
    progressing("{@Progressing.message}", true("Progressing")),
    progressing("{@DeploymentReplicasAllAvailable.message}", false("DeploymentReplicasAllAvailable")),
    healthy("IngressController is available", true("Available")),
    degraded("{@Available.message}", false("Available")),
    progressing("Waiting for IngressController status"),
)
_NETWORK: Rule = (
    each("status.conditions", degraded("{reason}: {message}", has("type", "Degraded"), has("status", "True"))),
    each("status.conditions", progressing("{reason}: {message}", has("type", "Progressing"), has("status", "True"))),
    each(
        "status.conditions", healthy("{reason}: {message}", has("type", "Available", "Ignored"), has("status", "True"))
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
    healthy("{kind} is ready", true("Ready")),
    degraded("{kind} is not ready", false("Ready")),
    progressing("Waiting for {kind} to be ready"),
)
_KEYCLOAK: Rule = (
    progressing("Waiting for Keycloak status conditions to exist", empty("status.conditions")),
    degraded("Has Errors: {@HasErrors.message}", true("HasErrors")),
    healthy("{@Ready.message}", true("Ready")),
    progressing("{@Ready.message}"),
)

RULES: Table = dict(
    (
        ("apps.openshift.io/DeploymentConfig", deployment_config),
        ("operator.openshift.io/IngressController", _INGRESS_CONTROLLER),
        ("operators.coreos.com/Subscription", subscription),
        *joined(
            "policy.open-cluster-management.io",
            {"CertificatePolicy ConfigurationPolicy OperatorPolicy": compliance, "Policy": ocm_policy},
        ),
        ("nmstate.io/NodeNetworkConfigurationPolicy", _NETWORK),
        ("tower.ansible.com/AnsibleJob", _ANSIBLE),
        *joined("kyverno.io", {"Policy ClusterPolicy": _KYVERNO}),
        ("k8s.keycloak.org/Keycloak", _KEYCLOAK),
        ("k8s.keycloak.org/KeycloakRealmImport", ready("Waiting for the import to finish", "Done")),
    )
)
