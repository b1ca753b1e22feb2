"""OpenKruise: workloads, jobs, rollouts and game servers."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Same,
    Table,
    Test,
    degraded,
    has,
    healthy,
    joined,
    lacks,
    not_empty,
    progressing,
    suspended,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_WAITING = progressing("Waiting for initialization")


def _observed(obj: Manifest) -> bool:
    seen = read(obj, "status.observedGeneration")
    return seen is not None and seen == read(obj, "metadata.generation")


def _equal(left: str, right: str) -> Test:
    return lambda obj: read(obj, left) is not None and read(obj, left) == read(obj, right)


def _held_back(partition: str, updated: str, wanted: str) -> Test:
    """An update stopped at its partition: as many pods are new as it allows. The first generation is no update."""

    def test(obj: Manifest) -> bool:
        kept = number(obj, partition)
        return (
            kept != 0 and number(obj, "metadata.generation") > 1 and number(obj, updated) >= number(obj, wanted) - kept
        )

    return test


def _replicated(name: str, paused: str, held_back: Test) -> Rule:
    return (
        suspended(f"{name} is paused", _observed, has(paused, True)),
        suspended(f"{name} needs manual intervention", _observed, held_back),
        healthy(
            f"All {name} workloads are ready and updated",
            _observed,
            _equal("status.updatedAvailableReplicas", "status.replicas"),
        ),
        degraded("Some replicas are not ready or available", _observed, not_empty("status.updatedAvailableReplicas")),
        _WAITING,
    )


def _clone_set_held_back(obj: Manifest) -> bool:
    return (
        read(obj, "spec.updateStrategy.partition") not in (None, 0)
        and number(obj, "metadata.generation") > 1
        and number(obj, "status.updatedReplicas") >= number(obj, "status.expectedUpdatedReplicas")
    )


_ROLLING = "spec.updateStrategy.rollingUpdate"


def daemon_set(obj: Manifest) -> Health:
    """A paused or partitioned update waits for a human; a partition hides everything else."""
    waiting = Health(HealthStatus.PROGRESSING, "Waiting for initialization")
    if not _observed(obj):
        return waiting
    updated, wanted = (read(obj, f"status.{name}NumberScheduled") for name in ("updated", "desired"))
    if read(obj, f"{_ROLLING}.paused") is True or updated is None:
        return Health(HealthStatus.SUSPENDED, "Daemonset is paused")
    if read(obj, f"{_ROLLING}.partition") != 0 and number(obj, "metadata.generation") > 1:
        left = number(obj, "status.desiredNumberScheduled") - number(obj, f"{_ROLLING}.partition")
        if number(obj, "status.updatedNumberScheduled") > left:
            return Health(HealthStatus.SUSPENDED, "Daemonset needs manual intervention")
        return waiting
    if updated == wanted and read(obj, "status.numberAvailable") == wanted:
        return Health(HealthStatus.HEALTHY, "All Daemonset workloads are ready and updated")
    if updated == wanted and read(obj, "status.numberUnavailable") == wanted:
        return Health(HealthStatus.DEGRADED, "Some pods are not ready or available")
    return waiting


_BROADCAST_JOB: Rule = (
    healthy(
        "BroadcastJob is completed successfully",
        has("status.phase", "completed"),
        Same("status.desired", "status.succeeded"),
    ),
    progressing("BroadcastJob is still running", has("status.phase", "running"), lacks("status.active", 0)),
    degraded("BroadcastJob failed", has("status.phase", "failed"), lacks("status.failed", 0)),
    suspended("BroadcastJob is Paused", has("status.phase", "paused"), has("spec.paused", True)),
    progressing("BroadcastJob is still running"),
)
_STEP = "status.canaryStatus.currentStepState"
_ROLLOUT: Rule = (
    progressing("Rollout is still progressing", lambda obj: not _observed(obj)),
    suspended(
        "Rollout is Paused need manual intervention", has("status.phase", "Progressing"), has(_STEP, "StepPaused")
    ),
    healthy("Rollout is Completed", has("status.phase", "Healthy"), has(_STEP, "Completed")),
    degraded(
        "Rollout is Disabled or Terminating", has("status.phase", "Terminating", "Disabled"), has(_STEP, "StepPaused")
    ),
    progressing("Rollout is still progressing"),
)


def game_server(obj: Manifest) -> Health:
    """The state it is in against the one it should be in, then the readiness of its pod."""
    state, wanted = read(obj, "status.currentState"), read(obj, "status.desiredState")
    if state != wanted:
        told = f"State change: {text(obj, 'status.currentState', 'Unknown')} → {wanted or 'Unknown'}"
        return Health(HealthStatus.PROGRESSING, told)
    for item in items(obj, "status.podStatus.conditions"):
        if item.get("type") == "KruisePodReady" and item.get("status") != "True":
            return Health(HealthStatus.DEGRADED, "Pod is not ready: KruisePodReady")
    if state == "Ready":
        return Health(HealthStatus.HEALTHY, "GameServer is Ready")
    return Health(HealthStatus.UNKNOWN, "Waiting for GameServer to be ready")


def server_set(obj: Manifest) -> Health:
    """A paused or partitioned update first; then whether all replicas are updated and ready, or ready at all."""
    if not _observed(obj):
        return Health(HealthStatus.PROGRESSING, "Waiting for GameServerSet initialization")
    if read(obj, f"{_ROLLING}.paused") is True:
        return Health(HealthStatus.SUSPENDED, "GameServerSet is paused")
    replicas, partition = number(obj, "status.replicas"), number(obj, f"{_ROLLING}.partition")
    if partition != 0 and number(obj, "status.updatedReplicas") >= replicas - partition:
        return Health(HealthStatus.SUSPENDED, f"Partition={partition}, waiting for manual intervention")
    if number(obj, "status.updatedReadyReplicas") == replicas:
        return Health(HealthStatus.HEALTHY, "All GameServerSet replicas are updated and ready")
    ready = number(obj, "status.readyReplicas")
    if ready < replicas:
        return Health(HealthStatus.PROGRESSING, f"ReadyReplicas {ready}/{replicas}, still progressing")
    return Health(HealthStatus.PROGRESSING, "Waiting for GameServerSet initialization")


RULES: Table = dict(
    (
        *joined(
            "apps.kruise.io",
            {
                "AdvancedCronJob": (
                    suspended("AdvancedCronJob is Paused", has("spec.paused", True)),
                    progressing("AdvancedCronJobs has active jobs", not_empty("status.active")),
                    healthy("AdvancedCronJobs has run successfully", not_empty("status.lastScheduleTime")),
                    progressing("Waiting for initialization", has("status", None)),
                    degraded("AdvancedCronJobs has not run successfully"),
                ),
                "BroadcastJob": _BROADCAST_JOB,
                "CloneSet": _replicated("Cloneset", "spec.updateStrategy.paused", _clone_set_held_back),
                "DaemonSet": daemon_set,
                "StatefulSet": _replicated(
                    "Statefulset",
                    "spec.updateStrategy.rollingUpdate.paused",
                    _held_back(
                        "spec.updateStrategy.rollingUpdate.partition", "status.updatedReplicas", "spec.replicas"
                    ),
                ),
            },
        ),
        *joined("game.kruise.io", {"GameServer": game_server, "GameServerSet": server_set}),
        *joined("rollouts.kruise.io", {"Rollout": _ROLLOUT}),
    )
)
