"""Certificates and secrets: cert-manager, External Secrets, Sealed Secrets, 1Password, GKE certificates."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    false,
    has,
    healthy,
    joined,
    progressing,
    ready,
    true,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_CERTIFICATE: Rule = (progressing("{@Issuing.message}", true("Issuing")), *ready("Waiting for certificate"))
_SYNCED: tuple[Step, ...] = (
    degraded("{@NotReady.message}", true("NotReady")),
    degraded("{@PartiallyReady.message}", true("PartiallyReady")),
    *ready("Waiting for {kind}"),
)


def _errored(obj: Manifest) -> Health | None:
    """What stands behind the word ERROR and a comma, as the old controller writes it."""
    found = text(obj, "status.status")
    if not found.startswith("ERROR"):
        return None
    return Health(HealthStatus.DEGRADED, found.removeprefix("ERROR").removeprefix(", "))


def managed_certificate(obj: Manifest) -> Health:
    """Google: one domain that cannot be seen spoils it; else the certificate's own state."""
    if any(item.get("status") == "FailedNotVisible" for item in items(obj, "status.domainStatus")):
        return Health(HealthStatus.DEGRADED, "At least one certificate has failed to be provisioned")
    if read(obj, "status.certificateStatus") == "Active":
        return Health(HealthStatus.HEALTHY, "All certificates are active")
    return Health(HealthStatus.PROGRESSING, "At least one certificate is still being provisioned")


_FANNED_OUT = {
    "Ready": HealthStatus.HEALTHY,
    **dict.fromkeys(("NotReady", "PartiallyReady"), HealthStatus.DEGRADED),
}


def cluster_external_secret(obj: Manifest) -> Health:
    """The last condition alone decides, if it is met."""
    last: dict[str, Any] = next(reversed(items(obj, "status.conditions")), {})
    status = _FANNED_OUT.get(text(last, "type")) if last.get("status") == "True" else None
    if status is None:
        return Health(HealthStatus.PROGRESSING, "Waiting for ClusterExternalSecret")
    return Health(status, text(last, "message"))


RULES: Table = dict(
    (
        *joined(
            "cert-manager.io",
            {
                "Certificate": _CERTIFICATE,
                "Issuer": ready("Initializing issuer"),
                "ClusterIssuer": ready("Initializing ClusterIssuer"),
            },
        ),
        *joined("certmanager.k8s.io", {"Certificate": _CERTIFICATE, "Issuer": ready("Initializing issuer")}),
        *joined(
            "external-secrets.io",
            {
                "ExternalSecret PushSecret SecretStore ClusterSecretStore": _SYNCED,
                "ClusterExternalSecret": cluster_external_secret,
            },
        ),
        *joined(
            "kubernetes-client.io",
            {
                "ExternalSecret": (
                    healthy("Fetched ExternalSecret.", has("status.status", "SUCCESS")),
                    _errored,
                    progressing("Waiting for ExternalSecret."),
                )
            },
        ),
        *joined(
            "bitnami.com",
            {
                "SealedSecret": (
                    degraded("{@Synced.message}", false("Synced")),
                    healthy("{@Synced.message}", true("Synced")),
                    progressing("Waiting for Sealed Secret to be decrypted"),
                )
            },
        ),
        *joined("onepassword.com", {"OnePasswordItem": ready("Waiting for controller to report status")}),
        *joined("networking.gke.io", {"ManagedCertificate": managed_certificate}),
    )
)
