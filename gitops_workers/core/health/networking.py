"""Argo CD's rules for Service, Ingress, PersistentVolumeClaim, HorizontalPodAutoscaler, APIService and the like."""

from __future__ import annotations

import json

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Step,
    Table,
    any_of,
    degraded,
    false,
    first,
    for_each,
    has,
    healthy,
    lacks,
    not_empty,
    progressing,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_NO_METRIC = (
    "FailedGetResourceMetric",
    "FailedGetObjectMetric",
    "FailedGetPodsMetric",
    "FailedGetExternalMetric",
    "FailedGetContainerResourceMetric",
    "FailedComputeMetricsReplicas",
    "InvalidSelector",
)
_AUTOSCALER = (
    for_each(
        "status.conditions",
        degraded("{message}", has("type", "AbleToScale"), has("reason", "FailedGetScale", "FailedUpdateScale")),
        degraded("{message}", has("type", "ScalingActive"), has("reason", *_NO_METRIC)),
    ),
    for_each(
        "status.conditions",
        healthy("{message}", has("type", "AbleToScale", "ScalingLimited"), has("status", "True")),
    ),
    progressing("Waiting to Autoscale"),
)


def autoscaler(obj: Manifest) -> Health | None:
    """autoscaling/v1 keeps its conditions as JSON in an annotation, later versions in the status."""
    if obj.get("apiVersion") != "autoscaling/v1":
        return first(_AUTOSCALER, obj)
    try:
        conditions = json.loads(read(obj, "metadata.annotations.'autoscaling.alpha.kubernetes.io/conditions'") or "[]")
    except (TypeError, ValueError):
        conditions = []
    return first(_AUTOSCALER, {"status": {"conditions": conditions}})


_TERMINATING = Health(HealthStatus.PROGRESSING, "CRD is terminating")
_DEFINITION_SAYS = {
    ("Terminating", "True"): "CRD is terminating",
    ("NamesAccepted", "False"): "CRD names have not been accepted",
    ("Established", "True"): "",
    ("NonStructuralSchema", "True"): "Schema violations found",
}
_TELLING = frozenset(_DEFINITION_SAYS) - {("Established", "True")}


def definition(obj: Manifest) -> Health:
    """A CustomResourceDefinition. Argo CD's message is that of the last telling condition, whichever decides."""
    if read(obj, "metadata.deletionTimestamp") is not None:
        return _TERMINATING
    conditions = items(obj, "status.conditions")
    if not conditions:
        return Health(HealthStatus.PROGRESSING, "Status conditions not found")
    told = {(text(item, "type"), text(item, "status")): item for item in conditions}
    last = [text(item, "message") for item in conditions if (text(item, "type"), text(item, "status")) in _TELLING]
    for sign, words in _DEFINITION_SAYS.items():
        if sign == ("Established", "True"):
            if sign not in told:
                if text(told.get(("Established", "False")), "reason") == "Installing":
                    return Health(HealthStatus.PROGRESSING, "CRD is being installed")
                return Health(HealthStatus.DEGRADED, "CRD is not established")
        elif sign in told:
            status = HealthStatus.PROGRESSING if sign[0] == "Terminating" else HealthStatus.DEGRADED
            return Health(status, f"{words}: {last[-1]}")
    return Health(HealthStatus.HEALTHY, "CRD is healthy")


_INGRESS: tuple[Step, ...] = (healthy("", not_empty("status.loadBalancer.ingress")), progressing())

RULES: Table = {
    "/Service": (healthy("", lacks("spec.type", "LoadBalancer")), *_INGRESS),
    "networking.k8s.io/Ingress": _INGRESS,
    "extensions/Ingress": _INGRESS,
    "/PersistentVolumeClaim": (
        healthy("", has("status.phase", "Bound")),
        progressing("", has("status.phase", "Pending")),
        degraded("", has("status.phase", "Lost")),
        unknown(),
    ),
    "autoscaling/HorizontalPodAutoscaler": autoscaler,
    "apiregistration.k8s.io/APIService": (
        healthy("{@Available.reason}: {@Available.message}", true("Available")),
        progressing("{@Available.reason}: {@Available.message}", false("Available")),
        progressing("Waiting to be processed"),
    ),
    "apiextensions.k8s.io/CustomResourceDefinition": definition,
    # A budget that allows no disruption now does what it is for (argo-cd 20171).
    "policy/PodDisruptionBudget": (
        for_each(
            "status.conditions",
            degraded("PodDisruptionBudget has {reason}", has("status", "False"), lacks("reason", "InsufficientPods")),
        ),
        for_each("status.conditions", healthy("PodDisruptionBudget has {reason}"), backwards=True),
        progressing("Waiting for status"),
    ),
    "route.openshift.io/Route": (
        degraded(
            "Route is degraded",
            any_of("status.ingress", any_of("conditions", has("type", "Admitted"), has("status", "False"))),
        ),
        healthy(
            "Route is healthy",
            any_of("status.ingress", any_of("conditions", has("type", "Admitted"), has("status", "True"))),
        ),
        progressing("Route is still getting admitted"),
    ),
}
