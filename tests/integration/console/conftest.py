"""A real Flower process with our pages, over a real Redis with a fleet in it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gitops_workers.core.status.rows import Status
from gitops_workers.core.telemetry.presence import BEAT, WORKER, Process
from gitops_workers.local.redis_server import RedisServer, embedded_redis
from gitops_workers.ports import State, Telemetry
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_state, open_telemetry
from tests.fleet import fill
from tests.servers.console import Console, run_console

KEY = "0f" * 32
Start = Callable[..., AbstractContextManager[Console]]


@pytest.fixture(scope="module")
def redis(tmp_path_factory) -> Iterator[RedisServer]:
    with embedded_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def state(redis) -> State:
    return open_state(Settings(redis_url=redis.url, cache_key=KEY))


@pytest.fixture(scope="module")
def telemetry(redis) -> Telemetry:
    return open_telemetry(Settings(redis_url=redis.url))


@pytest.fixture(scope="module")
def worker(telemetry) -> Process:
    """The heartbeats of a beat and of a worker of all fleets, which is returned."""
    process = Process(WORKER, "one@host", ("control", "fleet.default", "fleet.edge"))
    for one in (Process(BEAT, "beat@host"), process):
        telemetry.report(one, {})
    return process


@pytest.fixture(scope="module")
def rows(state) -> list[Status]:
    return fill(state, 1_200)


@pytest.fixture(scope="module")
def start(redis, tmp_path_factory) -> Start:
    """Run a console with these options and environment."""

    def run(*arguments: str, env: dict[str, str] | None = None, prefix: str = "") -> AbstractContextManager[Console]:
        folder: Path = tmp_path_factory.mktemp("console")
        environment = {"GITOPS_CACHE_KEY": KEY, **(env or {})}
        return run_console(redis, folder / "log", _free_port(), *arguments, env=environment, prefix=prefix)

    return run


@pytest.fixture(scope="module")
def console(start, rows, worker) -> Iterator[Console]:
    """One console over the fleet, as it starts by itself."""
    with start() as running:
        yield running


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
