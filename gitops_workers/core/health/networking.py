"""Argo CD's rules for Service, Ingress, PersistentVolumeClaim, HorizontalPodAutoscaler, APIService and the like."""

from __future__ import annotations

import json

from gitops_workers.core.health.rules import (
    Stale,
    Step,
    Table,
    degraded,
    each,
    empty,
    false,
    filled,
    first,
    has,
    healthy,
    lacks,
    progressing,
    read,
    some,
    true,
    unknown,
)
from gitops_workers.core.model import Health
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
    each(
        "status.conditions",
        degraded("{message}", has("type", "AbleToScale"), has("reason", "FailedGetScale", "FailedUpdateScale")),
        degraded("{message}", has("type", "ScalingActive"), has("reason", *_NO_METRIC)),
    ),
    each(
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


_INGRESS: tuple[Step, ...] = (healthy("", filled("status.loadBalancer.ingress")), progressing())

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
    "apiextensions.k8s.io/CustomResourceDefinition": (
        progressing("Status conditions not found", empty("status.conditions")),
        progressing("CRD is terminating: {@Terminating.message}", true("Terminating")),
        degraded("CRD names have not been accepted: {@NamesAccepted.message}", false("NamesAccepted")),
        degraded("Schema violations found: {@NonStructuralSchema.message}", true("NonStructuralSchema")),
        healthy("CRD is healthy", true("Established")),
        degraded("CRD is not established: {@Established.message}", false("Established")),
        degraded("CRD is not established"),
    ),
    "policy/PodDisruptionBudget": (
        progressing("Waiting for status", Stale()),
        healthy("PodDisruptionBudget has {@DisruptionAllowed.reason}", true("DisruptionAllowed")),
        degraded("PodDisruptionBudget has {@DisruptionAllowed.reason}", false("DisruptionAllowed")),
        progressing("Waiting for status"),
    ),
    "route.openshift.io/Route": (
        degraded(
            "Route is degraded",
            some("status.ingress", some("conditions", has("type", "Admitted"), has("status", "False"))),
        ),
        healthy(
            "Route is healthy",
            some("status.ingress", some("conditions", has("type", "Admitted"), has("status", "True"))),
        ),
        progressing("Route is still getting admitted"),
    ),
}
