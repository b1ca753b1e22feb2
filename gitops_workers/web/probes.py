"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Security
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gitops_workers.runtime.heartbeat import report
from gitops_workers.services.wait import missing_processes
from gitops_workers.web.access import everywhere, services_of
from gitops_workers.web.description import TOKEN
from gitops_workers.web.problems import documented

router = APIRouter(tags=["operations"], responses=documented())


_PROBLEMS = documented(422)
_UNREADY = {**_PROBLEMS[503], "content": {**_PROBLEMS[503]["content"], "text/plain": {"schema": {"type": "string"}}}}
_READINESS = {**_PROBLEMS, 503: _UNREADY}


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """Tell that this process serves requests; nothing else is asked, for a restart would not heal anything else."""
    return "ok\n"


@router.get("/readyz", response_class=PlainTextResponse, responses=_READINESS)
def readyz(request: Request, response: Response, strict: bool = False) -> str:
    """Tell whether the store answers (503 when not): without it no webhook can be accepted.

    The text names those of beat and workers that are missing. It is 503 with `strict` only, for monitors: a readiness
    probe must not take away the process that accepts webhooks and serves metrics while the workers are gone.
    """
    services = services_of(request)
    services.queue.now()
    missing = missing_processes(services.state, services.telemetry)
    if missing and strict:
        response.status_code = 503
    return "".join(f"{text}\n" for text in missing) or "ok\n"


@router.get(
    "/metrics",
    dependencies=[Security(TOKEN)],
    response_class=PlainTextResponse,
    responses=documented(401, 403, 404),
)
def metrics(request: Request) -> Response:
    """Give Prometheus its figures; needs a token that sees all projects, unless that was switched off."""
    if not services_of(request).settings.open_metrics:
        everywhere(request)
    services = services_of(request)
    report(services.telemetry, services.process, services.meter)
    registry = request.app.state.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
