"""A server's answer that was cut, at any byte of it, is no list of refs: it is unknown, never empty or shorter."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gitops_workers.adapters.git import GitSources
from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.model import SourceSpec
from gitops_workers.local.git_server import GitServer
from tests.servers.git_repository import BareRepository
from tests.servers.sources import git_sources

PAGE = b"<html><title>Welcome</title></html>"


class Cutter:
    """Relays requests to a Git server and may end the answer of one of them after so many bytes."""

    def __init__(self, port: int) -> None:
        """`port` is the server's."""
        self.behind = port
        self.answers: list[bytes] = []
        self.replies: dict[int, bytes] = {}
        """Number of the request -> what is answered in place of the server's words."""
        self.with_length = True

        class Handler(_Relay):
            cutter = self

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def begin(self, replies: dict[int, bytes]) -> None:
        self.answers, self.replies = [], replies


class _Relay(BaseHTTPRequestHandler):
    cutter: Cutter

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        connection = http.client.HTTPConnection("127.0.0.1", self.cutter.behind, timeout=30)
        with contextlib.closing(connection):
            kept = {name: value for name, value in self.headers.items() if name not in ("Host", "Connection")}
            connection.request(self.command, self.path, body, kept)
            found = connection.getresponse()
            content = found.read()
        length = f"Content-Length: {len(content)}\r\n" if self.cutter.with_length else ""
        kind = found.getheader("Content-Type", "")
        head = f"HTTP/1.1 {found.status} OK\r\nContent-Type: {kind}\r\n{length}Connection: close\r\n\r\n"
        answer = head.encode() + content
        number = len(self.cutter.answers)
        self.cutter.answers.append(answer)
        self.wfile.write(self.cutter.replies.get(number, answer))
        self.close_connection = True

    do_POST = do_GET  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def cutter(server: GitServer) -> Iterator[Cutter]:
    relay = Cutter(server.port)
    yield relay
    relay.close()


def listed(sources: GitSources, cutter: Cutter) -> dict[str, str]:
    source = SourceSpec(f"http://127.0.0.1:{cutter.port}/app.git")
    return dict(sources.refs(source, not_before=float("inf")).refs)


@pytest.mark.parametrize(("with_length", "step"), [(False, 1), (True, 7)])
@pytest.mark.parametrize("request_number", [0, 1])
def test_a_list_that_was_cut_anywhere_is_unknown(
    repository: BareRepository, cutter: Cutter, tmp_path: Path, request_number: int, with_length: bool, step: int
) -> None:
    commit = repository.commit({"a": b"1"})
    complete = {"HEAD": commit, "refs/heads/main": commit}
    cutter.with_length = with_length
    with git_sources(tmp_path / "m") as sources:
        assert listed(sources, cutter) == complete
        whole = cutter.answers[request_number]
        for size in range(0, len(whole), step):
            cutter.begin({request_number: whole[:size]})
            with pytest.raises(SourceUnavailable):
                listed(sources, cutter)
        cutter.begin({request_number: whole})
        assert listed(sources, cutter) == complete


@pytest.mark.parametrize("body", [b"", PAGE, b"1" * 40 + b"\trefs/heads/main\n"], ids=["nothing", "page", "plain list"])
@pytest.mark.parametrize("kind", ["", "text/html", "text/plain", "application/octet-stream"])
def test_an_answer_that_is_not_gits_is_unknown(
    repository: BareRepository, cutter: Cutter, tmp_path: Path, body: bytes, kind: str
) -> None:
    repository.commit({"a": b"1"})
    typed = f"Content-Type: {kind}\r\n" if kind else ""
    answer = f"HTTP/1.1 200 OK\r\n{typed}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    with git_sources(tmp_path / "m") as sources:
        cutter.begin(dict.fromkeys(range(8), answer))
        with pytest.raises(SourceUnavailable):
            listed(sources, cutter)


def test_a_repository_without_a_commit_is_empty_when_git_says_so(cutter: Cutter, tmp_path: Path) -> None:
    with git_sources(tmp_path / "m") as sources:
        assert listed(sources, cutter) == {}
