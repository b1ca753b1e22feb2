"""Whether somebody should look at an application, how urgently, and the one sentence that says why.

Listings, pages, filters and the progress of `up` all ask here, so that they name the same applications.
"""

from __future__ import annotations

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import Status

ERROR = "Error"
"""How the types of conditions end that are failures and no remarks (Argo CD 3.5, ApplicationConditionType)."""
_ILL = frozenset({HealthStatus.DEGRADED, HealthStatus.FAILED})
_IN_DOUBT = frozenset({HealthStatus.MISSING, HealthStatus.NOT_FOUND, HealthStatus.UNKNOWN})
_ON_THE_WAY = frozenset({HealthStatus.PROGRESSING, HealthStatus.IN_PROGRESS, HealthStatus.TERMINATING})


def failed_operation(status: Status) -> bool:
    """Whether the last operation failed, and nothing that came later has made that pointless."""
    operation = status.operation
    if operation is None or operation.phase not in {Phase.FAILED, Phase.ERROR}:
        return False
    return status.sync is not SyncStatus.SYNCED or operation.revision == status.revision


def failing(status: Status) -> bool:
    """Whether something failed here: an operation, a comparison, a manifest, a deletion, or the objects' health."""
    return _severity(status) > 2


def severity(status: Status) -> float:
    """The row's place where trouble comes first: the smaller, the earlier; 0 for what is as it should be."""
    return -float(_severity(status))


def _severity(status: Status) -> int:
    """6 a failed operation, 5 an error, 4 ill, 3 state unknown after a look, 2 differs, 1 on its way, 0 well."""
    if failed_operation(status):
        return 6
    if any(item.type.endswith(ERROR) for item in status.conditions):
        return 5
    if status.health in _ILL:
        return 4
    if status.suspended:
        return 0
    if status.sync is SyncStatus.UNKNOWN:
        return 3 if status.message else 1
    if status.sync is SyncStatus.OUT_OF_SYNC or status.health in _IN_DOUBT:
        return 2
    return 1 if status.health in _ON_THE_WAY else 0


def reason(status: Status) -> str:
    """Why the row looks as it does: the failed operation, else an error, else its health, else the last decision.

    A health of "none of the objects exists" is what follows from a failed hook, so it never hides that.
    """
    if failed_operation(status) and status.operation is not None and status.operation.message:
        return status.operation.message
    errors = [item.message for item in status.conditions if item.type.endswith(ERROR)]
    if errors:
        return errors[0]
    if status.health in _ILL and status.health_message:
        return status.health_message
    if status.sync is not SyncStatus.SYNCED and status.message:
        return status.message
    remarks = [item.message for item in status.conditions]
    return status.health_message or (remarks[0] if remarks else "") or status.message


def word(status: Status) -> str:
    """One word for the row: Failed, Suspended, Running, or its sync status."""
    if failing(status):
        return "Failed"
    if status.suspended:
        return "Suspended"
    running = status.operation is not None and status.operation.phase is Phase.RUNNING
    return Phase.RUNNING.value if running else status.sync.value
