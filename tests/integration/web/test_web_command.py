"""`python -m gitops_workers.web`, configured by nothing but its environment."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from gitops_workers.core.documents.kinds import RECEIVER
from gitops_workers.core.documents.polls import StoredReceiver
from gitops_workers.local.child import Child, await_ready
from gitops_workers.redis_client import connect
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_queue, open_state
from tests.documents import raw
from tests.web_world import WRITE, bearer
from tests.webhook_requests import SECRET, github, hook_path

TOKEN = b"a receiver's token"
KEY = "0f" * 32


@pytest.fixture
def process(redis, tmp_path):
    folder = tmp_path / "secrets" / "flux-system" / "receiver-token"
    folder.mkdir(parents=True)
    (folder / "token").write_bytes(TOKEN)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path.cwd()),
        "GITOPS_REDIS_URL": redis.url,
        "GITOPS_CACHE_KEY": KEY,
        "GITOPS_WEB_ADDRESS": f"127.0.0.1:{port}",
        "GITOPS_SECRETS": str(tmp_path / "secrets"),
        "GITOPS_TOKENS": f"write:ops={WRITE}",
        "GITOPS_WEBHOOK_SECRETS": f"github={SECRET.decode()}",
    }
    argv = [sys.executable, "-m", "gitops_workers.web"]
    with Child.spawn(argv, name="web", log=tmp_path / "log", env=environment) as child:
        url = f"http://127.0.0.1:{port}"
        await_ready(child, lambda: _ready(url), timeout=60)
        yield child, url


def test_a_push_becomes_a_message_in_the_broker(site, redis, process):
    _, url = process
    settings = Settings(redis_url=redis.url, cache_key=KEY)
    queue, state = open_queue(settings), open_state(settings)
    queue.enroll_poll("repository/one", "//git.example.com", 500.0)
    queue.enroll_poll("repository/two", "//git.example.com", 500.0)
    state.save(raw("repository"), "github.com/org/app", ["repository/one"])
    secret = ("Secret", "flux-system", "receiver-token")
    receiver = StoredReceiver("flux-system", "hook", "generic", secret, groups=("repository/two",))
    path = hook_path(TOKEN, "hook", "flux-system")
    state.save(RECEIVER, path.rpartition("/")[2], receiver)

    headers, body = github()
    assert httpx.post(f"{url}/api/webhook", content=body, headers=headers).json() == {"accepted": True, "polls": 1}
    assert httpx.post(url + path).json() == {"accepted": True, "polls": 1}

    messages = _broker(redis)
    assert len(messages) == 2
    assert all("gitops.poll" in message for message in messages)
    assert not any(TOKEN.decode() in message or SECRET.decode() in message for message in messages)
    assert httpx.get(f"{url}/api/v1/clusters", headers=bearer(WRITE)).json() == {"items": []}


def test_it_ends_when_told_to_and_has_written_no_secret(process, tmp_path):
    child, url = process
    headers, body = github(secret=b"canary of a wrong secret")
    httpx.post(f"{url}/api/webhook", content=body, headers=headers | {"authorization": f"Bearer {WRITE}"})
    child.signal(signal.SIGTERM)
    assert child.wait(20) is not None
    log = (tmp_path / "log").read_text()
    assert "webhook_rejected" in log
    for secret in (WRITE, SECRET.decode(), TOKEN.decode(), headers["x-hub-signature-256"]):
        assert secret not in log


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GITOPS_TOKENS", "read=canary", "entry 1 has a token of 6 characters"),
        ("GITOPS_WEB_ADDRESS", "nowhere", "host:port"),
        ("GITOPS_WEBHOOK_SECRETS", "svn=canary", "providers are"),
    ],
)
def test_a_mistake_ends_it_with_a_sentence(redis, tmp_path, name, value, words):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    environment |= {"GITOPS_REDIS_URL": redis.url, "GITOPS_CACHE_KEY": KEY, name: value}
    argv = [sys.executable, "-m", "gitops_workers.web"]
    with Child.spawn(argv, name="web", log=tmp_path / "log", env=environment) as child:
        assert child.wait(60) == 2
    log = (tmp_path / "log").read_text()
    assert words in log
    assert "canary" not in log
    assert "Traceback" not in log


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _broker(redis) -> list[str]:
    """The messages in Celery's queues as Redis holds them: headers and decoded bodies."""
    client = connect(redis.url)
    lists = [key for key in client.keys("gitops:celery:*") if client.type(key) == b"list"]
    messages = [json.loads(raw) for key in lists for raw in client.lrange(key, 0, -1)]
    client.close()
    return [json.dumps(item["headers"]) + base64.b64decode(item["body"]).decode() for item in messages]
