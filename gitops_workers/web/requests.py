"""`/api/v1/applications/<id>/...`: asking for work, and how that ended."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError

from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.core.status.rows import ResourceView, Status
from gitops_workers.core.sync import request as requests
from gitops_workers.core.text import codec
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.web import answers, lookup, wishes
from gitops_workers.web.access import Principal, reader, services_of, writer
from gitops_workers.web.description import TOKEN, body_of
from gitops_workers.web.options import DeleteOptions, NoOptions, RollbackOptions, SyncOptions
from gitops_workers.web.problems import documented, first_error
from gitops_workers.web.services import WebServices

router = APIRouter(
    prefix="/api/v1/applications",
    tags=["applications"],
    dependencies=[Security(TOKEN)],
    responses=documented(401, 403, 404, 409, 415, 422),
)
Reader = Annotated[Principal, Depends(reader)]
Writer = Annotated[Principal, Depends(writer)]
Json = dict[str, Any]
_APP = "/{app:appid}"
Model = TypeVar("Model", bound=BaseModel)


@router.post(f"{_APP}/sync", status_code=202, response_model=answers.Asked, openapi_extra=body_of(SyncOptions))
async def sync_application(request: Request, principal: Writer, app: str) -> Json:
    """Compare with Git now and apply what differs, also where the application does not sync by itself."""
    options = await _options(request, SyncOptions)

    def asked() -> Json:
        chosen = tuple(requests.selector(text) for text in options.resources)
        return {**options.model_dump(exclude={"resources"}), "resources": chosen}

    return await run_in_threadpool(wishes.ask, request, principal, app, "sync", asked)


@router.post(
    f"{_APP}/rollback",
    status_code=202,
    response_model=answers.Asked,
    openapi_extra=body_of(RollbackOptions),
)
async def rollback(request: Request, principal: Writer, app: str) -> Json:
    """Deploy again what an entry of the history deployed. Hooks are not run."""
    options = await _options(request, RollbackOptions)
    wish = {"rollback": options.id, "prune": options.prune, "pause": options.pause_automation}
    return await run_in_threadpool(wishes.ask, request, principal, app, "rollback", lambda: wish)


@router.post(f"{_APP}/terminate", status_code=202, response_model=answers.Asked, openapi_extra=body_of(NoOptions))
async def terminate(request: Request, principal: Writer, app: str) -> Json:
    """End the running operation; what it has applied stays."""
    await _options(request, NoOptions)
    return await run_in_threadpool(wishes.ask, request, principal, app, "terminate", lambda: {"terminate": True})


@router.get(f"{_APP}/request", response_model=answers.LastRequest)
def last_request(request: Request, principal: Reader, app: str) -> Json:
    """Get what was asked last and how it ended: phase is null until it has; resources are those of a dry run."""
    services, status = _find(request, principal, app)
    found = services.state.load_of(status.id, ("request", "answer", "preview"))
    if "request" not in found:
        raise HTTPException(404, "nobody has asked anything of this application yet")
    asked, answer = requests.parse(found["request"]), found.get("answer", {})
    answered, preview = answer.get("id") == asked.id, found.get("preview", {})
    rows = preview["resources"] if answered and preview.get("id") == asked.id else []
    views = [codec.load(ResourceView, row) for row in rows]
    return {
        "id": asked.id,
        "by": asked.by,
        "phase": answer["phase"] if answered else None,
        "message": answer["message"] if answered else "",
        "resources": [{**view.to_json(), "diff": view.diff} for view in views],
    }


@router.post(f"{_APP}/suspend", status_code=202, response_model=answers.Accepted, openapi_extra=body_of(NoOptions))
async def suspend(request: Request, principal: Writer, app: str) -> Json:
    """Do nothing more for this application until it is resumed, whatever its manifest says."""
    await _options(request, NoOptions)
    return await run_in_threadpool(wishes.override, request, principal, app, "suspend", {"suspended": True})


@router.post(f"{_APP}/resume", status_code=202, response_model=answers.Accepted, openapi_extra=body_of(NoOptions))
async def resume(request: Request, principal: Writer, app: str) -> Json:
    """Undo a suspension and the pause of a rollback, and look at the application now."""
    await _options(request, NoOptions)
    mark = {"suspended": False, "resumedAt": services_of(request).queue.now()}
    return await run_in_threadpool(wishes.override, request, principal, app, "resume", mark)


@router.post(f"{_APP}/refresh", status_code=202, response_model=answers.Accepted, openapi_extra=body_of(NoOptions))
async def refresh(request: Request, principal: Writer, app: str) -> Json:
    """Compare every object with the cluster now, whatever earlier looks remember of it."""
    await _options(request, NoOptions)
    return await run_in_threadpool(wishes.refresh, request, principal, app)


@router.get(f"{_APP}/refresh", response_model=answers.LastRefresh)
def last_refresh(request: Request, principal: Reader, app: str) -> Json:
    """Get the last refresh: done is false until the comparison; reason says why the last attempt could not compare."""
    services, status = _find(request, principal, app)
    found = services.state.load_of(status.id, (refreshes.ASKED, refreshes.ANSWER))
    if refreshes.ASKED not in found:
        raise HTTPException(404, "nobody has asked for a refresh of this application yet")
    asked = found[refreshes.ASKED]
    reason = refreshes.reason_of(found.get(refreshes.ANSWER), asked["at"])
    done = not refreshes.is_pending(found)
    return {"at": stamp(asked["at"]), "by": asked["by"], "done": done, "reason": reason or ""}


@router.delete(_APP, status_code=202, response_model=answers.Accepted, openapi_extra=body_of(DeleteOptions))
async def delete_application(request: Request, principal: Writer, app: str) -> Json:
    """Delete an application whose manifest has left the catalogue, also one that waits for a human's yes."""
    options = await _options(request, DeleteOptions)
    return await run_in_threadpool(wishes.delete, request, principal, app, options.cascade)


def _find(request: Request, principal: Principal, app: str) -> tuple[WebServices, Status]:
    services = services_of(request)
    return services, lookup.find(services.state, principal, app)


async def _options(request: Request, model: type[Model]) -> Model:
    """Read the body after the caller was let in, never before."""
    body = await request.body()
    try:
        return model.model_validate_json(body)
    except ValidationError as problem:
        raise HTTPException(422, first_error(problem)) from None
