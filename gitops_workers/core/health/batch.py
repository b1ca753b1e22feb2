"""Argo CD's rules for batch/v1 and for Argo Workflows."""

from __future__ import annotations

from gitops_workers.core.health.fields import text
from gitops_workers.core.health.rules import (
    Table,
    degraded,
    empty,
    has,
    healthy,
    not_empty,
    progressing,
    suspended,
    true,
    unknown,
)
from gitops_workers.core.objects import Manifest


def _older(obj: Manifest) -> bool:
    """The last success is older than the last start. RFC 3339 UTC times compare as text."""
    return text(obj, "status.lastSuccessfulTime") < text(obj, "status.lastScheduleTime")


RULES: Table = {
    "batch/Job": (
        degraded("{@Failed.message}", true("Failed")),
        suspended("{@Suspended.message}", true("Suspended")),
        healthy("{@Complete.message}", true("Complete")),
        progressing(),
    ),
    # A suspended CronJob is Healthy on purpose: it does what its manifest says (argo-cd 24428).
    "batch/CronJob": (
        healthy("CronJob is Suspended", has("spec.suspend", True)),
        progressing("Waiting for CronJob", has("status", None)),
        healthy("CronJob has not been scheduled yet", has("status.lastScheduleTime", None)),
        healthy(
            "The CronJob never completed successfully. It may not be healthy",
            has("status.lastSuccessfulTime", None),
        ),
        degraded("CronJob has not completed its last execution successfully", _older, empty("status.active")),
        healthy("The job is running. Its last execution may not have been successful", not_empty("status.active")),
        healthy("CronJob has completed its last execution successfully"),
    ),
    "argoproj.io/Workflow": (
        progressing("{status.message}", has("status.phase", None, "", "Pending", "Running")),
        healthy("{status.message}", has("status.phase", "Succeeded")),
        degraded("{status.message}", has("status.phase", "Failed", "Error")),
        unknown("{status.message}"),
    ),
}
