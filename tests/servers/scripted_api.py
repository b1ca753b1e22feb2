"""An HTTP server on loopback that answers what a test tells it: for what no real API server does on demand."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """`cut`: the connection is closed after so many bytes of the body (0: before the status line)."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cut: int | None = None


Script = Callable[[str, str, dict[str, str]], Reply]
"""Method, path with query, and headers of a request -> its reply."""


@dataclass
class ScriptedApi:
    url: str
    requests: list[tuple[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def scripted_api(script: Script) -> Iterator[ScriptedApi]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            api.requests.append((self.command, self.path))
            reply = script(self.command, self.path, dict(self.headers))
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            if reply.cut != 0:
                self.send_response(reply.status)
                for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: reply.cut])
            if reply.cut is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = ScriptedApi(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": code,
        "details": details,
    }


def serving(objects: Script) -> Script:
    """A script for a server that has ConfigMaps; `objects` answers everything else than discovery."""
    verbs = ["get", "list", "patch"]
    kind = {"responseKind": {"group": "", "version": "v1", "kind": "ConfigMap"}, "resource": "configmaps"}
    version = {"version": "v1", "resources": [{**kind, "scope": "Namespaced", "verbs": verbs}], "freshness": "Current"}
    core = {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {}, "versions": [version]}]}
    answers = {"/version": {"gitVersion": "v1.37.0"}, "/api": core, "/apis": {**core, "items": []}}
    aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    def script(method: str, path: str, headers: dict[str, str]) -> Reply:
        if path in answers:
            return Reply(body=answers[path], content_type=aggregated)
        return objects(method, path, headers)

    return script
