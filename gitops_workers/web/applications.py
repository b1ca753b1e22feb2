"""`/api/v1/applications`: what is known of applications."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Security
from fastapi.responses import Response

from gitops_workers.core.status.rows import Status
from gitops_workers.ports import StatusQuery
from gitops_workers.services import details, history, listing, lookup
from gitops_workers.services.explain import explanation_of
from gitops_workers.web import answers
from gitops_workers.web.access import Principal, reader, services_of
from gitops_workers.web.application_path import APPLICATION
from gitops_workers.web.description import TOKEN
from gitops_workers.web.listing import decode_cursor, encode_cursor
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


@router.get("", response_model=answers.Page[answers.Application])
def list_applications(request: Request, principal: Reader, filters: Annotated[Filters, Query()]) -> Response:
    """List applications, filtered and sorted, a page at a time."""
    query = StatusQuery(offset=decode_cursor(filters.cursor), **filters.model_dump(exclude={"cursor"}))
    page = listing.page(services_of(request).state, query, principal.projects)
    following = query.offset + len(page.rows)
    more = bool(page.rows) and following < page.total
    return answers.written(
        {
            "items": [row.to_json() for row in page.rows],
            "total": page.total,
            "cursor": encode_cursor(following) if more else None,
        }
    )


@router.get(f"{APPLICATION}/resources", response_model=answers.Items[answers.Resource])
def resources(request: Request, principal: Reader, app: str) -> Response:
    """List the application's objects with their health."""
    services, status = found(request, principal, app)
    return answers.written({"items": [view.to_json() for view in services.state.resources(status.id)]})


@router.get(f"{APPLICATION}/diff", response_model=answers.Differences)
def diff(request: Request, principal: Reader, app: str) -> Response:
    """List the objects that differ from Git; the values of Secrets are masked."""
    services, status = found(request, principal, app)
    differing = details.diff(services.state, status)
    items = [{**view.to_json(), "diff": view.diff} for view in differing.resources]
    return answers.written({"sync": differing.sync, "message": differing.message, "items": items})


@router.get(f"{APPLICATION}/explain", response_model=answers.Explanation)
def explain(request: Request, principal: Reader, app: str) -> Response:
    """Say what the last look made of each stage, why nothing happens now, and when the next look is due."""
    services, status = found(request, principal, app)
    return answers.written(explanation_of(services.state, services.queue, status).to_json())


@router.get(f"{APPLICATION}/history", response_model=answers.Items[answers.HistoryEntry])
def list_history(request: Request, principal: Reader, app: str) -> Response:
    """List the application's finished deployments, newest first."""
    services, status = found(request, principal, app)
    return answers.written({"items": [entry.to_json() for entry in history.history(services.state, status.id)]})


@router.get(f"{APPLICATION}/events", response_model=answers.Items[answers.Happening])
def list_events(
    request: Request, principal: Reader, app: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Response:
    """List the application's events, newest first."""
    state = services_of(request).state
    subject = lookup.subject(state, app, principal.projects)
    return answers.written({"items": [event.to_json() for event in state.events(subject, limit)]})


@router.get(APPLICATION, response_model=answers.ApplicationDetail)
def get_application(request: Request, principal: Reader, app: str) -> Response:
    """Get one application by id or unique bare name, with its objects and history."""
    services, status = found(request, principal, app)
    return answers.written(details.details(services.state, status).to_json())


def found(request: Request, principal: Principal, app: str) -> tuple[WebServices, Status]:
    """The application that a path names, and the ports to ask about it. Raises what `lookup.find` raises."""
    services = services_of(request)
    return services, lookup.find(services.state, app, principal.projects)
