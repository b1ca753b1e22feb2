"""`/api/v1/clusters` and `/api/v1/events`: the fleet's state, and what happens as it happens."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from gitops_workers.core.status.rows import Event
from gitops_workers.services import lookup
from gitops_workers.web import answers
from gitops_workers.web.access import Principal, everywhere, services_of
from gitops_workers.web.description import TOKEN
from gitops_workers.web.problems import documented
from gitops_workers.web.services import WebServices

router = APIRouter(
    prefix="/api/v1", tags=["fleet"], dependencies=[Security(TOKEN)], responses=documented(401, 403, 404)
)
Everywhere = Annotated[Principal, Depends(everywhere)]
WINDOW = 500
"""Events looked at in one read; more than this between two reads of a second are not shown live."""


@router.get("/clusters", response_model=answers.Items[answers.Cluster])
def clusters(request: Request, _: Everywhere) -> dict[str, Any]:
    """List the destination clusters with their queues."""
    return {"items": [view.to_json() for view in services_of(request).state.clusters()]}


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **documented(409, 422, 429)},
)
async def events(
    request: Request,
    principal: Everywhere,
    app: Annotated[str, Query(max_length=600, description="An id or a unique bare name; empty means all.")] = "",
) -> StreamingResponse:
    """Stream events as server-sent events: the newest hundred first, oldest of them first, then each as it happens.

    A client that comes back with `Last-Event-ID` gets what it missed.
    """
    services = services_of(request)
    open_streams: set[object] = request.app.state.streams
    if len(open_streams) >= services.settings.event_streams:
        raise HTTPException(429, "too many event streams are open on this process; close one or try again later")
    if app:
        app = await run_in_threadpool(lookup.subject, services.state, app, principal.projects)
    mark = object()
    open_streams.add(mark)

    async def body() -> AsyncIterator[bytes]:
        try:
            async for part in _follow(services, app, request.headers.get("last-event-id", "")):
                yield part
        finally:
            open_streams.discard(mark)

    return StreamingResponse(body(), media_type="text/event-stream")


async def _follow(services: WebServices, app: str, last: str) -> AsyncIterator[bytes]:
    yield b": open\n\n"
    names: list[str] = [last] if last else []
    first = not last
    while True:
        try:
            window = await run_in_threadpool(services.state.events, app or None, WINDOW)
        except services.outages:
            yield b": the store does not answer\n\n"
        else:
            for event in untold(window, names, 100 if first else WINDOW):
                content = orjson.dumps(event.to_json())
                yield b"id: %s\nevent: %s\ndata: %s\n\n" % (event.id.encode(), b"event", content)
            names, first = [event.id for event in window], False
            yield b": alive\n\n"
        await asyncio.sleep(services.settings.event_seconds)


def untold(window: Sequence[Event], known: Sequence[str], limit: int) -> list[Event]:
    """The events of the window, newest first as read, that are newer than every known one; given oldest first."""
    seen = frozenset(known)
    new = itertools.takewhile(lambda event: event.id not in seen, window)
    return list(itertools.islice(new, limit))[::-1]
