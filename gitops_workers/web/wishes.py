"""What somebody asks for over HTTP: refused at once where the engine would refuse it, else stored; audited always."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from fastapi import HTTPException, Request

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Phase
from gitops_workers.core.prune import deletion
from gitops_workers.core.prune.deletion_request import Cascade
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync import request as requests
from gitops_workers.core.sync.pause import CONDITION
from gitops_workers.core.telemetry.audit import AuditedRequest, details_of
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline.announcements import announce
from gitops_workers.ports import Urgency
from gitops_workers.web import lookup
from gitops_workers.web.access import Principal, services_of, source_of
from gitops_workers.web.intake import ring
from gitops_workers.web.services import WebServices

Json = dict[str, Any]


def ask(request: Request, principal: Principal, app: str, verb: str, wish: Callable[[], Mapping[str, Any]]) -> Json:
    """Store a sync, a rollback or a termination. Raises 404, 409 and 422."""
    services, status = _find(request, principal, app)
    asked = _parsed(principal, wish)
    audit = replace(
        _wish(request, principal, status, verb),
        details=details_of(asked),
        request=asked.id,
        revision=asked.revision,
    )
    with _audited(services, audit):
        if asked.refusal:
            raise HTTPException(422, asked.refusal)
        if asked.rollback is not None:
            _require_entry(services, status, asked.rollback)
        if reason := _objection(services, status, asked):
            raise HTTPException(409, reason)
        done = _promised(services, status, "request", requests.to_json(asked), audit)
    return {**done, "request": asked.id}


def override(request: Request, principal: Principal, app: str, verb: str, mark: Mapping[str, Any]) -> Json:
    """Store a suspension or its end. Raises 404 and 409."""
    services, status = _find(request, principal, app)
    audit = _wish(request, principal, status, verb)
    with _audited(services, audit):
        if not mark["suspended"]:
            # Whoever resumes wants to see what has become of it meanwhile.
            wanted = refreshes.request(services.queue.now(), principal.name)
            services.state.save(refreshes.ASKED, status.id, wanted)
        return _promised(services, status, "override", {**mark, "by": principal.name}, audit)


def refresh(request: Request, principal: Principal, app: str) -> Json:
    """Store that the application is to be compared anew. Raises 404 and 409."""
    services, status = _find(request, principal, app)
    audit = _wish(request, principal, status, "refresh")
    with _audited(services, audit):
        if status.suspended:
            raise HTTPException(409, f"{status.id} is suspended: resume it first.")
        document = refreshes.request(services.queue.now(), principal.name)
        return _promised(services, status, refreshes.ASKED, document, audit)


def delete(request: Request, principal: Principal, app: str, cascade: Cascade | None) -> Json:
    """Store the order to delete, unless the catalogue would undo it. Raises 404 and 409."""
    services, status = _find(request, principal, app)
    details = f"cascade {cascade}" if cascade else ""
    audit = replace(_wish(request, principal, status, "delete"), details=details)
    with _audited(services, audit):
        found = services.state.application(status.id)
        if found is None or (reason := deletion.reject_reason(found)):
            raise HTTPException(
                409, reason if found else "the application was never readable: there is nothing to delete"
            )
        services.state.save(deletion.DELETE_REQUEST, status.id, deletion.to_document(found, cascade, principal.name))
        services.state.discard("override", status.id)  # whoever deletes it does not want it to rest
        generation = services.queue.request(status.id, f"delete asked by {principal.name}", Urgency.MANUAL)
        announce(services.state, [audit.accepted(generation)])
        ring(services)
    return {"id": status.id, "generation": generation}


def _find(request: Request, principal: Principal, app: str) -> tuple[WebServices, Status]:
    services = services_of(request)
    return services, lookup.find(services.state, principal, app)


def _parsed(principal: Principal, wish: Callable[[], Mapping[str, Any]]) -> requests.Request:
    try:
        return requests.parse(requests.to_json(requests.Request(secrets.token_hex(8), principal.name, **wish())))
    except InvalidManifest as problem:
        raise HTTPException(422, str(problem)) from None


def _wish(request: Request, principal: Principal, status: Status, verb: str) -> AuditedRequest:
    at = stamp(services_of(request).queue.now())
    return AuditedRequest(at, status.id, verb, principal.name, source_of(request))


@contextmanager
def _audited(services: WebServices, wish: AuditedRequest) -> Iterator[None]:
    """Whoever may ask and is refused leaves an event, too."""
    try:
        yield
    except HTTPException as refusal:
        announce(services.state, [wish.refused(str(refusal.detail))])
        raise


def _require_entry(services: WebServices, status: Status, number: int) -> None:
    known = [entry["id"] for entry in services.state.load("history", status.id) or ()]
    if number not in known:
        shown = ", ".join(map(str, known)) or "nothing"
        raise HTTPException(404, f"{status.id}: the history has no entry {number}; it has {shown}")


def _objection(services: WebServices, status: Status, asked: requests.Request) -> str:
    running = status.operation is not None and status.operation.phase is Phase.RUNNING
    if asked.terminate and not running:
        return f"{status.id}: no operation is running: there is nothing to terminate."
    if status.suspended and not asked.terminate:
        return f"{status.id} is suspended: resume it first."
    app = services.state.application(status.id)
    paused = any(item.type == CONDITION for item in status.conditions)
    return requests.reject_reason(asked, app, paused=paused) if app is not None else ""


def _promised(
    services: WebServices, status: Status, kind: str, document: Mapping[str, Any], audit: AuditedRequest
) -> Json:
    """Store the wish, then the intent, then ring: a message lost on the way is found by the sweep."""
    services.state.save(kind, status.id, document)
    generation = services.queue.request(status.id, f"{audit.verb} asked by {audit.by}", Urgency.MANUAL)
    if not generation:
        services.state.discard(kind, status.id)
        raise HTTPException(409, "the application is not scheduled; it is new or being removed: look again in a minute")
    announce(services.state, [audit.accepted(generation)])
    ring(services)
    return {"id": status.id, "generation": generation}
