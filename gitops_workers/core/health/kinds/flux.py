"""The kinds of the Flux toolkit as Argo CD judges them: by counted conditions; the reason of Ready is the message."""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import Table, has, healthy, suspended
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

Signs = frozenset[tuple[str, str]]

_MOVING: Signs = frozenset({("Ready", "Unknown"), ("Reconciling", "True")})
_REFUSED_MOVING: Signs = frozenset({("Ready", "False"), ("Reconciling", "True")})
_IMAGE_REASONS = ("NewGeneration", "AccessingRepository", "ApplyingPolicy")


def counted(moving: Signs, *, also: str = "", reasons: tuple[str, ...] = ()) -> Callable[[Manifest], Health]:
    """Two conditions of `moving` are progress; Ready is good, with the condition `also` where the kind has one.

    `reasons`: those for which a condition Reconciling counts; all where none are named. Everything else is degraded.
    """

    def judged(obj: Manifest) -> Health:
        if not isinstance(read(obj, "status.conditions"), list):
            return Health(HealthStatus.PROGRESSING, "Status unknown")
        progress, good, message = 0, 0, ""
        for item in items(obj, "status.conditions"):
            sign = (text(item, "type"), text(item, "status"))
            if sign in moving and (sign[0] == "Ready" or not reasons or text(item, "reason") in reasons):
                progress += 1
            if sign in (("Ready", "True"), (also or "Ready", "True")):
                good += 1
            if sign[0] == "Ready":
                message = text(item, "reason")
            elif also == _STORED and sign == ("ArtifactOutdated", "True"):
                message += f" {text(item, 'reason')}"
        if progress == 2:
            return Health(HealthStatus.PROGRESSING, message)
        return Health(HealthStatus.HEALTHY if good == 1 + bool(also) else HealthStatus.DEGRADED, message)

    return judged


_STORED = "ArtifactInStorage"
_OCI = "Helm repositories of type 'oci' do not contain any information in the status."
_SUSPENDED = suspended("{kind} is suspended", has("spec.suspend", True))
_SOURCE = (_SUSPENDED, counted(_MOVING, also=_STORED))
_APPLIED = (_SUSPENDED, counted(_MOVING))
_IMAGES = (_SUSPENDED, counted(_REFUSED_MOVING, reasons=_IMAGE_REASONS))

RULES: Table = {
    **{
        f"source.toolkit.fluxcd.io/{kind}": _SOURCE
        for kind in ("GitRepository", "OCIRepository", "Bucket", "HelmChart", "ExternalArtifact")
    },
    "source.toolkit.fluxcd.io/HelmRepository": (healthy(_OCI, has("spec.type", "oci")), *_SOURCE),
    "kustomize.toolkit.fluxcd.io/Kustomization": _APPLIED,
    "helm.toolkit.fluxcd.io/HelmRelease": (_SUSPENDED, counted(_MOVING, also="Released")),
    "notification.toolkit.fluxcd.io/Receiver": _APPLIED,
    **{f"image.toolkit.fluxcd.io/{kind}": _IMAGES for kind in ("ImagePolicy", "ImageRepository")},
    "image.toolkit.fluxcd.io/ImageUpdateAutomation": _APPLIED,
    "source.extensions.fluxcd.io/ArtifactGenerator": _APPLIED,
    # Since v1beta3 these two have no status at all: nothing to wait for.
    **{
        f"notification.toolkit.fluxcd.io/{kind}": (_SUSPENDED, healthy("", has("status", None)), counted(_MOVING))
        for kind in ("Alert", "Provider")
    },
}
