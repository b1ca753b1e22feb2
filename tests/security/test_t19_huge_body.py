"""T19: an endless or huge body costs a megabyte and is answered before any signature or parser looks at it."""

from __future__ import annotations

import resource
import socket

import httpx
import pytest

from tests.servers.web import run_web
from tests.webhook_requests import SECRETS, github

PATHS = ["/api/webhook", "/hook/" + "0" * 64, "/api/v1/applications/a/sync", "/nothing"]
MEBIBYTE = 1_048_576


@pytest.fixture
def port(world):
    with run_web(world.services(webhook_secrets=SECRETS)) as port:
        yield port


def test_an_endless_body_is_cut_off(port):
    """16 GB are on offer; the connection is closed after little more than the limit, and memory does not grow."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(
            b"POST /api/webhook HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\n"
            b"X-Hub-Signature-256: sha256=00\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
        try:
            while sent < 16 * 1024 * MEBIBYTE:
                client.sendall(chunk)
                sent += 65_536
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("the whole body was read")
    # What the two sockets' buffers hold was sent too, but never read.
    assert sent < 64 * MEBIBYTE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_the_sender_is_told_why(port):
    def stream():
        for _ in range(20):
            yield b"a" * 65_536

    answer = httpx.post(f"http://127.0.0.1:{port}/api/webhook", content=stream(), headers={"x-github-event": "push"})
    assert answer.status_code == 413
    assert "1048576 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("length", ["1048577", "17179869184", "9" * 30])
def test_a_declared_length_beyond_the_limit_is_refused_unread(port, length):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(f"POST /api/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        assert client.recv(64).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))


def test_the_largest_allowed_body_is_read(world):
    headers, body = github(padding="x" * (MEBIBYTE - 2_000))
    assert MEBIBYTE - 2_000 < len(body) <= MEBIBYTE
    answer = world.client(webhook_secrets=SECRETS).post("/api/webhook", content=body, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS[:2])
def test_the_limit_holds_on_every_door(world, path):
    assert world.client().post(path, content=b"a" * (MEBIBYTE + 1)).status_code == 413


def test_a_body_that_never_comes_ends(world):
    with (
        run_web(world.services(body_seconds=0.3)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        client.sendall(b"POST /api/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert client.recv(64).startswith(b"HTTP/1.1 408")
