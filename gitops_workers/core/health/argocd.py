"""Argo CD's health of one object (argocd.md 1.4; gitops-engine/pkg/health and resource_customizations, Argo CD 3.5)."""

from __future__ import annotations

from typing import Final

from gitops_workers.core.health.fields import read
from gitops_workers.core.health.registry import rule_for
from gitops_workers.core.health.rules import evaluate
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest, group_of

HOOK_FINALIZER: Final = "argocd.argoproj.io/hook-finalizer"

ORDER: Final = (
    HealthStatus.HEALTHY,
    HealthStatus.SUSPENDED,
    HealthStatus.PROGRESSING,
    HealthStatus.MISSING,
    HealthStatus.DEGRADED,
    HealthStatus.UNKNOWN,
)
"""Best first: an application is as healthy as the worst of its objects."""


def health(obj: Manifest) -> Health | None:
    """The health of a live object: an object on its way out is Progressing, whatever its rule says.

    A finished hook that only our own finalizer holds keeps its health: it is how the hook's result is known.
    """
    return on_its_way_out(obj) or rule_health(obj)


def on_its_way_out(obj: Manifest) -> Health | None:
    """Progressing for an object that is being deleted, None for others."""
    if read(obj, "metadata.deletionTimestamp") is None:
        return None
    finalizers = read(obj, "metadata.finalizers")
    if isinstance(finalizers, list) and HOOK_FINALIZER in finalizers:
        return None
    return Health(HealthStatus.PROGRESSING, "Pending deletion")


def rule_health(obj: Manifest) -> Health | None:
    """What the kind's built-in rule alone says; None when Argo CD has no rule for the kind."""
    rule = rule_for(group_of(str(obj.get("apiVersion") or "")), str(obj.get("kind") or ""))
    return None if rule is None else evaluate(rule, obj)
