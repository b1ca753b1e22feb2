"""Numaflow and Numaplane."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Stale,
    Step,
    Table,
    degraded,
    each,
    empty,
    false,
    filled,
    has,
    healthy,
    joined,
    lacks,
    progressing,
    reason,
    true,
    unknown,
)

_PROGRESSIVE = "metadata.labels.'numaplane.numaproj.io/progressive-result-state'"


def _running(what: str) -> tuple[Step, ...]:
    """A Numaflow resource: observed, not failed, nothing below it unhealthy."""
    return (
        progressing(f"Waiting for {what} status", empty("status")),
        progressing(f"Waiting for {what} status", Stale(missing=True)),
        degraded("Failed progressive upgrade", has(_PROGRESSIVE, "failed")),
        degraded(f"{{status.message?{what} failed}}", has("status.phase", "Failed")),
        healthy(f"{what} is paused", has("status.phase", "Paused")),
        progressing(f"{what} is pausing", has("status.phase", "Pausing")),
        progressing(f"{what} is being deleted", has("status.phase", "Deleting")),
        each("status.conditions", degraded("Subresources are unhealthy", has("status", "False"))),
        unknown("{status.message}", has("status.phase", "Unknown", "", None)),
        healthy(f"{what} is healthy"),
    )


_BUFFER: Rule = (
    progressing("Waiting for InterStepBufferService status", Stale(missing=True)),
    degraded("{status.message}", has("status.phase", "Failed")),
    degraded("{@ChildrenResourcesHealthy.message}", false("ChildrenResourcesHealthy")),
    each("status.conditions", degraded("{message}", has("status", "False"))),
    healthy("InterStepBufferService is healthy", has("status.phase", "Running")),
    progressing("Waiting for InterStepBufferService status"),
)


def _rollout(pause: str = "") -> tuple[Step, ...]:
    """A Numaplane rollout; `pause` is the condition of those that can be paused."""
    said = f"{{@{pause}.message}}"
    stopped: tuple[Step, ...] = (
        healthy(said, true(pause), reason(pause, "PipelinePaused", "MonoVertexPaused")),
        progressing(said, true(pause)),
    )
    return (
        progressing("Not yet reconciled", empty("status")),
        progressing("Not yet reconciled", Stale(missing=True)),
        degraded("{status.message}", has("status.phase", "Failed")),
        progressing("Update in progress", has("status.phase", "Pending"), filled("status.upgradeInProgress")),
        progressing("Not yet reconciled", has("status.phase", "Pending")),
        degraded("Progressive upgrade failed", false("ProgressiveUpgradeSucceeded")),
        degraded("{@ChildResourceDeployed.message}", false("ChildResourceDeployed")),
        *(stopped if pause else ()),
        progressing(
            "Child Progressing", false("ChildResourcesHealthy"), reason("ChildResourcesHealthy", "Progressing")
        ),
        degraded("{@ChildResourcesHealthy.message}", false("ChildResourcesHealthy")),
        progressing("{@ChildResourcesHealthy.message}", lacks("@ChildResourcesHealthy.status", "True")),
        healthy("Healthy", has("status.phase", "Deployed")),
        progressing("Not yet reconciled"),
    )


RULES: Table = dict(
    (
        *joined(
            "numaflow.numaproj.io",
            {
                "InterStepBufferService": _BUFFER,
                "Pipeline": _running("Pipeline"),
                "Vertex": _running("Vertex"),
                "MonoVertex": _running("MonoVertex"),
                "ServingPipeline": _running("ServingPipeline"),
            },
        ),
        *joined(
            "numaplane.numaproj.io",
            {
                "ISBServiceRollout NumaflowControllerRollout": _rollout(),
                "PipelineRollout": _rollout("PipelinePausingOrPaused"),
                "MonoVertexRollout": _rollout("MonoVertexPausingOrPaused"),
            },
        ),
    )
)
