"""Refresh: comparing an application with its cluster now, whatever earlier looks remember of it."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.documents.kinds import REFRESH, REFRESHED
from gitops_workers.core.documents.wills import RefreshRequest
from gitops_workers.core.model import AppId
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.ports import State
from gitops_workers.services.changes import Backend, Caller, Change, planning
from gitops_workers.services.requests import require_awake


@dataclass(frozen=True, slots=True)
class LastRefresh:
    """The refresh that was asked for last. `at` is in epoch seconds.

    `reason` says why the last attempt compared nothing, "" when it compared; it is None where none has ended since.
    """

    at: float
    by: str
    done: bool
    reason: str | None


def refresh(backend: Backend, caller: Caller, name: str) -> Change:
    """Compare every object of the application with the cluster now."""
    with planning(backend, caller, name, "refresh") as (status, _, audit):
        require_awake(status)
    return Change(status.id, {REFRESH: RefreshRequest(backend.queue.now(), caller.name)}, audit)


def last_refresh(state: State, app: AppId) -> LastRefresh | None:
    """The last refresh and what became of it; None where nobody has asked for one."""
    found = state.load_of(app, (REFRESH, REFRESHED))
    asked, answered = found.get(REFRESH), found.get(REFRESHED)
    if asked is None:
        return None
    reason = asked.problem or refreshes.reason_of(answered, asked.at)
    return LastRefresh(asked.at, asked.by, not refreshes.is_pending(asked, answered), reason)
