"""A real Redis with the real ports on it, and the web application under uvicorn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from gitops_workers.adapters.redis_queue import RedisQueue
from gitops_workers.adapters.redis_state import RedisState
from gitops_workers.adapters.redis_telemetry import RedisTelemetry
from gitops_workers.local.redis_server import RedisServer, embedded_redis
from gitops_workers.ports import TaskMessage
from gitops_workers.redis_client import connect
from gitops_workers.web.services import WebServices, WebSettings
from tests.servers.web import run_web
from tests.web_world import TOKENS
from tests.webhook_requests import SECRETS


@dataclass
class Site:
    """What a test of a running web process looks at."""

    redis: RedisServer
    queue: RedisQueue
    state: RedisState
    port: int = 0
    published: list[TaskMessage] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def redis(tmp_path_factory) -> Iterator[RedisServer]:
    with embedded_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def site(redis) -> Iterator[Site]:
    client = connect(redis.url)
    client.flushall()
    queue = RedisQueue(client)
    site = Site(redis, queue, RedisState(client, queue.cluster_loads, RedisTelemetry(client).presence))
    settings = WebSettings(webhook_secrets=SECRETS, tokens=TOKENS, event_seconds=0.05)
    services = WebServices(site.state, queue, site.published.extend, settings, RedisTelemetry(client))
    with run_web(services) as site.port:
        yield site
    client.close()
