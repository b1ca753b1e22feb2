"""`/api/v1/applications/<id>/...`: asking for work, and how that ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError

from gitops_workers.core.text.timefmt import stamp
from gitops_workers.services import changes, deletion, refresh, requests, suspension
from gitops_workers.services.changes import Backend, Caller, Change
from gitops_workers.web import answers
from gitops_workers.web.access import Principal, caller_of, reader, services_of, writer
from gitops_workers.web.application_path import APPLICATION
from gitops_workers.web.applications import found
from gitops_workers.web.description import TOKEN, body_of
from gitops_workers.web.intake import backend_of
from gitops_workers.web.options import DeleteOptions, NoOptions, RollbackOptions, SyncOptions
from gitops_workers.web.problems import documented, first_error

router = APIRouter(
    prefix="/api/v1/applications",
    tags=["applications"],
    dependencies=[Security(TOKEN)],
    responses=documented(401, 403, 404, 409, 415, 422),
)
Reader = Annotated[Principal, Depends(reader)]
Writer = Annotated[Principal, Depends(writer)]
Json = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)


@router.post(f"{APPLICATION}/sync", status_code=202, response_model=answers.Asked, openapi_extra=body_of(SyncOptions))
async def sync_application(request: Request, principal: Writer, app: str) -> Json:
    """Compare with Git now and apply what differs, also where the application does not sync by itself."""
    body = await _body(request, SyncOptions)
    options = requests.SyncOptions(**{**body.model_dump(), "resources": tuple(body.resources)})
    return await _asked(request, principal, lambda backend, caller: requests.sync(backend, caller, app, options))


@router.post(
    f"{APPLICATION}/rollback", status_code=202, response_model=answers.Asked, openapi_extra=body_of(RollbackOptions)
)
async def rollback(request: Request, principal: Writer, app: str) -> Json:
    """Deploy again what an entry of the history deployed. Hooks are not run."""
    body = await _body(request, RollbackOptions)
    chosen = {"prune": body.prune, "pause": body.pause_automation}
    return await _asked(
        request, principal, lambda backend, caller: requests.rollback(backend, caller, app, body.id, **chosen)
    )


@router.post(
    f"{APPLICATION}/terminate", status_code=202, response_model=answers.Asked, openapi_extra=body_of(NoOptions)
)
async def terminate(request: Request, principal: Writer, app: str) -> Json:
    """End the running operation; what it has applied stays."""
    await _body(request, NoOptions)
    return await _asked(request, principal, lambda backend, caller: requests.terminate(backend, caller, app))


@router.get(f"{APPLICATION}/request", response_model=answers.LastRequest)
def last_request(request: Request, principal: Reader, app: str) -> Json:
    """Get what was asked last and how it ended: phase is null until it has; resources are those of a dry run."""
    services, status = found(request, principal, app)
    last = requests.last_request(services.state, status.id)
    if last is None:
        raise HTTPException(404, "nobody has asked anything of this application yet")
    return {
        "id": last.request.id,
        "by": last.request.by,
        "phase": last.answer.phase if last.answer else None,
        "message": last.answer.message if last.answer else "",
        "resources": [{**view.to_json(), "diff": view.diff} for view in last.preview or ()],
    }


@router.post(
    f"{APPLICATION}/suspend", status_code=202, response_model=answers.Accepted, openapi_extra=body_of(NoOptions)
)
async def suspend(request: Request, principal: Writer, app: str) -> Json:
    """Do nothing more for this application until it is resumed, whatever its manifest says."""
    await _body(request, NoOptions)
    return await _asked(request, principal, lambda backend, caller: suspension.suspend(backend, caller, app))


@router.post(
    f"{APPLICATION}/resume", status_code=202, response_model=answers.Accepted, openapi_extra=body_of(NoOptions)
)
async def resume(request: Request, principal: Writer, app: str) -> Json:
    """Undo a suspension and the pause of a rollback, and look at the application now."""
    await _body(request, NoOptions)
    return await _asked(request, principal, lambda backend, caller: suspension.resume(backend, caller, app))


@router.post(
    f"{APPLICATION}/refresh", status_code=202, response_model=answers.Accepted, openapi_extra=body_of(NoOptions)
)
async def refresh_application(request: Request, principal: Writer, app: str) -> Json:
    """Compare every object with the cluster now, whatever earlier looks remember of it."""
    await _body(request, NoOptions)
    return await _asked(request, principal, lambda backend, caller: refresh.refresh(backend, caller, app))


@router.get(f"{APPLICATION}/refresh", response_model=answers.LastRefresh)
def last_refresh(request: Request, principal: Reader, app: str) -> Json:
    """Get the last refresh: done is false until the comparison; reason says why the last attempt could not compare."""
    services, status = found(request, principal, app)
    last = refresh.last_refresh(services.state, status.id)
    if last is None:
        raise HTTPException(404, "nobody has asked for a refresh of this application yet")
    return {"at": stamp(last.at), "by": last.by, "done": last.done, "reason": last.reason or ""}


@router.delete(APPLICATION, status_code=202, response_model=answers.Accepted, openapi_extra=body_of(DeleteOptions))
async def delete_application(request: Request, principal: Writer, app: str) -> Json:
    """Delete an application whose manifest has left the catalogue, also one that waits for a human's yes."""
    body = await _body(request, DeleteOptions)
    return await _asked(request, principal, lambda backend, caller: deletion.delete(backend, caller, app, body.cascade))


async def _asked(request: Request, principal: Principal, plan: Callable[[Backend, Caller], Change]) -> Json:
    """Plan and submit in a thread: both wait for the store."""

    def ask() -> Json:
        backend = backend_of(services_of(request))
        done = changes.submit(backend, plan(backend, caller_of(request, principal)))
        answer: Json = {"id": done.app, "generation": done.generation}
        return {**answer, "request": done.request.id} if done.request else answer

    return await run_in_threadpool(ask)


async def _body(request: Request, model: type[Model]) -> Model:
    """Read the body after the caller was let in, never before."""
    body = await request.body()
    try:
        return model.model_validate_json(body)
    except ValidationError as problem:
        raise HTTPException(422, first_error(problem)) from None
