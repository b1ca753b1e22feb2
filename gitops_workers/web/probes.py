"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gitops_workers.web.access import everywhere, services_of

router = APIRouter(tags=["operations"])


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """Tell that this process serves requests; nothing else is asked, for a restart would not heal anything else."""
    return "ok\n"


@router.get("/readyz", response_class=PlainTextResponse)
def readyz(request: Request) -> str:
    """Tell whether the store answers (503 when not): without it no webhook can be accepted."""
    services_of(request).queue.now()
    return "ok\n"


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Give Prometheus its figures; needs a token that sees all projects, unless that was switched off."""
    if not services_of(request).settings.open_metrics:
        everywhere(request)
    registry = request.app.state.registry
    if registry is None:
        raise HTTPException(404, "metrics are off")
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
