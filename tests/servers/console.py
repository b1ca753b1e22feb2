"""A real console process: Celery's command line with our command, as its entry point would add it."""

from __future__ import annotations

import contextlib
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.local.child import Child, await_ready
from gitops_workers.local.redis_server import RedisServer

START = """
import sys
from celery.bin.celery import celery
from gitops_workers.console.command import console
celery.add_command(console)
sys.exit(celery(auto_envvar_prefix="CELERY"))
"""


@dataclass(frozen=True, slots=True)
class Console:
    """A running console."""

    url: str
    child: Child

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> tuple[int, str]:
        """Ask for a path below the prefix: status and text."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            with problem:
                return problem.code, problem.read().decode()


@contextlib.contextmanager
def run_console(
    redis: RedisServer, log: Path, port: int, *arguments: str, env: Mapping[str, str] | None = None, prefix: str = ""
) -> Iterator[Console]:
    """Run it until the block ends."""
    argv = [sys.executable, "-c", START, "-b", redis.broker_url, "console", f"--port={port}", *arguments]
    environment = {**os.environ, "GITOPS_REDIS_URL": redis.url, "PYTHONPATH": str(Path.cwd()), **(env or {})}
    with Child.spawn(argv, name="console", log=log, env=environment) as child:
        console = Console(f"http://127.0.0.1:{port}{prefix}", child)
        await_ready(child, lambda: _answers(console), timeout=60, poll=0.2)
        yield console


def _answers(console: Console) -> bool:
    try:
        return console.get("/healthcheck")[0] == 200
    except OSError:
        return False
