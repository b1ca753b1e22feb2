"""Suspend and resume: whether an application is looked after, whatever its manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_workers.core.documents.kind import Kind
from gitops_workers.core.documents.kinds import OVERRIDE, REFRESH
from gitops_workers.core.documents.wills import Override, RefreshRequest
from gitops_workers.services.changes import Backend, Caller, Change, planning


def suspend(backend: Backend, caller: Caller, name: str) -> Change:
    """Fetch, compare and apply nothing for the application until it is resumed."""
    return _planned(backend, caller, name, "suspend", {OVERRIDE: Override(suspended=True, by=caller.name)})


def resume(backend: Backend, caller: Caller, name: str) -> Change:
    """Undo a suspension, by hand or by the manifest, and the pause of a rollback.

    The application is compared anew, too: its row may be as old as the suspension.
    """
    now = backend.queue.now()
    mark = Override(suspended=False, by=caller.name, resumed_at=now)
    documents: dict[Kind[Any], Any] = {REFRESH: RefreshRequest(now, caller.name), OVERRIDE: mark}
    return _planned(backend, caller, name, "resume", documents)


def _planned(backend: Backend, caller: Caller, name: str, verb: str, documents: Mapping[Kind[Any], Any]) -> Change:
    with planning(backend, caller, name, verb) as (status, _, audit):
        return Change(status.id, documents, audit)
