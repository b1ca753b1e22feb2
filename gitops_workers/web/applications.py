"""`/api/v1/applications`: what is known of applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Security
from fastapi.responses import Response

from gitops_workers.core.status.rows import Status
from gitops_workers.pipeline.reconcile.explanation import explanation_of
from gitops_workers.ports import StatusQuery
from gitops_workers.web import answers, history, lookup
from gitops_workers.web.access import Principal, reader, services_of
from gitops_workers.web.dependencies import dependencies_of
from gitops_workers.web.description import TOKEN
from gitops_workers.web.listing import decode_cursor, encode_cursor, page
from gitops_workers.web.options import Filters
from gitops_workers.web.problems import documented
from gitops_workers.web.services import WebServices

router = APIRouter(
    prefix="/api/v1/applications",
    tags=["applications"],
    dependencies=[Security(TOKEN)],
    responses=documented(401, 403, 404, 409, 422),
)
Reader = Annotated[Principal, Depends(reader)]
Json = dict[str, Any]
_APP = "/{app:appid}"


@router.get("", response_model=answers.Page[answers.Application])
def list_applications(request: Request, principal: Reader, filters: Annotated[Filters, Query()]) -> Response:
    """List applications, filtered and sorted, a page at a time."""
    query = StatusQuery(offset=decode_cursor(filters.cursor), **filters.model_dump(exclude={"cursor"}))
    found = page(services_of(request).state, principal, query)
    following = query.offset + len(found.rows)
    more = bool(found.rows) and following < found.total
    return answers.written(
        {
            "items": [lookup.shown(row) for row in found.rows],
            "total": found.total,
            "cursor": encode_cursor(following) if more else None,
        }
    )


@router.get(f"{_APP}/resources", response_model=answers.Items[answers.Resource])
def resources(request: Request, principal: Reader, app: str) -> Response:
    """List the application's objects with their health."""
    services, status = _find(request, principal, app)
    return answers.written({"items": [view.to_json() for view in services.state.resources(status.id)]})


@router.get(f"{_APP}/diff", response_model=answers.Items[answers.Difference])
def diff(request: Request, principal: Reader, app: str) -> Response:
    """List the objects that differ from Git, with a unified diff each; the values of Secrets are masked."""
    services, status = _find(request, principal, app)
    views = [view for view in services.state.resources(status.id) if view.diff]
    return answers.written({"items": [{**view.to_json(), "diff": view.diff} for view in views]})


@router.get(f"{_APP}/explain", response_model=answers.Explanation)
def explain(request: Request, principal: Reader, app: str) -> Response:
    """Say what the last look made of each stage, why nothing happens now, and when the next look is due."""
    services, status = _find(request, principal, app)
    found = explanation_of(services.state, services.queue, status, services.queue.now())
    return answers.written(found.to_json())


@router.get(f"{_APP}/history", response_model=answers.Items[answers.HistoryEntry])
def list_history(request: Request, principal: Reader, app: str) -> Response:
    """List the application's finished deployments, newest first."""
    services, status = _find(request, principal, app)
    return answers.written({"items": history.history_of(services.state, status.id)})


@router.get(f"{_APP}/events", response_model=answers.Items[answers.Happening])
def list_events(
    request: Request, principal: Reader, app: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Response:
    """List the application's events, newest first."""
    services, status = _find(request, principal, app)
    return answers.written({"items": [event.to_json() for event in services.state.events(status.id, limit)]})


@router.get(_APP, response_model=answers.ApplicationDetail)
def get_application(request: Request, principal: Reader, app: str) -> Response:
    """Get one application by id or unique bare name, with its objects and history."""
    services, status = _find(request, principal, app)
    objects: Sequence[Json] = [view.to_json() for view in services.state.resources(status.id)]
    return answers.written(
        {
            **lookup.shown(status),
            "dependsOn": dependencies_of(services.state, status.id),
            "resources": objects,
            "history": history.history_of(services.state, status.id),
        }
    )


def _find(request: Request, principal: Principal, app: str) -> tuple[WebServices, Status]:
    services = services_of(request)
    return services, lookup.find(services.state, principal, app)
