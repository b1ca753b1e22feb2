"""Crossplane: packages, managed resources of every provider (also Upbound's), and some AWS kinds with their own words.

A managed resource that cannot be synchronised is degraded although it is still Ready: Ready tells of the last success.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Table,
    degraded,
    empty,
    for_each,
    has,
    healthy,
    not_empty,
    progressing,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_STATELESS = (
    "ClusterProviderConfig",
    "Composition",
    "CompositionRevision",
    "ControllerConfig",
    "DeploymentRuntimeConfig",
    "EnvironmentConfig",
    "ImageConfig",
    "ManagedResourceActivationPolicy",
    "ProviderConfig",
    "ProviderConfigUsage",
)
_GOOD = ("Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy")

MANAGED: Rule = (
    healthy("Resource is up-to-date.", has("kind", *_STATELESS), empty("status")),
    healthy("Resource is in use.", has("kind", "ProviderConfig", "ClusterProviderConfig"), not_empty("status.users")),
    for_each(
        "status.conditions", degraded("{message}", has("type", "Synced", "LastAsyncOperation"), has("status", "False"))
    ),
    for_each("status.conditions", healthy("Resource is up-to-date.", has("type", *_GOOD), has("status", "True"))),
    progressing("Provisioning ..."),
)


def _aws(what: str) -> Callable[[Manifest], Health]:
    """Ready and Synced together decide; a paused resource is neither."""

    def judged(obj: Manifest) -> Health:
        if not isinstance(read(obj, "status.conditions"), list):
            return Health(HealthStatus.PROGRESSING, f"Waiting for {what} to be created")
        ready = synced = paused = False
        said = error = ""
        for item in items(obj, "status.conditions"):
            if item.get("type") == "Ready":
                ready, said = item.get("status") == "True", text(item, "reason")
            elif item.get("type") == "Synced":
                synced = item.get("status") == "True"
                paused = paused or item.get("reason") == "ReconcilePaused"
                error = text(item, "message") if item.get("reason") == "ReconcileError" else error
        if ready and synced:
            return Health(HealthStatus.HEALTHY, said)
        if paused and not synced:
            return Health(HealthStatus.SUSPENDED, "ReconcilePaused")
        if synced and not ready and not paused:
            return Health(HealthStatus.PROGRESSING, f"Waiting for {what} to be available")
        return Health(HealthStatus.DEGRADED, error)

    return judged


def package(obj: Manifest) -> Health:
    """Installed and Healthy: both are True, or something is wrong."""
    if not isinstance(read(obj, "status.conditions"), list):
        return Health(HealthStatus.PROGRESSING, f"Waiting for {text(obj, 'kind').lower()} to be installed")
    last = {text(item, "type"): item for item in items(obj, "status.conditions")}
    both = [last.get(kind, {}) for kind in ("Installed", "Healthy")]
    good = all(item.get("status") == "True" for item in both)
    said = " ".join(text(item, "reason") for item in both)
    return Health(HealthStatus.HEALTHY if good else HealthStatus.DEGRADED, said)


_STACK: Rule = (
    # Old Crossplane: what is told stands in the reason, and the first condition that is met decides.
    for_each("status.conditionedStatus.conditions", healthy("{reason}", has("type", "Ready"), has("status", "True"))),
    for_each("status.conditionedStatus.conditions", progressing("{reason}", has("type", "Ready")), backwards=True),
    progressing("Waiting for stack to be installed"),
)
RULES: Table = {
    "*.crossplane.io/*": MANAGED,
    "*.upbound.io/*": MANAGED,
    "stacks.crossplane.io/ClusterStackInstall": _STACK,
    "pkg.crossplane.io/Provider": package,
    "cloudfront.aws.crossplane.io/Distribution": _aws("distribution"),
    "iam.aws.crossplane.io/Policy": _aws("Policy"),
    "iam.aws.crossplane.io/Role": _aws("Role"),
    "iam.aws.crossplane.io/RolePolicyAttachment": _aws("RolePolicyAttachment"),
    "rds.aws.crossplane.io/DBCluster": _aws("DBCluster"),
    "rds.aws.crossplane.io/DBInstance": _aws("DBInstance"),
    "route53.aws.crossplane.io/ResourceRecordSet": _aws("resourcrecordset"),
    "s3.aws.crossplane.io/Bucket": _aws("Bucket"),
}
