"""OpenKruise: workloads, jobs, rollouts and game servers."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Less,
    Rule,
    Stale,
    Table,
    Test,
    degraded,
    each,
    filled,
    has,
    healthy,
    joined,
    lacks,
    number,
    progressing,
    read,
    suspended,
    text,
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
        degraded("Some replicas are not ready or available", _observed, filled("status.updatedAvailableReplicas")),
        _WAITING,
    )


def _clone_set_held_back(obj: Manifest) -> bool:
    return (
        read(obj, "spec.updateStrategy.partition") not in (None, 0)
        and number(obj, "metadata.generation") > 1
        and number(obj, "status.updatedReplicas") >= number(obj, "status.expectedUpdatedReplicas")
    )


_DAEMON_SET: Rule = (
    suspended("Daemonset is paused", _observed, has("spec.updateStrategy.rollingUpdate.paused", True)),
    suspended(
        "Daemonset needs manual intervention",
        _observed,
        _held_back(
            "spec.updateStrategy.rollingUpdate.partition",
            "status.updatedNumberScheduled",
            "status.desiredNumberScheduled",
        ),
    ),
    healthy(
        "All Daemonset workloads are ready and updated",
        _observed,
        _equal("status.updatedNumberScheduled", "status.desiredNumberScheduled"),
        _equal("status.numberAvailable", "status.desiredNumberScheduled"),
    ),
    degraded("Some pods are not ready or available", _observed, filled("status.numberUnavailable")),
    _WAITING,
)
_BROADCAST_JOB: Rule = (
    suspended("BroadcastJob is Paused", has("status.phase", "paused"), has("spec.paused", True)),
    healthy("BroadcastJob is completed successfully", has("status.phase", "completed")),
    degraded("BroadcastJob failed", has("status.phase", "failed")),
    progressing("BroadcastJob is still running", has("status.phase", "running")),
    progressing("Waiting for initialization"),
)
_ROLLOUT: Rule = (
    progressing("Waiting for initialization", lacks("status.phase", "Disabled"), Stale(missing=True)),
    suspended("Rollout is Disabled", has("status.phase", "Disabled")),
    suspended(
        "Rollout is Paused need manual intervention",
        has("status.phase", "Progressing"),
        has("status.canaryStatus.currentStepState", "StepPaused"),
    ),
    healthy("Rollout is Completed", has("status.phase", "Healthy")),
    progressing("Rollout is still progressing"),
)


def game_server(obj: Manifest) -> Health:
    """The state it is in against the one it should be in, then the readiness of its pod."""
    state, wanted = text(obj, "status.currentState"), text(obj, "status.desiredState")
    if not state:
        return Health(HealthStatus.PROGRESSING, "Waiting for GameServer status")
    pod = each("status.podStatus.conditions", degraded("Pod is not ready: {type}", has("status", "False")))
    own = each("status.conditions", degraded("GameServer is not ready: {type}", has("status", "False")))
    found = pod(obj) or own(obj)
    if found is not None:
        return found
    if state != wanted:
        return Health(HealthStatus.PROGRESSING, f"GameServer is {state}, waiting for {wanted}")
    return Health(HealthStatus.HEALTHY, f"GameServer is {state}")


_SERVER_SET: Rule = (
    progressing("Waiting for GameServerSet initialization", lambda obj: not _observed(obj)),
    suspended("GameServerSet is paused", has("spec.updateStrategy.rollingUpdate.paused", True)),
    suspended(
        "GameServerSet needs manual intervention",
        _held_back("spec.updateStrategy.rollingUpdate.partition", "status.updatedReplicas", "spec.replicas"),
    ),
    progressing(
        "ReadyReplicas {status.readyReplicas?0}/{spec.replicas}, still progressing",
        Less("status.readyReplicas", "spec.replicas"),
    ),
    progressing(
        "UpdatedReadyReplicas {status.updatedReadyReplicas?0}/{spec.replicas}, still progressing",
        Less("status.updatedReadyReplicas", "spec.replicas"),
    ),
    healthy("All GameServerSet replicas are updated and ready"),
)

RULES: Table = dict(
    (
        *joined(
            "apps.kruise.io",
            {
                "AdvancedCronJob": (
                    suspended("AdvancedCronJob is Paused", has("spec.paused", True)),
                    healthy("AdvancedCronJobs has run successfully", filled("status.lastScheduleTime")),
                    progressing("Waiting for initialization", has("status", None)),
                    degraded("AdvancedCronJobs has not run successfully"),
                ),
                "BroadcastJob": _BROADCAST_JOB,
                "CloneSet": _replicated("Cloneset", "spec.updateStrategy.paused", _clone_set_held_back),
                "DaemonSet": _DAEMON_SET,
                "StatefulSet": _replicated(
                    "Statefulset",
                    "spec.updateStrategy.rollingUpdate.paused",
                    _held_back(
                        "spec.updateStrategy.rollingUpdate.partition", "status.updatedReplicas", "spec.replicas"
                    ),
                ),
            },
        ),
        *joined("game.kruise.io", {"GameServer": game_server, "GameServerSet": _SERVER_SET}),
        *joined("rollouts.kruise.io", {"Rollout": _ROLLOUT}),
    )
)
