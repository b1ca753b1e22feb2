"""Builds the web application out of what it is given."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteException

from gitops_workers.core.errors import Refused
from gitops_workers.web import applications, docs, hooks, probes, problems, requests, stream
from gitops_workers.web.bodies import Bodies
from gitops_workers.web.description import describe
from gitops_workers.web.intake import Intake
from gitops_workers.web.isolation import Isolations
from gitops_workers.web.limits import Limits
from gitops_workers.web.metrics import new_registry
from gitops_workers.web.services import WebServices

DESCRIPTION = """Applications, clusters and events of a gitops-workers installation.
Send a token: `Authorization: Bearer <token>`; what changes something needs the role write and a JSON body.
An application's id is <kind>/<namespace>/<name>; a unique bare name will do."""


def create_app(services: WebServices) -> FastAPI:
    """The ASGI application over these ports and settings; it opens nothing by itself."""
    settings = services.settings
    app = FastAPI(
        title="gitops-workers",
        description=DESCRIPTION,
        # FastAPI's own documentation pages load their scripts from a CDN; ours works in an air-gapped site.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        # A redirect would be built from the Host header, which is the client's.
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.intake = Intake(services)
    app.state.registry = new_registry(services.state, services.telemetry)
    app.state.streams = set()
    app.state.bodies = Bodies(settings.body_limit, settings.body_seconds)
    routers = [part.router for part in (applications, requests, stream, hooks, probes, docs)]
    app.state.registry.register(Isolations(services.telemetry))
    app.state.doors = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    for router in routers:
        app.include_router(router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign] # FastAPI docs, extending OpenAPI
    app.add_exception_handler(StarletteException, problems.refused)
    app.add_exception_handler(RequestValidationError, problems.invalid)
    app.add_exception_handler(Refused, problems.declined)
    app.add_exception_handler(Exception, problems.failed)
    for kind in services.outages:
        app.add_exception_handler(kind, problems.outage)
    app.add_middleware(
        Limits,
        limit=settings.body_limit,
        webhooks=settings.webhook_limit,
        seconds=settings.body_seconds,
        requests=settings.requests,
    )
    return app
