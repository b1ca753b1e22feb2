"""Smart HTTP around `git http-backend`, Git's own CGI program: requests in, its answers out, streamed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

CHUNK_BYTES = 65_536
"""Read and written at once: a pack is streamed, never held."""


class Host(Protocol):
    """Whose repositories are served, to whom, and what is counted of it."""

    @property
    def root(self) -> Path:
        """The folder of the bare repositories."""

    @property
    def push(self) -> bool:
        """Whether clients may write."""

    def wait_while_hanging(self) -> None:
        """Block as long as nothing is to be answered."""

    def admits(self, authorization: str | None) -> bool:
        """Whether a request with this `Authorization` header may pass."""

    def count(self, kind: str) -> None:
        """Note one request of this kind."""


class GitHttp(ThreadingHTTPServer):
    """Answers each connection in a thread of its own."""

    daemon_threads = True
    block_on_close = False  # a hanging client must not keep the server from ending
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], git: Host) -> None:
        self.git = git
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # git asks twice per fetch: one connection for both
    server: GitHttp

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the overridden name)
        """Keep quiet: request lines are the client's business, and there is `traffic`."""

    def _answer(self) -> None:
        git = self.server.git
        git.wait_while_hanging()
        if not git.admits(self.headers.get("Authorization")):
            self.close_connection = True  # its body was not read
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="local git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError), self._backend() as backend:
            feeder = threading.Thread(target=self._feed, args=(backend,), daemon=True)
            feeder.start()
            self._relay(backend)
            feeder.join()

    @contextlib.contextmanager
    def _backend(self) -> Iterator[subprocess.Popen[bytes]]:
        path, _, query = self.path.partition("?")
        git = self.server.git
        if path.endswith("/info/refs") and "git-upload-pack" in query:
            git.count("advertisements")
        configuration = {"http.receivepack": str(git.push).lower(), "safe.directory": "*"}
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": str(len(configuration)),
            "GIT_PROJECT_ROOT": str(git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        for number, (key, value) in enumerate(configuration.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        process = subprocess.Popen(
            ["git", "http-backend"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def _feed(self, backend: subprocess.Popen[bytes]) -> None:
        """Hand the request body to the backend and count what it asks for."""
        assert backend.stdin is not None
        first = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ValueError):
            for part in self._body():
                if first:
                    self._count_post(part)
                    first = False
                backend.stdin.write(part)
        with contextlib.suppress(BrokenPipeError):
            backend.stdin.close()

    def _count_post(self, start: bytes) -> None:
        if self.path.endswith("/git-receive-pack"):
            self.server.git.count("pushes")
        elif self.path.endswith("/git-upload-pack"):
            if self.headers.get("Content-Encoding") == "gzip":
                start = zlib.decompressobj(wbits=31).decompress(start)
            self.server.git.count("listings" if b"command=ls-refs" in start[:64] else "fetches")

    def _body(self) -> Iterator[bytes]:
        """Yield the request body; git sends a large push in chunks of unknown total length."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left and (part := self.rfile.read(min(left, CHUNK_BYTES))):
            left -= len(part)
            yield part

    def _relay(self, backend: subprocess.Popen[bytes]) -> None:
        """Turn the CGI answer into an HTTP one, in chunks since its length is not known."""
        assert backend.stdout is not None
        headers = []
        status = 200
        while line := backend.stdout.readline().rstrip(b"\r\n").decode("latin-1"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif name.lower() != "content-length":
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while part := backend.stdout.read1(CHUNK_BYTES):  # type: ignore[attr-defined]  # a BufferedReader has it
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
