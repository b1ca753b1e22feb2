"""The condition of an Argo CD application whose last sync failed."""

from __future__ import annotations

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Condition, Dialect, Phase
from gitops_workers.core.status.rows import Status

TYPE = "SyncError"
"""Argo CD's condition type (Argo CD 3.5, auto-sync: `Failed last sync attempt to ...`)."""


def with_sync_error(status: Status) -> tuple[Condition, ...]:
    """The row's conditions, with the failure of its last operation among them while that counts.

    It counts for the commit that it was for, as for those that depend on the application (`core.sync.readiness`). One
    that a step has named more exactly stays as it is.
    """
    operation = status.operation
    if operation is None or operation.phase not in {Phase.FAILED, Phase.ERROR}:
        return status.conditions
    if not policy_of(Dialect(status.dialect)).notes_failed_sync:
        return status.conditions
    if operation.revision != status.revision or any(item.type == TYPE for item in status.conditions):
        return status.conditions
    return (
        *status.conditions,
        Condition(TYPE, f"Failed last sync attempt to {operation.revision or 'Git'}: {operation.message}"),
    )
