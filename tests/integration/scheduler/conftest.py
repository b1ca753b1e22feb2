"""A real Redis, real beat processes, and the messages that came out."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gitops_workers.adapters.redis_queue import RedisQueue
from gitops_workers.local.child import Child
from gitops_workers.local.redis_server import RedisServer, embedded_redis
from gitops_workers.redis_client import connect

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]


def until(what: Callable[[], T], seconds: float = 30) -> T:
    """Poll until the answer is true; the limit is for a broken system, not a promise."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return answer


class Stage:
    def __init__(self, server: RedisServer, folder: Path, stack: ExitStack) -> None:
        self.server = server
        self.client = connect(server.url)
        self.queue = RedisQueue(self.client)
        self.folder = folder
        self.stack = stack

    def beat(self, name: str, **settings: str) -> Child:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GITOPS_")}
        child = self.stack.enter_context(
            Child.spawn(
                [
                    *(sys.executable, "-m", "celery", "-A", "tests.integration.scheduler.bell_app", "beat"),
                    *("-S", "scheduler.beat:DueScheduler", "--loglevel", "INFO", "--pidfile", ""),
                ],
                name=name,
                log=self.folder / f"{name}.log",
                env={**clean, "GITOPS_REDIS_URL": self.server.url, "BELLS_BROKER": self.server.broker_url, **settings},
                cwd=ROOT,
            )
        )
        # Ready: its banner is out, the first tick follows.

        def started() -> bool:
            child.check()
            return "beat: Starting" in child.tail(100)

        until(started)
        return child

    def messages(self, queue: str) -> list[tuple[str, list[Any]]]:
        """Task name and arguments of everything in a Celery queue, oldest first."""
        found = [json.loads(raw) for raw in reversed(self.client.lrange(queue, 0, -1))]
        return [(item["headers"]["task"], json.loads(base64.b64decode(item["body"]))[0]) for item in found]


@pytest.fixture
def stage(tmp_path):
    with ExitStack() as stack:
        server = stack.enter_context(embedded_redis(tmp_path / "redis"))
        made = Stage(server, tmp_path, stack)
        stack.callback(made.client.close)
        yield made
