"""Compute on demand: KEDA, OpenFaaS, SpinKube, Flink, Spark, Camel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Table,
    conditions,
    degraded,
    has,
    healthy,
    joined,
    lacks,
    met,
    progressing,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def keda(waiting: str, *bad: tuple[str, str]) -> Callable[[Manifest], Health]:
    """The worst that any condition tells decides, and the last one that tells something is the message."""

    def judged(obj: Manifest) -> Health:
        told = {("Ready", "True"), ("Paused", "True"), *bad}
        found = [item for item in items(obj, "status.conditions") if (text(item, "type"), text(item, "status")) in told]
        signs = {(text(item, "type"), text(item, "status")) for item in found}
        if signs.isdisjoint({("Ready", "True"), *bad}):
            return Health(HealthStatus.PROGRESSING, waiting)
        good = HealthStatus.SUSPENDED if ("Paused", "True") in signs else HealthStatus.HEALTHY
        return Health(good if signs.isdisjoint(bad) else HealthStatus.DEGRADED, text(found[-1], "message"))

    return judged


_FLINK: Rule = (
    progressing("Waiting for Flink operator", has("status.reconciliationStatus", None)),
    healthy("", lacks("status.reconciliationStatus.success", None, False)),
    healthy("", has("status.reconciliationStatus.state", "DEPLOYED")),
    progressing("Waiting for deploying", has("status.jobManagerDeploymentStatus", "DEPLOYING", "DEPLOYED_NOT_READY")),
    degraded("{status.reconciliationStatus.error}", has("status.jobManagerDeploymentStatus", "ERROR")),
    progressing("Waiting for Flink operator"),
)


def _executors_run(obj: Manifest) -> bool:
    """As many executors run as are wanted; dynamic allocation wants a range."""
    states = read(obj, "status.executorState")
    running = sum(1 for state in states.values() if state == "RUNNING") if isinstance(states, dict) else 0
    if not isinstance(states, dict):
        return False
    wanted = read(obj, "spec.executor.instances")
    least = most = running if wanted is None else number(obj, "spec.executor.instances")
    if read(obj, "spec.dynamicAllocation.enabled") is True:
        least = number(obj, "spec.dynamicAllocation.minExecutors")
        most = number(obj, "spec.dynamicAllocation.maxExecutors", running)
    else:
        conf = read(obj, "spec.sparkConf")
        for prefix in ("spark.dynamicAllocation", "spark.streaming.dynamicAllocation"):
            if isinstance(conf, dict) and str(conf.get(f"{prefix}.enabled")).lower() == "true":
                least = _integer(conf.get(f"{prefix}.minExecutors"), 0)
                most = _integer(conf.get(f"{prefix}.maxExecutors"), running)
    return least <= running <= most


def _integer(value: object, default: int) -> int:
    return int(str(value)) if str(value).isdecimal() else default


_SPARK_STATE = "status.applicationState.state"
_SPARK: Rule = (
    healthy("SparkApplication is Running", has(_SPARK_STATE, "RUNNING"), _executors_run),
    progressing("SparkApplication was submitted successfully", has(_SPARK_STATE, "SUBMITTED")),
    healthy("SparkApplication was Completed", has(_SPARK_STATE, "COMPLETED")),
    degraded("{status.applicationState.errorMessage}", has(_SPARK_STATE, "FAILED", "SUBMISSION_FAILED", "FAILING")),
    progressing("SparkApplication is Pending Rerun", has(_SPARK_STATE, "PENDING_RERUN")),
    progressing("SparkApplication is Invalidating", has(_SPARK_STATE, "INVALIDATING")),
    progressing("SparkApplication is Succeeding", has(_SPARK_STATE, "SUCCEEDING")),
    progressing("SparkApplication state is unknown", has(_SPARK_STATE, "UNKNOWN")),
    progressing("Waiting for Executor pods"),
)


def _gave_up(item: dict[str, Any]) -> bool:
    said = text(item, "message").lower()
    return item.get("reason") == "ProgressDeadlineExceeded" or "timeout" in said or "failed" in said


def spin_app(obj: Manifest) -> Health:
    """A deployment that gave up first, then Available, then the replicas, then whether it still progresses."""
    if not isinstance(read(obj, "status"), dict):
        return Health(HealthStatus.PROGRESSING, "Waiting for status to be available")
    available, said, moving = False, "", None
    for item in items(obj, "status.conditions"):
        if item.get("type") == "Progressing":
            if item.get("status") == "False" and _gave_up(item):
                return Health(HealthStatus.DEGRADED, text(item, "message", "Application deployment has failed"))
            moving = text(item, "message", "Application progress status") if item.get("status") == "True" else moving
        elif item.get("type") == "Available":
            available = item.get("status") == "True"
            said = text(item, "message", "Application is not available")
    if not available:
        return Health(HealthStatus.DEGRADED, said)
    ready, wanted = number(obj, "status.readyReplicas"), number(obj, "spec.replicas", 1)
    if ready < wanted:
        return Health(HealthStatus.PROGRESSING, f"Waiting for replicas to be ready ({ready:.0f}/{wanted:.0f})")
    if moving is not None:
        return Health(HealthStatus.PROGRESSING, moving)
    return Health(HealthStatus.HEALTHY, f"Application is healthy with {ready:.0f}/{wanted:.0f} replicas ready")


def function(obj: Manifest) -> Health:
    """OpenFaaS: the first condition that tells; ready without replicas is scaled to zero."""
    for item in items(obj, "status.conditions"):
        kind, status = text(item, "type"), text(item, "status")
        if (kind, status) in (("Ready", "False"), ("Stalled", "True")):
            return Health(HealthStatus.DEGRADED, text(item, "message"))
        if (kind, status) == ("Ready", "True"):
            if number(obj, "status.replicas") > 0:
                return Health(HealthStatus.HEALTHY, text(item, "message"))
            return Health(HealthStatus.SUSPENDED, "No replicas available")
    return Health(HealthStatus.PROGRESSING, "Waiting for Function")


RULES: Table = dict(
    (
        *joined(
            "keda.sh",
            {
                "ScaledObject": keda(
                    "Creating HorizontalPodAutoscaler Object", ("Ready", "False"), ("Fallback", "True")
                ),
                "ScaledJob": keda("Waiting for ScaledJob", ("Ready", "False"), ("Ready", "Unknown")),
            },
        ),
        ("openfaas.com/Function", function),
        ("core.spinkube.dev/SpinApp", spin_app),
        ("flink.apache.org/FlinkDeployment", _FLINK),
        ("sparkoperator.k8s.io/SparkApplication", _SPARK),
        (
            "camel.apache.org/Integration",
            (
                conditions(degraded("{message}", *unmet("Ready")), healthy("{message}", *met("Ready"))),
                progressing("Waiting for Integration"),
            ),
        ),
    )
)
