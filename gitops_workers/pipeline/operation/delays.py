"""Seconds until an application is looked at again while it becomes healthy, or after a failure."""

from __future__ import annotations

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Application
from gitops_workers.core.sync import operation as operations


def health_delay(app: Application, looks: int) -> float:
    """Seconds until an object that is not healthy yet is looked at again, growing to the poll interval.

    The cluster's poll sees it change earlier (`Outcome.waits_since`).
    """
    return float(min(operations.WATCHED_WAIT * 1.5 ** min(looks, 40), app.schedule.interval))


def retry_delay(app: Application, failures: int) -> float:
    """Seconds until a failed attempt is tried again."""
    return policy_of(app.dialect).retry_delay(app, failures)
