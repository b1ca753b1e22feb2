"""Open Cluster Management: policies, and whether clusters comply with them."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Stale,
    Table,
    joined,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_UNREPORTED = Health(HealthStatus.PROGRESSING, "Waiting for the status to be reported")
_UNREAD = Health(HealthStatus.PROGRESSING, "Waiting for the status to be updated")


def _compliance(obj: Manifest) -> HealthStatus:
    return HealthStatus.HEALTHY if read(obj, "status.compliant") == "Compliant" else HealthStatus.DEGRADED


def certificates(obj: Manifest) -> Health:
    """Open Cluster Management: all certificates comply, or not."""
    if read(obj, "status.compliant") is None:
        return _UNREPORTED
    if _compliance(obj) is HealthStatus.HEALTHY:
        return Health(HealthStatus.HEALTHY, "All certificates found comply with the policy")
    return Health(HealthStatus.DEGRADED, "At least once certificate does not comply with the policy")


def configuration(obj: Manifest) -> Health:
    """Compliant or not, with what each template says, once this generation has been evaluated."""
    if read(obj, "status.compliant") is None:
        return _UNREPORTED
    if read(obj, "status.lastEvaluatedGeneration") != read(obj, "metadata.generation"):
        return _UNREAD
    if not isinstance(read(obj, "status.compliancyDetails"), list):
        return Health(HealthStatus.PROGRESSING, "Waiting for compliance")
    found = [item for detail in items(obj, "status.compliancyDetails") for item in items(detail, "conditions")]
    told = [f"{text(item, 'type')} - {text(item, 'message')}" for item in found if None not in map(item.get, _TOLD)]
    return Health(_compliance(obj), "; ".join(told))


_TOLD = ("type", "message")


def operator_policy(obj: Manifest) -> Health:
    """The first Compliant condition of this generation."""
    if not isinstance(read(obj, "status.conditions"), list):
        return _UNREPORTED
    if Stale()(obj):
        return _UNREAD
    for item in items(obj, "status.conditions"):
        if item.get("type") == "Compliant":
            status = HealthStatus.HEALTHY if item.get("status") == "True" else HealthStatus.DEGRADED
            return Health(status, text(item, "message"))
    return Health(HealthStatus.PROGRESSING, "Waiting for the compliance condition")


def ocm_policy(obj: Manifest) -> Health:
    """A root policy speaks of clusters, its copy in a cluster's namespace of templates."""
    if read(obj, "spec.disabled") not in (None, False):
        return Health(HealthStatus.HEALTHY, "Policy is disabled")
    if read(obj, "status.compliant") is None:
        nowhere = read(obj, "status.status") is None and items(obj, "status.placement")
        return Health(HealthStatus.HEALTHY, "No clusters match this policy") if nowhere else _UNREPORTED
    for path, name, what in _PARTS:
        if isinstance(read(obj, path), list):
            bad = [text(item, name) for item in items(obj, path) if item.get("compliant") != "Compliant"]
            bad = [each for each in bad if each]
            told = f"NonCompliant {what}: {', '.join(bad)}" if bad else f"All {what} are compliant"
            return Health(_compliance(obj), told)
    return Health(_compliance(obj))


_PARTS = (("status.status", "clustername", "clusters"), ("status.details", "templateMeta.name", "templates"))


RULES: Table = dict(
    (
        *joined(
            "policy.open-cluster-management.io",
            {
                "CertificatePolicy": certificates,
                "ConfigurationPolicy": configuration,
                "OperatorPolicy": operator_policy,
                "Policy": ocm_policy,
            },
        ),
    )
)
