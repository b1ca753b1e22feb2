"""Idle links to Redis are cut between two pushes, as firewalls and failovers do: no push is lost, and none is a 500."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gitops_workers.local.child import Child, await_ready
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_queue, open_state
from tests.documents import raw
from tests.integration.web.conftest import Site
from tests.servers.tcp_proxy import TcpProxy, tcp_proxy
from tests.webhook_requests import SECRET, github

KEY = "0f" * 32
GROUP = "repository/one"


@pytest.fixture
def proxy(site: Site) -> Iterator[TcpProxy]:
    with tcp_proxy(site.redis.url) as found:
        yield found


@pytest.fixture
def url(proxy: TcpProxy, tmp_path: Path) -> Iterator[str]:
    """The web process, which sees Redis through the proxy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path.cwd()),
        "GITOPS_REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0",
        "GITOPS_CACHE_KEY": KEY,
        "GITOPS_WEB_ADDRESS": f"127.0.0.1:{port}",
        "GITOPS_WEBHOOK_SECRETS": f"github={SECRET.decode()}",
    }
    with Child.spawn(
        [sys.executable, "-m", "gitops_workers.web"], name="web", log=tmp_path / "log", env=environment
    ) as child:
        found = f"http://127.0.0.1:{port}"
        await_ready(child, lambda: _ready(found), timeout=60)
        yield found


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "ended"])
def test_a_push_after_the_links_were_cut_is_taken_and_rings(site: Site, proxy: TcpProxy, url: str, reset: bool) -> None:
    settings = Settings(redis_url=site.redis.url, cache_key=KEY)
    queue, state = open_queue(settings), open_state(settings)
    queue.enroll_poll(GROUP, "", 500.0)
    state.save(raw("repository"), "github.com/org/app", [GROUP])
    headers, body = github()
    codes = []
    for _ in range(20):
        answer = httpx.post(f"{url}/api/webhook", content=body, headers=headers, timeout=30)
        codes.append((answer.status_code, answer.text[:200]))
        attempt = queue.begin_poll(GROUP, 30.0)
        assert attempt is not None, "the push is not stored"
        queue.finish_poll(attempt, 500.0)
        assert proxy.cut(reset=reset) > 0
    assert {code for code, _ in codes} == {200}
