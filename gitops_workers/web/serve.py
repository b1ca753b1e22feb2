"""Runs the web application under uvicorn."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from gitops_workers.settings import split_address
from gitops_workers.web.app import create_app
from gitops_workers.web.connections import Connections
from gitops_workers.web.services import WebServices


def serve(services: WebServices, address: str) -> None:
    """Serve on `host:port` until a TERM or INT signal; requests under way are given ten seconds to end."""
    server(create_app(services), address).run()


def server(app: FastAPI, address: str) -> uvicorn.Server:
    """The configured server, not yet running. `app` is one of `create_app`."""
    host, port = split_address(address)
    services = app.state.services
    assert isinstance(services, WebServices)
    connections = Connections(services.settings.bounds)
    config = uvicorn.Config(
        app,
        http=connections.connection,  # type: ignore[arg-type] # it is called as the class would be
        ws="none",
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        # A header may not tell who the client is: being on loopback is an authority in `up` and `demo`.
        proxy_headers=False,
        h11_max_incomplete_event_size=65_536,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        lifespan="off",
    )
    return uvicorn.Server(config)
