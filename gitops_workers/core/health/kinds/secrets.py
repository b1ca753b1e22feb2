"""Certificates and secrets: cert-manager, External Secrets, Sealed Secrets, 1Password, GKE certificates."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    false,
    filled,
    has,
    healthy,
    items,
    joined,
    progressing,
    ready,
    text,
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


def _errored(obj: Manifest) -> bool:
    return text(obj, "status.status").startswith("ERROR")


def managed_certificate(obj: Manifest) -> Health:
    """GKE: one failed domain fails the certificate, all active ones make it."""
    states = [text(item, "status") for item in items(obj, "status.domainStatus")]
    if any(state.startswith("Failed") for state in states):
        return Health(HealthStatus.DEGRADED, "At least one certificate has failed to be provisioned")
    if states and all(state == "Active" for state in states):
        return Health(HealthStatus.HEALTHY, "All certificates are active")
    return Health(HealthStatus.PROGRESSING, "At least one certificate is still being provisioned")


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
            {"ExternalSecret ClusterExternalSecret PushSecret SecretStore ClusterSecretStore": _SYNCED},
        ),
        *joined(
            "kubernetes-client.io",
            {
                "ExternalSecret": (
                    healthy("Fetched ExternalSecret.", has("status.status", "SUCCESS")),
                    degraded("{status.status}", _errored),
                    progressing("Waiting for ExternalSecret."),
                )
            },
        ),
        *joined(
            "bitnami.com",
            {
                "SealedSecret": (
                    degraded("{@Synced.message}", false("Synced")),
                    healthy("{@Synced.message}", filled("status")),
                    progressing("Waiting for Sealed Secret to be decrypted"),
                )
            },
        ),
        *joined("onepassword.com", {"OnePasswordItem": ready("Waiting for controller to report status")}),
        *joined("networking.gke.io", {"ManagedCertificate": managed_certificate}),
    )
)
