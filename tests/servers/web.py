"""The web application under a real uvicorn on loopback."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from gitops_workers.web.app import create_app
from gitops_workers.web.serve import server
from gitops_workers.web.services import WebServices


@contextlib.contextmanager
def run_web(services: WebServices) -> Iterator[int]:
    """Serve until the block ends; gives the port."""
    running = server(create_app(services), "127.0.0.1:0")
    thread = threading.Thread(target=running.run, name="web", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not running.started:
            assert thread.is_alive(), "uvicorn did not start"
            assert time.monotonic() < deadline, "uvicorn is not ready"
            time.sleep(0.02)
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:
        running.should_exit = True
        thread.join(20)
