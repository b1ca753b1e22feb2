"""Numaflow and Numaplane."""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Stale,
    Step,
    Table,
    degraded,
    empty,
    for_each,
    has,
    healthy,
    joined,
    progressing,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_PROGRESSIVE = "metadata.labels.'numaplane.numaproj.io/progressive-result-state'"


def _running(what: str, unhealthy: str = "Subresources are unhealthy") -> tuple[Step, ...]:
    """A Numaflow resource: observed, not failed, nothing below it unhealthy."""
    return (
        progressing(f"Waiting for {what} status", empty("status")),
        progressing(f"Waiting for {what} status", Stale(missing=True)),
        degraded("Failed progressive upgrade", has(_PROGRESSIVE, "failed")),
        degraded(f"{{status.message?{what} failed}}", has("status.phase", "Failed")),
        for_each("status.conditions", degraded(unhealthy, has("status", "False"))),
        healthy(f"{what} is paused", has("status.phase", "Paused")),
        progressing(f"{what} is pausing", has("status.phase", "Pausing")),
        progressing(f"{what} is being deleted", has("status.phase", "Deleting")),
        unknown("{status.message}", has("status.phase", "Unknown", "", None)),
        healthy(f"{what} is healthy"),
    )


def buffers(obj: Manifest) -> Health:
    """Once observed: a failed phase, a failed progressive upgrade, then the last condition that is not met."""
    waiting = Health(HealthStatus.PROGRESSING, "Waiting for InterStepBufferService status")
    if read(obj, "metadata.generation") != read(obj, "status.observedGeneration"):
        return waiting
    if not isinstance(read(obj, "status"), dict):
        return waiting
    if read(obj, "status.phase") == "Failed":
        return Health(HealthStatus.DEGRADED, text(obj, "status.message"))
    if read(obj, _PROGRESSIVE) == "failed":
        return Health(HealthStatus.DEGRADED, "Failed progressive upgrade")
    bad = [item for item in items(obj, "status.conditions") if item.get("status") == "False"]
    if bad:
        return Health(HealthStatus.DEGRADED, text(bad[-1], "message"))
    if read(obj, "status.phase") == "Running":
        return Health(HealthStatus.HEALTHY, "InterStepBufferService is healthy")
    return waiting


def _rollout(name: str, pause: str = "") -> Callable[[Manifest], Health]:
    """A Numaplane rollout; `pause` is the condition of those that can be paused."""

    def judged(obj: Manifest) -> Health:
        if (early := _unreconciled(obj)) is not None:
            return early
        if text(obj, "@ProgressiveUpgradeSucceeded.status") == "False":
            return Health(HealthStatus.DEGRADED, "Progressive upgrade failed")
        if read(obj, "status.phase") == "Pending" or text(obj, "status.upgradeInProgress"):
            return Health(HealthStatus.PROGRESSING, "Update in progress")
        if read(obj, "status.phase") == "Failed":
            return Health(HealthStatus.DEGRADED, text(obj, "status.message"))
        if pause and text(obj, f"@{pause}.status") == "True":
            moving = text(obj, f"@{pause}.reason").endswith("Pausing")
            status = HealthStatus.PROGRESSING if moving else HealthStatus.HEALTHY
            return Health(status, text(obj, f"@{pause}.message"))
        children, reason = (text(obj, f"@ChildResourcesHealthy.{key}") for key in ("status", "reason"))
        if children == "True":
            return Health(HealthStatus.HEALTHY, "Healthy")
        if children == "False" and reason == "Progressing":
            return Health(HealthStatus.PROGRESSING, "Child Progressing")
        if children == "False" and reason != "Successful":
            return Health(HealthStatus.DEGRADED, text(obj, "@ChildResourcesHealthy.message"))
        return Health(HealthStatus.UNKNOWN, f"Unknown {name}status")

    return judged


def _unreconciled(obj: Manifest) -> Health | None:
    """What is said while nobody has seen the newest spec."""
    generation, seen = read(obj, "metadata.generation"), read(obj, "status.observedGeneration")
    if not isinstance(read(obj, "status"), dict) or generation != seen:
        return Health(HealthStatus.PROGRESSING, "Not yet reconciled")
    return None


RULES: Table = dict(
    (
        *joined(
            "numaflow.numaproj.io",
            {
                "InterStepBufferService": buffers,
                "Pipeline": _running("Pipeline"),
                "Vertex": _running("Vertex", "{message}"),
                "MonoVertex": _running("MonoVertex"),
                "ServingPipeline": _running("ServingPipeline"),
            },
        ),
        *joined(
            "numaplane.numaproj.io",
            {
                "ISBServiceRollout NumaflowControllerRollout": _rollout(""),
                "PipelineRollout": _rollout("Pipeline ", "PipelinePausingOrPaused"),
                "MonoVertexRollout": _rollout("MonoVertex ", "MonoVertexPausingOrPaused"),
            },
        ),
    )
)
