"""T19: an endless or huge body is cut off, costs a bounded memory however many come, and is not parsed unproven."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
import threading

import httpx
import pytest

from tests.documents import raw
from tests.servers.web import run_web
from tests.web_world import WRITE, bearer
from tests.webhook_requests import SECRETS, github

MEBIBYTE = 1_048_576
LARGEST = 25 * MEBIBYTE
CHUNK = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
HEAD = (
    b"POST /api/webhook HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\n"
    b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@pytest.fixture
def port(world):
    with run_web(world.services(webhook_secrets=SECRETS)) as port:
        yield port


def peak() -> int:
    """Bytes of memory that this process, which is the server's too, has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def endless(port: int) -> int:
    """Offer 16 GB; how many bytes were taken until the connection was closed."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(HEAD)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 16 * 1024 * MEBIBYTE:
                client.sendall(CHUNK)
                sent += 65_536
    return sent


def test_an_endless_body_is_cut_off(port):
    before = peak()
    # What the two sockets' buffers hold was sent too, but never read.
    assert endless(port) < LARGEST + 64 * MEBIBYTE
    assert peak() - before < LARGEST + 16 * MEBIBYTE
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_thirty_endless_bodies_at_once_cost_little_more_than_one(port):
    before = peak()
    threads = [threading.Thread(target=endless, args=(port,)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    # All thirty would be 750 MiB. One large and sixteen small ones are 41; sockets, the clients' threads and allocators
    # have come to 33 more in a process that ran a thousand tests before.
    assert peak() - before < 30 * LARGEST // 6
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_the_sender_is_told_why(port):
    def stream():
        for _ in range(420):
            yield b"a" * 65_536

    headers = {"x-github-event": "push", "x-hub-signature-256": "sha256=" + "0" * 64}
    answer = httpx.post(f"http://127.0.0.1:{port}/api/webhook", content=stream(), headers=headers, timeout=60)
    assert answer.status_code == 413
    assert f"{LARGEST} bytes" in answer.json()["detail"]


@pytest.mark.parametrize("length", [str(LARGEST + 1), "17179869184", "9" * 30])
def test_a_declared_length_beyond_the_limit_is_refused_unread(port, length):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        head = HEAD.replace(b"Transfer-Encoding: chunked", f"Content-Length: {length}".encode())
        client.sendall(head)
        assert client.recv(64).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))


@pytest.mark.parametrize("proof", [b"", b"X-Hub-Signature-256: sha256=00\r\n", b"X-Hub-Signature-256: md5=1\r\n"])
def test_what_the_headers_show_to_be_forged_is_refused_unread(port, proof):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"POST /api/webhook HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\n" + proof)
        client.sendall(b"Content-Length: 20000000\r\n\r\n")
        assert client.recv(64).startswith(b"HTTP/1.1 400")


def test_the_largest_push_that_github_sends_is_read(world, port):
    """25 MB of commits as they are: no real event is too large, and none costs ten times itself."""
    world.queue.enroll_poll("repository/one", "", 500.0)
    world.state.save(raw("repository"), "github.com/org/app", ["repository/one"])
    person = {"name": "Ann Example", "email": "ann@example.com", "username": "ann", "date": "2026-11-23T10:00:00Z"}
    commit = {
        "id": "1" * 40,
        "tree_id": "2" * 40,
        "distinct": True,
        "message": "Change a line, and say why\n\n" + "Because it was wrong. " * 20,
        "timestamp": "2026-11-23T10:00:00Z",
        "url": "https://github.com/Org/App/commit/" + "1" * 40,
        "author": person,
        "committer": person,
        "added": ["a/b/c.yaml"],
        "removed": [],
        "modified": ["d/e.yaml", "f.yaml"],
    }
    count = (LARGEST - 10_000) // (len(json.dumps(commit)) + len(", "))
    headers, body = github(commits=[commit] * count)
    assert LARGEST - 20_000 < len(body) <= LARGEST
    before = peak()
    # It sends the body as it is: httpx would hold it twice, in the memory that is measured.
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("POST", "/api/webhook", body, headers)
    answer = client.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"accepted": True, "polls": 1})
    client.close()
    assert peak() - before < 4 * LARGEST


def test_a_proven_body_of_very_many_values_is_refused_before_they_are_made(world):
    headers, body = github(commits=[[]] * 1_000_000)
    before = peak()
    answer = world.client(webhook_secrets=SECRETS).post("/api/webhook", content=body, headers=headers)
    assert answer.status_code == 413
    assert "values" in answer.json()["detail"]
    assert peak() - before < 32 * MEBIBYTE


def test_the_limit_of_the_api_is_that_of_small_things(world):
    headers = bearer(WRITE) | {"Content-Type": "application/json"}
    for path in ("/api/v1/applications/a/sync", "/nothing"):
        answer = world.client().post(path, content=b"a" * (MEBIBYTE + 1), headers=headers)
        assert answer.status_code in (404, 413)
    assert (
        world.client().post("/api/v1/applications/a/sync", content=b"a" * MEBIBYTE, headers=headers).status_code == 422
    )


def test_a_large_event_waits_for_its_turn_and_is_told_when_it_takes_too_long(world):
    """The lane of large bodies is held by somebody who stops in the middle."""
    services = world.services(webhook_secrets=SECRETS, body_seconds=0.5)
    with run_web(services) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as first:
        first.sendall(HEAD + CHUNK * 20)
        headers, body = github(padding="x" * 2 * MEBIBYTE)
        answer = httpx.post(f"http://127.0.0.1:{port}/api/webhook", content=body, headers=headers, timeout=60)
        assert answer.status_code in (200, 408, 503)
        again = httpx.post(f"http://127.0.0.1:{port}/api/webhook", content=body, headers=headers, timeout=60)
        assert again.status_code == 200


def test_a_body_that_never_comes_ends(world):
    with (
        run_web(world.services(body_seconds=0.3, webhook_secrets=SECRETS)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        client.sendall(HEAD.replace(b"Transfer-Encoding: chunked", b"Content-Length: 10") + b"abc")
        assert client.recv(64).startswith(b"HTTP/1.1 408")
