"""A real HTTP server that takes events, or answers that it cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = "/correct-horse"
"""The path of the URL; it is a secret, as in the URLs of chats."""


class Received(list[tuple[str, str, bytes]]):
    """Every request: path, `Idempotency-Key` and body. `status` is what is answered from now on."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status
        self.taken: list[tuple[str, str, bytes]] = []
        """Those that were answered with success."""


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, Received]]:
    """A server that answers with this status; its URL and what it was sent."""
    got = Received(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got.append((self.path, self.headers["Idempotency-Key"], body))
            if got.status < 300:
                got.taken.append(got[-1])
            self.send_response(got.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the base class calls it so

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PATH}", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
