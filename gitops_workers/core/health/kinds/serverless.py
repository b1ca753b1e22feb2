"""Compute on demand: Knative, KServe, KEDA, OpenFaaS, SpinKube, Flink, Spark, Camel, KubeVirt."""

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
    suspended,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def _listed(found: list[dict[str, Any]]) -> str:
    return "".join(f"{n}: {text(item, 'type')} | {text(item, 'status')}\n" for n, item in enumerate(found, 1))


def _count(found: list[dict[str, Any]], wanted: dict[str, str]) -> int:
    """How many conditions have the status that is wanted of their type."""
    return sum(1 for item in found if wanted.get(text(item, "type")) == item.get("status") is not None)


_SERVING = ("Ready", "InstallSucceeded", "DependenciesInstalled", "DeploymentsAvailable")
_EVENTING = ("Ready", "InstallSucceeded")


def knative_operator(needed: tuple[str, ...], awaited: str) -> Callable[[Manifest], Health]:
    """The `needed` conditions are True; one that is Unknown, or `awaited` and False, means work goes on."""

    def judged(obj: Manifest) -> Health:
        kind = text(obj, "kind")
        if not isinstance(read(obj, "status.conditions"), list):
            return Health(HealthStatus.PROGRESSING, f"Waiting for {kind}")
        found = items(obj, "status.conditions")
        good = _count(found, dict.fromkeys(needed, "True"))
        unknown = any(item.get("status") == "Unknown" for item in found)
        if unknown or _count(found, {awaited: "False", "Ready": "False"}):
            return Health(HealthStatus.PROGRESSING, _listed(found))
        if good == len(needed):
            return Health(HealthStatus.HEALTHY, f"{kind} is healthy.")
        return Health(HealthStatus.DEGRADED, _listed(found))

    return judged


def knative_service(obj: Manifest) -> Health:
    """Three conditions must be True; the message tells why others are not."""
    found = items(obj, "status.conditions")
    if not isinstance(read(obj, "status.conditions"), list):
        return Health(HealthStatus.PROGRESSING, "Waiting for status update.")
    lines = []
    for item in found:
        if item.get("status") in ("False", "Unknown"):
            reason = f", since {text(item, 'reason')}." if text(item, "reason") else ""
            said = f" {text(item, 'message')}" if text(item, "message") else ""
            lines.append(f"{text(item, 'type')} is {text(item, 'status')}{reason}{said}\n")
    good = _count(found, dict.fromkeys(("ConfigurationsReady", "RoutesReady", "Ready"), "True"))
    if good == 3 and not lines:
        return Health(HealthStatus.HEALTHY, "Knative Service is healthy.")
    failed = any(item.get("status") == "False" for item in found)
    return Health(HealthStatus.DEGRADED if failed else HealthStatus.PROGRESSING, "".join(lines))


def inference_service(obj: Manifest) -> Health:
    """KServe: a model that still loads excuses its conditions; a stopped one is suspended."""
    stopped = any(all(test(item) for test in met("Stopped")) for item in items(obj, "status.conditions"))
    if read(obj, "metadata.annotations.'serving.kserve.io/stop'") == "true" or stopped:
        return Health(HealthStatus.SUSPENDED, "InferenceService is Stopped")
    found, moving = items(obj, "status.conditions"), text(obj, "status.modelStatus.transitionStatus")
    if not found:
        return Health(HealthStatus.PROGRESSING, "Waiting for InferenceService to report status...")
    waiting, failed = moving == "InProgress", moving not in ("", "UpToDate", "InProgress")
    lines = [f"0: transitionStatus | {moving}" if waiting or failed else ""]
    for position, item in enumerate(found, 1):
        status = read(item, "status")
        if status in ("False", "Unknown") and read(item, "type") != "Stopped":
            parts = [text(item, key) for key in ("type", "status", "reason", "message")]
            lines.append(f"{position}: " + " | ".join(part for part in parts if part))
            waiting = waiting or status == "Unknown" or text(item, "reason") in ("", "Stopped")
            failed = failed or status == "False"
    if not waiting and not failed:
        return Health(HealthStatus.HEALTHY, "InferenceService is healthy.")
    return Health(HealthStatus.PROGRESSING if waiting else HealthStatus.DEGRADED, " | ".join(lines))


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


def virtual_machine(obj: Manifest) -> Health:
    """KubeVirt: the last Ready condition before a pause; the operator's own word is told if there is one."""
    status, message = HealthStatus.PROGRESSING, "No status available"
    for item in items(obj, "status.conditions"):
        if all(test(item) for test in met("Paused")):
            return Health(HealthStatus.SUSPENDED, "Paused")
        if item.get("type") == "Ready":
            if item.get("status") == "True":
                status, message = HealthStatus.HEALTHY, "Running"
            elif read(obj, "status.created") not in (None, False):
                message = "Starting"
            else:
                status, message = HealthStatus.SUSPENDED, "Stopped"
    printable = read(obj, "status.printableStatus")
    return Health(status, message if printable is None else str(printable))


_INSTANCE_PHASES = {
    "Failed": HealthStatus.DEGRADED,
    **dict.fromkeys(("Pending", "Scheduling", "Scheduled"), HealthStatus.PROGRESSING),
    "Succeeded": HealthStatus.SUSPENDED,
    "Unknown": HealthStatus.UNKNOWN,
}


def machine_instance(obj: Manifest) -> Health:
    """KubeVirt: a phase that says enough, else the last Ready condition before a pause."""
    phase = text(obj, "status.phase")
    if phase in _INSTANCE_PHASES:
        return Health(_INSTANCE_PHASES[phase], phase)
    found = Health(HealthStatus.PROGRESSING, phase or "No status available")
    for item in items(obj, "status.conditions"):
        if item.get("type") == "Ready":
            running = item.get("status") == "True"
            found = (
                Health(HealthStatus.HEALTHY, "Running")
                if running
                else Health(HealthStatus.DEGRADED, text(item, "message"))
            )
        elif all(test(item) for test in met("Paused")):
            return Health(HealthStatus.SUSPENDED, text(item, "message"))
    return found


_DATA_VOLUME: Rule = (
    healthy("{status.phase}", has("status.phase", "Succeeded")),
    suspended("{status.phase}", has("status.phase", "Paused")),
    conditions(degraded("{message}", *unmet("Running"), has("reason", "Error"))),
    degraded("{status.phase}", has("status.phase", "Failed", "Unknown")),
    progressing("{status.phase?No status available}"),
)


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
        ("operator.knative.dev/KnativeServing", knative_operator(_SERVING, "DeploymentsAvailable")),
        ("operator.knative.dev/KnativeEventing", knative_operator(_EVENTING, "Ready")),
        ("serving.knative.dev/Service", knative_service),
        ("serving.kserve.io/InferenceService", inference_service),
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
        *joined("kubevirt.io", {"VirtualMachine": virtual_machine, "VirtualMachineInstance": machine_instance}),
        ("cdi.kubevirt.io/DataVolume", _DATA_VOLUME),
    )
)
