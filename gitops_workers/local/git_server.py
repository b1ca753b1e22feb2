"""A Git server over smart HTTP for the bare repositories of one folder: the demo's "GitHub", and the tests'.

Git's own `git http-backend` speaks the protocol (`local.git_http`), so it is the real thing to every client. For tests
the server counts what clients ask and can stop answering.

Loopback only and without TLS: nothing outside this machine may reach it.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hmac
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gitops_workers.core.errors import Refused
from gitops_workers.local.git_http import GitHttp


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
        self._http = GitHttp(("127.0.0.1", port), self)
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
