"""How listings sort: the worst first, and the newest change first."""

from __future__ import annotations

from datetime import datetime

from gitops_workers.core.model import HealthStatus, SyncStatus
from gitops_workers.core.status.rows import Status
from gitops_workers.core.status.trouble import failing, severity

SYNC_ORDER = (SyncStatus.OUT_OF_SYNC, SyncStatus.UNKNOWN, SyncStatus.SYNCED)

HEALTH_ORDER = (
    HealthStatus.DEGRADED,
    HealthStatus.FAILED,
    HealthStatus.MISSING,
    HealthStatus.NOT_FOUND,
    HealthStatus.UNKNOWN,
    HealthStatus.TERMINATING,
    HealthStatus.PROGRESSING,
    HealthStatus.IN_PROGRESS,
    HealthStatus.SUSPENDED,
    HealthStatus.HEALTHY,
    HealthStatus.CURRENT,
)

FAILING = "yes"
"""The value of the filter `failing`."""
RESTING = HealthStatus.SUSPENDED.value
"""A user who filters by this health means applications that are suspended, too: listings show them so."""
ORDERS = ("name", "sync", "health", "age", "trouble")


def sort_keys(status: Status) -> dict[str, float]:
    """The row's number in each order; rows with equal numbers are ordered by id.

    `name` is the id alone. `age` is minus the moment of the last change: what changed last is youngest and comes first.
    """
    return {
        "name": 0.0,
        "sync": float(SYNC_ORDER.index(status.sync)),
        "health": float(HEALTH_ORDER.index(status.health)),
        "age": -epoch(status.changed_at),
        "trouble": severity(status),
    }


def index_fields(status: Status) -> dict[str, str]:
    """What listings filter by, each in a set of its own; `failing` is "yes" or "no", `outcome` a phase or ""."""
    return {
        "sync": status.sync.value,
        "health": status.health.value,
        "project": status.project,
        "cluster": status.cluster,
        "dialect": status.dialect,
        "outcome": status.operation.phase.value if status.operation else "",
        "failing": FAILING if failing(status) else "no",
        "resting": RESTING if status.suspended or status.health is HealthStatus.SUSPENDED else "no",
    }


def epoch(moment: str) -> float:
    """Seconds since 1970 of an RFC 3339 text; 0 for none.

    >>> epoch("1970-01-01T00:01:00Z"), epoch("")
    (60.0, 0.0)
    """
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0
