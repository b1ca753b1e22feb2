"""Sync, rollback and terminate: asking for an operation or its end, and how that was answered."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gitops_workers.core.documents.kinds import ANSWER, PREVIEW, REQUEST
from gitops_workers.core.errors import InvalidManifest, NoSuchEntry, Refused
from gitops_workers.core.model import AppId, Application, Phase
from gitops_workers.core.status.rows import ResourceView, Status
from gitops_workers.core.sync.pause import CONDITION
from gitops_workers.core.sync.request import Answer, Request, checked, reject_reason, selector
from gitops_workers.ports import State
from gitops_workers.services.changes import Backend, Caller, Change, audited, planning, with_request
from gitops_workers.services.history import history


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a sync may be told; see `Request`. `resources` are selectors, `[!]GROUP:KIND:[NAMESPACE/]NAME`."""

    prune: bool = False
    revision: str = ""
    resources: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class LastRequest:
    """What was asked last. `answer` is None until it has ended; `preview` are the objects of a dry run."""

    request: Request
    answer: Answer | None = None
    preview: tuple[ResourceView, ...] | None = None


def sync(backend: Backend, caller: Caller, name: str, options: SyncOptions) -> Change:
    """Compare with Git now and apply what differs, also where the application does not sync by itself."""
    return _planned(backend, caller, name, "sync", asdict(options))


def rollback(
    backend: Backend, caller: Caller, name: str, entry: int, *, prune: bool = False, pause: bool = False
) -> Change:
    """Deploy again what an entry of the history deployed. `pause`: automated sync is off until a resume."""
    return _planned(backend, caller, name, "rollback", {"rollback": entry, "prune": prune, "pause": pause})


def terminate(backend: Backend, caller: Caller, name: str) -> Change:
    """End the running operation; what it has applied stays."""
    return _planned(backend, caller, name, "terminate", {"terminate": True})


def last_request(state: State, app: AppId) -> LastRequest | None:
    """What was asked last and how it ended; None where nothing was asked."""
    found = state.load_of(app, (REQUEST, ANSWER, PREVIEW))
    request, preview = found.get(REQUEST), found.get(PREVIEW)
    if request is None:
        return None
    answer = _answer(found.get(ANSWER), request.id)
    if answer is None or preview is None or preview.id != request.id:
        return LastRequest(request, answer)
    return LastRequest(request, answer, preview.resources)


def answer_of(state: State, app: AppId, request: str) -> tuple[Answer | None, bool]:
    """The answer to the request with this id, and whether there will be one: another may have taken its place."""
    found = state.load_of(app, (REQUEST, ANSWER))
    answer, asked = _answer(found.get(ANSWER), request), found.get(REQUEST)
    return answer, answer is not None or (asked is not None and asked.id == request)


def is_pending(state: State, app: AppId) -> bool:
    """Whether the last request has no answer yet."""
    found = state.load_of(app, (REQUEST, ANSWER))
    asked = found.get(REQUEST)
    return asked is not None and _answer(found.get(ANSWER), asked.id) is None


def _planned(backend: Backend, caller: Caller, name: str, verb: str, options: Mapping[str, Any]) -> Change:
    """The change that stores this request, unless the engine would refuse it. Raises Refused and what `find` raises."""
    with planning(backend, caller, name, verb) as (status, app, audit):
        request = _checked(caller, options)
    audit = with_request(audit, request)
    with audited(backend, audit):
        _allow(backend.state, status, app, request)
    return Change(status.id, {REQUEST: request}, audit, request)


def _checked(caller: Caller, options: Mapping[str, Any]) -> Request:
    """The request, read as the engine will read it. Raises InvalidManifest."""
    chosen = {**options, "resources": tuple(selector(text) for text in options.get("resources", ()))}
    request = checked(Request(secrets.token_hex(8), caller.name, **chosen))
    if request.refusal:
        raise InvalidManifest(request.refusal)
    return request


def _allow(state: State, status: Status, app: Application, request: Request) -> None:
    """Raise Refused for what the engine would refuse."""
    running = status.operation is not None and status.operation.phase is Phase.RUNNING
    if request.terminate and not running:
        raise Refused(f"{status.id}: no operation is running: there is nothing to terminate.")
    if not request.terminate:
        require_awake(status)
    if reason := reject_reason(request, app, paused=any(item.type == CONDITION for item in status.conditions)):
        raise Refused(reason)
    if request.rollback is not None:
        known = [entry.id for entry in history(state, status.id)]
        if request.rollback not in known:
            shown = ", ".join(map(str, reversed(known))) or "nothing"
            raise NoSuchEntry(f"{status.id}: the history has no entry {request.rollback}; it has {shown}.")


def require_awake(status: Status) -> None:
    """Raise Refused where nothing is done for the application."""
    if status.suspended:
        raise Refused(f"{status.id} is suspended: resume it first (`gitops-workers app resume {status.id}`).")


def _answer(answer: Answer | None, request: str) -> Answer | None:
    return answer if answer is not None and answer.id == request else None
