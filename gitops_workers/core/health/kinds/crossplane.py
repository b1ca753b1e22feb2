"""Crossplane: packages, managed resources of every provider (also Upbound's), and some AWS kinds with their own words.

A managed resource that cannot be synchronised is degraded although it is still Ready: Ready tells of the last success.
"""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    each,
    either,
    empty,
    false,
    filled,
    has,
    healthy,
    lacks,
    progressing,
    true,
)

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
    healthy("Resource is in use.", has("kind", "ProviderConfig", "ClusterProviderConfig"), filled("status.users")),
    each(
        "status.conditions", degraded("{message}", has("type", "Synced", "LastAsyncOperation"), has("status", "False"))
    ),
    each("status.conditions", healthy("Resource is up-to-date.", has("type", *_GOOD), has("status", "True"))),
    progressing("Provisioning ..."),
)


def _aws(what: str) -> tuple[Step, ...]:
    return (
        progressing(f"Waiting for {what} to be created", empty("status.conditions")),
        degraded("{@Synced.message}", false("Synced")),
        healthy("{@Ready.reason}", true("Ready")),
        progressing(f"Waiting for {what} to be available"),
    )


_STACK: Rule = (
    # Old Crossplane: what is told stands in the reason, and the first condition that is met decides.
    each("status.conditionedStatus.conditions", healthy("{reason}", has("type", "Ready"), has("status", "True"))),
    each("status.conditionedStatus.conditions", progressing("{reason}", has("type", "Ready")), backwards=True),
    progressing("Waiting for stack to be installed"),
)
_PACKAGE: Rule = (
    progressing(
        "Waiting for {kind} to be installed",
        either(has("@Installed.status", None), has("@Healthy.status", None, "Unknown")),
        lacks("@Installed.status", "False"),
    ),
    healthy("{@Installed.reason} {@Healthy.reason}", true("Installed"), true("Healthy")),
    degraded("{@Installed.reason} {@Healthy.reason}"),
)

RULES: Table = {
    "*.crossplane.io/*": MANAGED,
    "*.upbound.io/*": MANAGED,
    "stacks.crossplane.io/ClusterStackInstall": _STACK,
    "pkg.crossplane.io/Provider": _PACKAGE,
    "cloudfront.aws.crossplane.io/Distribution": _aws("distribution"),
    "iam.aws.crossplane.io/Policy": _aws("iam policy"),
    "iam.aws.crossplane.io/Role": _aws("iam role"),
    "iam.aws.crossplane.io/RolePolicyAttachment": _aws("rolepolicyattachment"),
    "rds.aws.crossplane.io/DBCluster": _aws("DBCluster"),
    "rds.aws.crossplane.io/DBInstance": _aws("DBInstance"),
    "route53.aws.crossplane.io/ResourceRecordSet": _aws("resourcrecordset"),
    "s3.aws.crossplane.io/Bucket": _aws("S3 Bucket"),
}
