"""`/api/v1/applications/<id>/...`: asking for work, and how that ended."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gitops_workers.core import codec
from gitops_workers.core import refresh as refreshes
from gitops_workers.core import request as requests
from gitops_workers.core.leaving import Cascade
from gitops_workers.core.moments import stamp
from gitops_workers.core.status import ResourceView, Status
from gitops_workers.web import lookup, wishes
from gitops_workers.web.access import Principal, reader, services_of, writer
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

    prune: bool = Field(False, description="Delete what is no longer in Git, as much as it may be.")
    revision: str = Field("", max_length=requests.LONGEST_TEXT, description="Sync this instead of targetRevision.")
    resources: list[str] = Field(
        [],
        max_length=requests.MOST_SELECTORS,
        description="Only these objects, or all but these: [!]GROUP:KIND:[NAMESPACE/]NAME.",
    )
    dry_run: bool = Field(False, alias="dryRun", description="Show what would be done, at .../request.")
    force: bool = Field(False, description="Delete and create an object whose immutable field changed.")


class RollbackOptions(BaseModel):
    """What a rollback may be told."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: int = Field(ge=0, description="The entry of the history to deploy again.")
    prune: bool = Field(False, description="Delete what was not there then.")
    pause_automation: bool = Field(
        False, alias="pauseAutomation", description="Sync no more by itself until it is resumed."
    )


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


@router.post(f"{_APP}/sync", status_code=202, openapi_extra=_body(SyncOptions))
async def sync_application(request: Request, principal: Writer, app: str) -> Json:
    """Compare with Git now and apply what differs, also where the application does not sync by itself."""
    options = await _options(request, SyncOptions)

    def asked() -> Json:
        chosen = tuple(requests.selector(text) for text in options.resources)
        return {**options.model_dump(exclude={"resources"}), "resources": chosen}

    return await run_in_threadpool(wishes.ask, request, principal, app, "sync", asked)


@router.post(f"{_APP}/rollback", status_code=202, openapi_extra=_body(RollbackOptions))
async def rollback(request: Request, principal: Writer, app: str) -> Json:
    """Deploy again what an entry of the history deployed. Hooks are not run."""
    options = await _options(request, RollbackOptions)
    wish = {"rollback": options.id, "prune": options.prune, "pause": options.pause_automation}
    return await run_in_threadpool(wishes.ask, request, principal, app, "rollback", lambda: wish)


@router.post(f"{_APP}/terminate", status_code=202, openapi_extra=_body(NoOptions))
async def terminate(request: Request, principal: Writer, app: str) -> Json:
    """End the running operation; what it has applied stays."""
    await _options(request, NoOptions)
    return await run_in_threadpool(wishes.ask, request, principal, app, "terminate", lambda: {"terminate": True})


@router.get(f"{_APP}/request")
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


@router.post(f"{_APP}/suspend", status_code=202, openapi_extra=_body(NoOptions))
async def suspend(request: Request, principal: Writer, app: str) -> Json:
    """Do nothing more for this application until it is resumed, whatever its manifest says."""
    await _options(request, NoOptions)
    return await run_in_threadpool(wishes.override, request, principal, app, "suspend", {"suspended": True})


@router.post(f"{_APP}/resume", status_code=202, openapi_extra=_body(NoOptions))
async def resume(request: Request, principal: Writer, app: str) -> Json:
    """Undo a suspension and the pause of a rollback, and look at the application now."""
    await _options(request, NoOptions)
    mark = {"suspended": False, "resumedAt": services_of(request).queue.now()}
    return await run_in_threadpool(wishes.override, request, principal, app, "resume", mark)


@router.post(f"{_APP}/refresh", status_code=202, openapi_extra=_body(NoOptions))
async def refresh(request: Request, principal: Writer, app: str) -> Json:
    """Compare every object with the cluster now, whatever earlier looks remember of it."""
    await _options(request, NoOptions)
    return await run_in_threadpool(wishes.refresh, request, principal, app)


@router.get(f"{_APP}/refresh")
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


@router.delete(_APP, status_code=202, openapi_extra=_body(DeleteOptions))
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
        return model.model_validate_json(body or b"{}")
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise HTTPException(422, f"{place}: {first['msg']}") from None
