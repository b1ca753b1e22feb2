"""`/api/v1/applications`: what is known of applications, and asking for work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gitops_workers.core.deletion import ORDER, objection, wish
from gitops_workers.core.leaving import Cascade
from gitops_workers.core.status import Status
from gitops_workers.pipeline.explaining import explained
from gitops_workers.ports import StatusQuery, Urgency
from gitops_workers.web import history, lookup
from gitops_workers.web.access import Principal, reader, services_of, writer
from gitops_workers.web.dependencies import dependencies_of
from gitops_workers.web.intake import ring
from gitops_workers.web.listing import decode_cursor, encode_cursor, page
from gitops_workers.web.services import WebServices

router = APIRouter(prefix="/api/v1/applications", tags=["applications"])
Reader = Annotated[Principal, Depends(reader)]
Writer = Annotated[Principal, Depends(writer)]
Json = dict[str, Any]
_APP = "/{app:appid}"
Model = TypeVar("Model", bound=BaseModel)


class SyncOptions(BaseModel):
    """What a sync may be told; anything else is refused, so that no option is silently without effect."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prune: bool = False
    """Delete what is no longer in Git, also where the application does not prune by itself."""


class DeleteOptions(BaseModel):
    """How an application is deleted."""

    model_config = ConfigDict(extra="forbid")

    cascade: Cascade | None = None
    """`foreground`, `background`, or `orphan` to keep the objects; the manifest's choice if not given."""


class NoOptions(BaseModel):
    """`{}`."""

    model_config = ConfigDict(extra="forbid")


def _body(model: type[BaseModel]) -> Json:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}


class Filters(BaseModel):
    """Which applications a listing wants; empty means any."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=253, description="A part of the id.")
    sync: str = Field("", max_length=40, description="Synced, OutOfSync or Unknown.")
    health: str = Field("", max_length=40, description="A health status.")
    project: str = Field("", max_length=253, description="An Argo CD project.")
    cluster: str = Field("", max_length=253, description="A destination cluster by name.")
    dialect: str = Field("", max_length=40, description="argocd or flux.")
    sort: Literal["name", "sync", "health", "age"] = "name"
    descending: bool = False
    limit: int = Field(50, ge=1, le=500, description="Rows of one page.")
    cursor: str = Field("", max_length=64, description="That of the last answer.")


@router.get("")
def list_applications(request: Request, principal: Reader, filters: Annotated[Filters, Query()]) -> Json:
    """List applications, filtered and sorted, a page at a time."""
    query = StatusQuery(offset=decode_cursor(filters.cursor), **filters.model_dump(exclude={"cursor"}))
    found = page(services_of(request).state, principal, query)
    following = query.offset + len(found.rows)
    more = bool(found.rows) and following < found.total
    return {
        "items": [lookup.shown(row) for row in found.rows],
        "total": found.total,
        "cursor": encode_cursor(following) if more else None,
    }


@router.get(f"{_APP}/resources")
def resources(request: Request, principal: Reader, app: str) -> Json:
    """List the application's objects with their health."""
    services, status = _find(request, principal, app)
    return {"items": [view.to_json() for view in services.state.resources(status.id)]}


@router.get(f"{_APP}/diff")
def diff(request: Request, principal: Reader, app: str) -> Json:
    """List the objects that differ from Git, with a unified diff each; the values of Secrets are masked."""
    services, status = _find(request, principal, app)
    views = [view for view in services.state.resources(status.id) if view.diff]
    return {"items": [{**view.to_json(), "diff": view.diff} for view in views]}


@router.get(f"{_APP}/explain")
def explain(request: Request, principal: Reader, app: str) -> Json:
    """Say what the last look made of each stage, why nothing happens now, and when the next look is due."""
    services, status = _find(request, principal, app)
    return explained(services.state, services.queue, status, services.queue.now()).to_json()


@router.get(f"{_APP}/history")
def list_history(request: Request, principal: Reader, app: str) -> Json:
    """List the application's finished deployments, newest first."""
    services, status = _find(request, principal, app)
    return {"items": history.history_of(services.state, status.id)}


