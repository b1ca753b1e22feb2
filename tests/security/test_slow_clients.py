"""Clients that begin and never go on, or never read, cost nobody else an answer: on a real server."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gitops_workers.web.connections import Bounds
from tests.fleet import fill
from tests.servers.web import run_web
from tests.web_world import READ, World, bearer

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
BODY = b"POST /api/webhook HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\nContent-Length: 100\r\n\r\nabc"
ANSWERED = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc"


@contextlib.contextmanager
def half_open(port: int, count: int, said: bytes, addresses: int = 1) -> Iterator[list[socket.socket]]:
    """So many connections from so many addresses of loopback, each of which says the beginning of a request."""
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(count):
            source = (f"127.0.1.{number % addresses + 1}", 0)
            client = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=source)
            stack.enter_context(client)
            with contextlib.suppress(OSError):  # cut already: that is an answer, too
                client.sendall(said)
            found.append(client)
        yield found


def healthy(port: int) -> list[int]:
    """Each on a connection of its own, as a probe does it."""
    return [httpx.get(f"http://127.0.0.1:{port}{path}", timeout=20).status_code for path in ("/healthz", "/readyz")]


def closed(client: socket.socket, said: bytes = b"") -> bool:
    """Wait until the server cuts it, going on with the same words all the time; False after 15 s."""
    client.settimeout(0.05)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            client.sendall(said)
            if not client.recv(65_536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def established(server: int, client: int) -> bool:
    """Whether the server's end of a connection is open still: what is unread keeps the client's end from hearing."""
    ends, state = f":{server:04X} 0100007F:{client:04X}", " 01 "
    return any(ends in line and state in line for line in Path("/proc/net/tcp").read_text().splitlines())


@pytest.mark.parametrize("said", [b"", HEAD, BODY, ANSWERED], ids=["nothing", "half a head", "half a body", "answered"])
@pytest.mark.parametrize("addresses", [1, 200])
def test_probes_and_pushes_are_answered_beside_six_hundred_half_open_connections(
    world: World, said: bytes, addresses: int
) -> None:
    with run_web(world.services()) as port, half_open(port, 600, said, addresses):
        assert healthy(port) == [200, 200]
        answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/applications", headers=bearer(READ), timeout=20)
        assert answer.status_code == 200


@pytest.mark.parametrize("said", [b"", HEAD])
def test_a_head_that_never_ends_is_cut(world: World, said: bytes) -> None:
    with run_web(world.services(bounds=Bounds(head_seconds=0.2))) as port, half_open(port, 1, said) as clients:
        assert closed(clients[0])


def test_dripping_a_head_wins_no_time(world: World) -> None:
    with run_web(world.services(bounds=Bounds(head_seconds=0.5))) as port, half_open(port, 1, HEAD) as (client,):
        assert closed(client, b"X-A: b\r\n")


def test_a_second_request_that_never_ends_is_cut_as_the_first(world: World) -> None:
    bounds = Bounds(head_seconds=0.3)
    whole = HEAD + b"\r\n"
    with run_web(world.services(bounds=bounds)) as port, half_open(port, 1, whole + HEAD) as (client,):
        assert closed(client)


def test_what_is_still_sent_after_the_answer_is_cut(world: World) -> None:
    with run_web(world.services(bounds=Bounds(head_seconds=0.3))) as port, half_open(port, 1, ANSWERED) as (client,):
        assert closed(client, b"abc")


def test_who_does_not_read_the_answer_is_cut(world: World) -> None:
    fill(world.state, 3000)
    head = f"GET /api/v1/applications?limit=500 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {READ}\r\n\r\n"
    with run_web(world.services(bounds=Bounds(write_seconds=0.3))) as port, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", port))
        client.sendall(head.encode() * 30)
        deadline = time.monotonic() + 15
        while established(port, client.getsockname()[1]):
            assert time.monotonic() < deadline, "the connection is still open"
            time.sleep(0.05)


def test_one_address_cannot_take_the_place_of_another(world: World) -> None:
    """The connection that another address keeps open survives, and is answered."""
    bounds = Bounds(connections=64, per_address=16)
    with (
        run_web(world.services(bounds=bounds)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as other,
        half_open(port, 200, HEAD),
    ):
        other.sendall(HEAD + b"\r\n")
        assert other.recv(64).startswith(b"HTTP/1.1 200")


def test_a_request_that_is_being_answered_is_never_cut(world: World) -> None:
    with run_web(world.services(bounds=Bounds(connections=8, per_address=4), event_seconds=0.05)) as port:
        url = f"http://127.0.0.1:{port}/api/v1/events"
        with httpx.stream("GET", url, headers=bearer(READ), timeout=20) as answer:
            lines = answer.iter_lines()
            assert next(lines) == ": open"
            with half_open(port, 50, HEAD, addresses=10):
                assert healthy(port) == [200, 200]
                for _ in range(20):
                    next(lines)


def test_probes_are_answered_when_no_other_request_is(world: World) -> None:
    with run_web(world.services(requests=1, event_seconds=0.05)) as port:
        url = f"http://127.0.0.1:{port}/api/v1"
        with httpx.stream("GET", f"{url}/events", headers=bearer(READ), timeout=20) as answer:
            lines = answer.iter_lines()
            assert next(lines) == ": open"
            refused = httpx.get(f"{url}/clusters", headers=bearer(READ), timeout=20)
            assert refused.status_code == 503
            assert healthy(port) == [200, 200]
            next(lines)
