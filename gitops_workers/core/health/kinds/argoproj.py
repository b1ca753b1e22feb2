"""Argo Rollouts, Argo Events, Argo CD's own ApplicationSet and Argo cron workflows; spot.io, which copies Rollouts."""

from __future__ import annotations

from gitops_workers.core.health.fields import condition, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Table,
    conditions,
    degraded,
    false,
    first,
    for_each,
    has,
    healthy,
    joined,
    met,
    progressing,
    suspended,
    true,
    unknown,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_UNOBSERVED = Health(HealthStatus.PROGRESSING, "Waiting for rollout spec update to be observed")
_WORKLOAD = "metadata.annotations.'rollout.argoproj.io/workload-generation'"

_PHASE = (
    degraded("{status.message}", has("status.phase", "Degraded")),
    suspended("{status.message}", has("status.phase", "Paused")),
    healthy("{status.message}", has("status.phase", "Healthy")),
    progressing("{status.message}", has("status.phase", "Progressing")),
)
_CONDITIONS = (
    for_each(
        "status.conditions",
        degraded("{message}", has("type", "InvalidSpec")),
        degraded("{message}", has("type", "Progressing"), has("reason", "RolloutAborted", "ProgressDeadlineExceeded")),
    ),
)


def rollout(obj: Manifest) -> Health | None:
    """The phase that Rollouts 1.0 reports; older controllers are judged by their conditions and counters."""
    if not _observed(obj):
        return _UNOBSERVED
    return first(_PHASE, obj) or first(_CONDITIONS, obj) or _by_counters(obj)


def spot_deployment(obj: Manifest) -> Health | None:
    """The same, but the reason of a broken one stands only in its conditions."""
    if not isinstance(obj.get("status"), dict):
        return _UNOBSERVED
    return first(_CONDITIONS, obj) or first(_PHASE, obj) or _by_counters(obj)


def _observed(obj: Manifest) -> bool:
    if not isinstance(obj.get("status"), dict):
        return False
    seen, generation = _generation(read(obj, "status.observedGeneration")), number(obj, "metadata.generation")
    # Before 0.10 the field held a hash, which is no number or a huge one.
    if seen is not None and seen < generation:
        return False
    wanted, done = _generation(read(obj, _WORKLOAD)), _generation(read(obj, "status.workloadObservedGeneration"))
    return read(obj, "spec.workloadRef") is None or wanted is None or done is None or wanted == done


def _generation(value: object) -> int | None:
    return int(str(value)) if str(value).isdecimal() else None


def _by_counters(obj: Manifest) -> Health:
    if read(obj, "spec.paused") or read(obj, "status.pauseConditions") or read(obj, "status.controllerPause"):
        return Health(HealthStatus.SUSPENDED, "Rollout is paused")
    wanted, replicas = number(obj, "spec.replicas", 1), number(obj, "status.replicas")
    updated, available = number(obj, "status.updatedReplicas"), number(obj, "status.availableReplicas")
    if updated < wanted:
        return _waiting("More replicas need to be updated")
    if available < updated:
        return _waiting("updated replicas are still becoming available")
    current = text(obj, "status.currentPodHash")
    stable = text(obj, "status.stableRS")
    if read(obj, "spec.strategy.blueGreen") is not None:
        if text(obj, "status.blueGreen.activeSelector") != current:
            return Health(HealthStatus.PROGRESSING, "active service cutover pending")
        if stable in ("", current):
            return Health(HealthStatus.HEALTHY)
        return Health(HealthStatus.PROGRESSING, "waiting for analysis to complete")
    if replicas > updated:
        return _waiting("old replicas are pending termination")
    if (stable or text(obj, "status.canary.stableRS")) == current:
        return Health(HealthStatus.HEALTHY)
    return Health(HealthStatus.PROGRESSING, "Waiting for rollout to finish steps")


def _waiting(what: str) -> Health:
    return Health(HealthStatus.PROGRESSING, f"Waiting for roll out to finish: {what}")


def event_resource(obj: Manifest) -> Health:
    """Argo Events: the first condition that is not met speaks; all met is healthy."""
    name = text(obj, "kind").lower()
    found = for_each("status.conditions", degraded("{message}", has("status", "False")))(obj)
    if found is not None:
        return found
    if condition(obj, "Deployed") is not None and true("Deployed")(obj):
        return Health(HealthStatus.HEALTHY, text(obj, "@Deployed.message"))
    return Health(HealthStatus.PROGRESSING, f"Waiting for {name} to be deployed")


_ANALYSIS: Rule = (
    progressing("Waiting for analysis run to finish: status has not been reconciled.", has("status", None)),
    progressing("{status.message?Analysis run is pending}", has("status.phase", "Pending")),
    progressing("{status.message?Analysis run is running}", has("status.phase", "Running")),
    healthy("{status.message?Analysis run completed successfully}", has("status.phase", "Successful")),
    degraded("{status.message?Analysis run failed}", has("status.phase", "Failed")),
    degraded("{status.message?Analysis run had an error}", has("status.phase", "Error")),
    unknown("{status.message?Analysis run was inconclusive}", has("status.phase", "Inconclusive")),
    progressing("Waiting for analysis run to finish: status has not been reconciled."),
)
_EXPERIMENT: Rule = (
    progressing("Experiment is pending", has("status.phase", "Pending")),
    progressing("Experiment is running", has("status.phase", "Running")),
    healthy("Experiment is successful", has("status.phase", "Successful")),
    degraded("Experiment has failed", has("status.phase", "Failed")),
    degraded("Experiment had an error", has("status.phase", "Error")),
    unknown("Experiment is inconclusive", has("status.phase", "Inconclusive")),
    progressing("Waiting for experiment to finish: status has not been reconciled."),
)

RULES: Table = dict(
    joined(
        "argoproj.io",
        {
            "Rollout": rollout,
            "AnalysisRun": _ANALYSIS,
            "Experiment": _EXPERIMENT,
            "EventBus": (
                conditions(
                    degraded("{message|reason}", *unmet("Deployed")), healthy("{message|reason}", *met("Deployed"))
                ),
                progressing("Waiting for initialization"),
            ),
            "EventSource Sensor": event_resource,
            "ApplicationSet": (
                degraded("{@ErrorOccurred.message}", true("ErrorOccurred")),
                progressing("{@RolloutProgressing.message}", true("RolloutProgressing")),
                healthy("{@ResourcesUpToDate.message}", true("ResourcesUpToDate")),
                degraded("{@ResourcesUpToDate.message}", false("ResourcesUpToDate")),
                progressing("Waiting for the status to be reported"),
            ),
            "CronWorkflow": (
                conditions(
                    degraded("{message}", *met("SpecError", "SubmissionError")), healthy("{message}", *met("Completed"))
                ),
                healthy("CronWorkflow is healthy."),
            ),
        },
    )
) | {"spot.io/SpotDeployment": spot_deployment}