@router.get(f"{_APP}/events")
def list_events(
    request: Request, principal: Reader, app: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Json:
    """List the application's events, newest first."""
    services, status = _find(request, principal, app)
    return {"items": [event.to_json() for event in services.state.events(status.id, limit)]}


@router.post(f"{_APP}/sync", status_code=202, openapi_extra=_body(SyncOptions))
async def sync_application(request: Request, principal: Writer, app: str) -> Json:
    """Compare with Git now and apply what differs, also where the application does not sync by itself."""
    options = await _options(request, SyncOptions)
    return await run_in_threadpool(_ask, request, principal, app, "sync", {"sync": True, "prune": options.prune})


@router.post(f"{_APP}/suspend", status_code=202, openapi_extra=_body(NoOptions))
async def suspend(request: Request, principal: Writer, app: str) -> Json:
    """Do nothing more for this application until it is resumed, whatever its manifest says."""
    await _options(request, NoOptions)
    return await run_in_threadpool(_ask, request, principal, app, "suspend", {"suspended": True})


@router.post(f"{_APP}/resume", status_code=202, openapi_extra=_body(NoOptions))
async def resume(request: Request, principal: Writer, app: str) -> Json:
    """Undo a suspension and look at the application now."""
    await _options(request, NoOptions)
    return await run_in_threadpool(_ask, request, principal, app, "resume", {"suspended": False})


@router.delete(_APP, status_code=202, openapi_extra=_body(DeleteOptions))
async def delete_application(request: Request, principal: Writer, app: str) -> Json:
    """Delete an application whose manifest has left the catalogue, also one that waits for a human's yes."""
    options = await _options(request, DeleteOptions)
    return await run_in_threadpool(_delete, request, principal, app, options.cascade)


@router.get(_APP)
def get_application(request: Request, principal: Reader, app: str) -> Json:
    """Get one application by id or unique bare name, with its objects and history."""
    services, status = _find(request, principal, app)
    objects: Sequence[Json] = [view.to_json() for view in services.state.resources(status.id)]
    return {
        **lookup.shown(status),
        "dependsOn": dependencies_of(services.state, status.id),
        "resources": objects,
        "history": history.history_of(services.state, status.id),
    }


def _find(request: Request, principal: Principal, app: str) -> tuple[WebServices, Status]:
    services = services_of(request)
    return services, lookup.find(services.state, principal, app)


def _ask(request: Request, principal: Principal, app: str, verb: str, wish: Mapping[str, Any]) -> Json:
    """Store the wish, then the intent, then ring: a message lost on the way is found by the sweep."""
    services, status = _find(request, principal, app)
    kind = "request" if verb == "sync" else "override"
    services.state.save(kind, status.id, {**wish, "by": principal.name})
    generation = services.queue.request(status.id, f"{verb} asked by {principal.name}", Urgency.MANUAL)
    if not generation:
        services.state.discard(kind, status.id)
        raise HTTPException(409, "the application is not scheduled; it is new or being removed: look again in a minute")
    ring(services)
    return {"id": status.id, "generation": generation}


def _delete(request: Request, principal: Principal, app: str, cascade: Cascade | None) -> Json:
    """Store the order, unless the catalogue would undo it; then as for every other wish."""
    services, status = _find(request, principal, app)
    found = services.state.application(status.id)
    if found is None or (reason := objection(found)):
        raise HTTPException(409, reason if found else "the application was never readable: there is nothing to delete")
    services.state.save(ORDER, status.id, wish(found, cascade, principal.name))
    services.state.discard("override", status.id)  # whoever deletes it does not want it to rest
    generation = services.queue.request(status.id, f"delete asked by {principal.name}", Urgency.MANUAL)
    ring(services)
    return {"id": status.id, "generation": generation}


async def _options(request: Request, model: type[Model]) -> Model:
    """Read the body after the caller was let in, never before."""
    body = await request.body()
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise HTTPException(422, f"{place}: {first['msg']}") from None
