"""Compute on demand: Knative, KServe, KEDA, OpenFaaS, SpinKube, Flink, Spark, Camel, KubeVirt."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    each,
    empty,
    false,
    filled,
    has,
    healthy,
    items,
    joined,
    lacks,
    number,
    progressing,
    read,
    ready,
    reason,
    suspended,
    text,
    true,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def knative_operator(obj: Manifest) -> Health:
    """Ready decides; the message lists every condition."""
    found = items(obj, "status.conditions")
    if not found:
        return Health(HealthStatus.PROGRESSING, f"Waiting for {text(obj, 'kind')}")
    listed = "".join(f"{n}: {text(each, 'type')} | {text(each, 'status')}\n" for n, each in enumerate(found, 1))
    status = read(obj, "@Ready.status")
    if status == "True":
        return Health(HealthStatus.HEALTHY, f"{text(obj, 'kind')} is healthy.")
    return Health(HealthStatus.PROGRESSING if status in ("Unknown", None) else HealthStatus.DEGRADED, listed)


def knative_service(obj: Manifest) -> Health:
    """All conditions must be True; the message tells why the others are not."""
    found = items(obj, "status.conditions")
    if not found:
        return Health(HealthStatus.PROGRESSING, "Waiting for Knative Service")
    unmet = [item for item in found if read(item, "status") in ("False", "Unknown")]
    if not unmet:
        return Health(HealthStatus.HEALTHY, "Knative Service is healthy.")
    message = "".join(
        f"{text(item, 'type')} is {text(item, 'status')}, since {text(item, 'reason')}. {text(item, 'message')}\n"
        for item in unmet
    )
    failed = any(read(item, "status") == "False" for item in unmet)
    return Health(HealthStatus.DEGRADED if failed else HealthStatus.PROGRESSING, message)


def inference_service(obj: Manifest) -> Health:
    """KServe: a model that still loads excuses its conditions; a stopped one is suspended."""
    if read(obj, "metadata.annotations.'serving.kserve.io/stop'") == "true" or true("Stopped")(obj):
        return Health(HealthStatus.SUSPENDED, "InferenceService is Stopped")
    found, moving = items(obj, "status.conditions"), text(obj, "status.modelStatus.transitionStatus")
    if not found:
        return Health(HealthStatus.PROGRESSING, "InferenceService is waiting for its status")
    lines, waiting, failed = [], moving == "InProgress", moving not in ("", "UpToDate", "InProgress")
    if waiting or failed:
        lines.append(f"0: transitionStatus | {moving}")
    for position, item in enumerate(found, 1):
        status = read(item, "status")
        if status in ("False", "Unknown") and read(item, "type") != "Stopped":
            parts = [text(item, key) for key in ("type", "status", "reason", "message")]
            lines.append(f"{position}: " + " | ".join(part for part in parts if part))
            waiting, failed = waiting or status == "Unknown", failed or status == "False"
    if not waiting and not failed:
        return Health(HealthStatus.HEALTHY, "InferenceService is healthy.")
    return Health(HealthStatus.PROGRESSING if waiting else HealthStatus.DEGRADED, " | ".join(lines))


def _keda(waiting: str) -> tuple[Step, ...]:
    return (suspended("{@Paused.message?Scaling is paused}", true("Paused")), *ready(waiting))


_FLINK: Rule = (
    degraded("{status.reconciliationStatus.error|status.error}", has("status.jobManagerDeploymentStatus", "ERROR")),
    progressing("Waiting for deploying", has("status.jobManagerDeploymentStatus", "DEPLOYING", "DEPLOYED_NOT_READY")),
    healthy("", has("status.reconciliationStatus.success", True)),
    healthy("", has("status.reconciliationStatus.state", "DEPLOYED")),
    progressing("Waiting for Flink operator"),
)


def _executors_run(obj: Manifest) -> bool:
    """As many executors run as are wanted; dynamic allocation wants a range."""
    states = read(obj, "status.executorState")
    running = sum(1 for state in states.values() if state == "RUNNING") if isinstance(states, dict) else 0
    least = most = number(obj, "spec.executor.instances")
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

# The operator keeps conditions in the order of their changes, so the last of them speaks.
_SPIN: Rule = (
    progressing("Waiting for status to be available", empty("status.conditions")),
    each(
        "status.conditions",
        healthy("{message}", has("type", "Available"), has("status", "True")),
        degraded("{message}", has("type", "Available", "Progressing"), has("status", "False")),
        progressing("{message}", has("type", "Progressing")),
        backwards=True,
    ),
    progressing("Waiting for status to be available"),
)

_MACHINE_OFF = ("Stopped", "Paused", "Succeeded")
_VIRTUAL_MACHINE: Rule = (
    progressing("No status available", empty("status")),
    degraded("{@Failure.message}", true("Failure")),
    suspended("{status.printableStatus}", true("Paused")),
    suspended("{status.printableStatus}", has("status.printableStatus", *_MACHINE_OFF)),
    healthy("{status.printableStatus}", true("Ready")),
    degraded(
        "{status.printableStatus}",
        has("status.printableStatus", "CrashLoopBackOff", "ErrorUnschedulable", "ErrImagePull", "ImagePullBackOff"),
    ),
    progressing("{status.printableStatus}"),
)
_INSTANCE: Rule = (
    progressing("No status available", empty("status")),
    suspended("{@Paused.message|status.phase}", true("Paused")),
    degraded("{status.phase}", has("status.phase", "Failed", "Unknown")),
    suspended("Stopped", has("status.phase", "Succeeded")),
    healthy("Running", true("Ready")),
    progressing("{status.phase}"),
)
_DATA_VOLUME: Rule = (
    progressing("No status available", empty("status")),
    degraded("{@Running.message}", false("Running"), reason("Running", "Error", "ImagePullFailed")),
    degraded("{@Running.message|status.phase}", has("status.phase", "Failed")),
    healthy("{status.phase}", has("status.phase", "Succeeded")),
    progressing("{status.phase}"),
)
_FUNCTION: Rule = (
    progressing("Waiting for status", empty("status.conditions")),
    degraded("{@Stalled.message}", true("Stalled")),
    progressing("{@Reconciling.message}", true("Reconciling")),
    degraded("{@Ready.message}", false("Ready")),
    progressing("{@Healthy.message}", filled("@Healthy.status"), lacks("@Healthy.status", "True")),
    healthy("{@Ready.message}", true("Ready")),
    progressing("Waiting for status"),
)

RULES: Table = dict(
    (
        *joined("operator.knative.dev", {"KnativeEventing KnativeServing": knative_operator}),
        ("serving.knative.dev/Service", knative_service),
        ("serving.kserve.io/InferenceService", inference_service),
        *joined(
            "keda.sh",
            {
                "ScaledObject": _keda("Creating HorizontalPodAutoscaler Object"),
                "ScaledJob": _keda("Waiting for ScaledJob"),
            },
        ),
        ("openfaas.com/Function", _FUNCTION),
        ("core.spinkube.dev/SpinApp", _SPIN),
        ("flink.apache.org/FlinkDeployment", _FLINK),
        ("sparkoperator.k8s.io/SparkApplication", _SPARK),
        (
            "camel.apache.org/Integration",
            (
                degraded("{@Ready.message}", has("status.phase", "Error")),
                healthy("{@Ready.message}", has("status.phase", "Running"), true("Ready")),
                degraded("{@Ready.message}", has("status.phase", "Running"), false("Ready")),
                progressing("{status.phase?Waiting for Integration}"),
            ),
        ),
        *joined("kubevirt.io", {"VirtualMachine": _VIRTUAL_MACHINE, "VirtualMachineInstance": _INSTANCE}),
        ("cdi.kubevirt.io/DataVolume", _DATA_VOLUME),
    )
)
