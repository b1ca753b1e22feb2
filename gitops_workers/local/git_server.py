"""A Git server over smart HTTP for the bare repositories of one folder: the demo's "GitHub", and the tests'.

Git's own `git http-backend` (a CGI program) speaks the protocol, so it is the real thing to every client; this module
is only the HTTP around it. For tests it counts what clients ask and can stop answering.

Loopback only and without TLS: nothing outside this machine may reach it.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hmac
import os
import shutil
import signal
import subprocess
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from gitops_workers.core.errors import Refused

CHUNK_BYTES = 65_536
"""Read and written at once: a pack is streamed, never held."""


class GitMissing(Refused):
    """There is no git program on PATH."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What clients have asked since the server started (requests that were let in; a frozen snapshot)."""

    advertisements: int = 0
    """`GET info/refs` of upload-pack: one per ls-remote or fetch."""
    listings: int = 0
    """`POST git-upload-pack` with protocol v2's `ls-refs`: the listing of references itself."""
    fetches: int = 0
    """Other `POST git-upload-pack`: negotiation rounds and packs, so objects were wanted."""
    pushes: int = 0
    """`POST git-receive-pack`."""
    refused: int = 0
    """Answered 401: no credential or a wrong one. Git asks without one first."""


class GitServer:
    """A running server; see `git_server`."""

    def __init__(self, root: Path, port: int, push: bool, credential: tuple[str, str] | None) -> None:
        """Listen at once; `serve` answers."""
        self.root = root.resolve()
        self.push = push
        self._credential = credential
        self._traffic = Traffic()
        self._counting = threading.Lock()
        self._answering = threading.Event()
        self._answering.set()
        self._http = _Http(("127.0.0.1", port), self)
        self.port: int = self._http.server_address[1]

    @property
    def base_url(self) -> str:
        """The URL of the folder, without a slash at its end and without a credential."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, repository: str) -> str:
        """Return the URL of a bare repository, named by its path under the root ("team/app.git")."""
        return f"{self.base_url}/{repository}"

    @property
    def traffic(self) -> Traffic:
        """What was asked so far."""
        with self._counting:
            return self._traffic

    def hang(self) -> None:
        """From now on take requests and answer none, as an overloaded server does."""
        self._answering.clear()

    def resume(self) -> None:
        """Answer again, also those that wait."""
        self._answering.set()

    def serve(self) -> None:
        """Answer requests until `close`."""
        self._http.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop answering and free the port."""
        self._http.shutdown()
        self._answering.set()
        self._http.server_close()

    def admits(self, authorization: str | None) -> bool:
        """Whether a request with this `Authorization` header may pass."""
        if self._credential is None:
            return True
        expected = "Basic " + base64.b64encode(":".join(self._credential).encode()).decode()
        admitted = hmac.compare_digest((authorization or "").encode(), expected.encode())
        if not admitted:
            self.count("refused")
        return admitted

    def count(self, kind: str) -> None:
        """Add one request to the traffic."""
        with self._counting:
            self._traffic = replace(self._traffic, **{kind: getattr(self._traffic, kind) + 1})

    def wait_while_hanging(self) -> None:
        """Block while the server hangs."""
        self._answering.wait()


@contextlib.contextmanager
def git_server(
    root: Path, *, push: bool = False, user: str | None = None, password: str | None = None, port: int = 0
) -> Iterator[GitServer]:
    """Serve the bare repositories under `root` while the block runs; `port` 0 takes a free one.

    With `user` and `password` every request needs that basic credential. `push` lets clients write.
    """
    if shutil.which("git") is None:
        raise GitMissing("the local Git server needs the git program, and there is none on PATH; install git")
    credential = None if user is None else (user, password or "")
    server = GitServer(root, port, push, credential)
    thread = threading.Thread(target=server.serve, name="git-server", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging client must not keep the server from ending
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], git: GitServer) -> None:
        self.git = git
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # git asks twice per fetch: one connection for both
    server: _Http

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a folder until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m gitops_workers.local.git_server", description=__doc__)
    parser.add_argument("root", type=Path, help="the folder of bare repositories")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--push", action="store_true", help="let clients push")
    options = parser.parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with git_server(options.root, push=options.push, port=options.port) as server:
        print(f"Git server of {server.root} at {server.base_url}", flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
