"""One measured fleet: real API server, Redis, Git repository and engine processes, and the figures of its life."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis

from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.local.control_planes import control_planes
from gitops_workers.local.kube_programs import AUDITED, StaticToken, write_config
from gitops_workers.local.redis_server import embedded_redis
from gitops_workers.ports import State
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_state
from tests.bench import fleet
from tests.bench.accounts import PeakMemory, cpu_seconds, difference, requests, tree
from tests.servers.engine import RunningEngine, free_port, running_engine

TOKEN = "bench-token-of-the-engine"
SECRET = "bench-webhook-secret"


@dataclass(slots=True)
class Bench:
    """A running fleet and what to read of it."""

    plane: ControlPlane
    engine: RunningEngine
    repository: Path
    redis_pid: int
    size: int
    state: State
    web: httpx.Client
    """One client for all webhooks: a new one reads the certificates of all authorities, 20 ms of CPU each time."""

    @property
    def roots(self) -> list[int]:
        """The engine's processes: beat, workers, web and Redis."""
        return [self.redis_pid, *(child.pid for child in self.engine.children.values())]

    def cpu(self) -> float:
        """CPU seconds of the engine so far, with the tools it has run."""
        return cpu_seconds(tree(self.roots))

    def requests(self) -> dict[str, int]:
        """Requests of the engine so far. The API server writes its log in batches of at most a second."""
        time.sleep(1.5)
        return requests(self.plane.folder / "audit.log")

    def synced(self) -> int:
        """Applications that are in sync and healthy."""
        counts = self.state.counts()
        return min(counts["sync"].get("Synced", 0), counts["health"].get("Current", 0))

    def renders(self) -> int:
        """Renders so far: entries of the shared render cache, which holds each distinct input once."""
        client = redis.Redis.from_url(self.engine.settings.redis_url)
        return sum(1 for _ in client.scan_iter(match="gitops:cache:*", count=10_000))

    def push(self, commit: str, repository: Path | None = None) -> None:
        """The webhook of a push, signed as GitHub does."""
        url = (repository or self.repository).as_uri()
        payload = {
            "ref": "refs/heads/main",
            "after": commit,
            "repository": {
                "clone_url": url,
                "html_url": url,
                "default_branch": "main",
            },
            "commits": [],
        }
        body = json.dumps(payload).encode()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "X-GitHub-Event": "push",
            "X-Hub-Signature-256": signature,
            "Content-Type": "application/json",
        }
        self.web.post("/api/webhook", content=body, headers=headers).raise_for_status()


def until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds until the condition held. Raises TimeoutError naming what was waited for."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - start


@contextmanager
def running(folder: Path, size: int) -> Iterator[Bench]:
    """Everything started, with two worker processes; the catalogue still empty."""
    repository = fleet.write_repository(folder / "repository", size)
    (folder / "catalogue").mkdir()
    tokens = [StaticToken(TOKEN, AUDITED, ("system:masters",))]
    with (
        control_planes(["bench"], state=folder / "planes", controllers=True, tokens=tokens, audit=True) as planes,
        embedded_redis(folder / "redis") as redis,
    ):
        plane = planes[0]
        fleet.make_namespaces(plane, size)
        settings = Settings(
            redis_url=redis.url,
            catalogue=(str(folder / "catalogue"),),
            kubeconfig=str(write_config(folder / "kubeconfig", plane.kubeconfig_for(TOKEN))),
            git_schemes=("file", "https", "http"),
            state=str(folder / "state"),
            web_address=f"127.0.0.1:{free_port()}",
            webhook_secrets=(f"github={SECRET}",),
            catalogue_interval=1.0,
            loopback=True,
        )
        with (
            running_engine(settings, folder / "logs", workers=2) as engine,
            httpx.Client(base_url=engine.web, timeout=10) as web,
        ):
            until(lambda: _answers(web), 30, "the web process")
            yield Bench(plane, engine, repository, redis.child.pid, size, open_state(settings), web)


def _answers(web: httpx.Client) -> bool:
    try:
        return web.get("/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def first_sync(bench: Bench, catalogue: Path, *, wait: bool) -> dict[str, float]:
    """From the moment the catalogue appears until every application is in sync and healthy."""
    cpu, seen = bench.cpu(), bench.requests()
    with PeakMemory(bench.roots) as memory:
        start = time.monotonic()
        fleet.write_catalogue(catalogue / "fleet", bench.repository.as_uri(), bench.size, wait=wait)
        until(lambda: bench.synced() == bench.size, 300, "first sync")
        seconds = time.monotonic() - start
    used = bench.cpu() - cpu
    made = difference(bench.requests(), seen)
    print(json.dumps(made, indent=1))
    return {"seconds": seconds, "cpu": used, "requests": sum(made.values()), "memory": memory.peak}


def quiet(bench: Bench, seconds: float = 60.0) -> dict[str, float]:
    """CPU and requests of one minute in which nothing happens."""
    cpu, seen = bench.cpu(), bench.requests()
    time.sleep(seconds)
    used = bench.cpu() - cpu
    made = difference(bench.requests(), seen)
    print(json.dumps(made, indent=1))
    return {"cpu": used * 60 / seconds, "requests": sum(made.values()) * 60 / seconds}


def commits(bench: Bench, rounds: int = 15) -> dict[str, float]:
    """Webhook to changed object, for commits that touch one directory; the figures are per commit."""
    latencies = []
    cpu, renders = bench.cpu(), bench.renders()
    for turn in range(1, rounds + 1):
        number = (turn * 37) % bench.size
        fleet.change_overlay(bench.repository, number, turn)
        commit = fleet.commit(bench.repository, f"change {number}")
        path = f"/api/v1/namespaces/app-{number}/configmaps/web"
        start = time.monotonic()
        bench.push(commit)
        until(functools.partial(has_value, bench.plane, path, str(turn)), 30, f"commit {turn}")
        latencies.append(time.monotonic() - start)
        time.sleep(1.0)
    return {
        "p50": statistics.median(latencies),
        "max": max(latencies),
        "renders": (bench.renders() - renders) / rounds,
        "cpu": (bench.cpu() - cpu) / rounds,
    }


def has_value(plane: ControlPlane, path: str, value: str) -> bool:
    """Whether the ConfigMap there has the overlay's value."""
    return bool(plane.call("GET", path)[1]["data"].get("own") == value)


def base_change(bench: Bench, value: int) -> dict[str, float]:
    """One commit that reaches every application."""
    fleet.change_base(bench.repository, value)
    commit = fleet.commit(bench.repository, "base")
    cpu = bench.cpu()

    def reached() -> bool:
        _, found = bench.plane.call("GET", "/api/v1/configmaps?limit=5000", timeout=30)
        values = [item["data"].get("base") for item in found["items"] if item["metadata"]["name"] == "web"]
        return len(values) == bench.size and set(values) == {str(value)}

    with PeakMemory(bench.roots) as memory:
        start = time.monotonic()
        bench.push(commit)
        until(reached, 300, "base change")
        seconds = time.monotonic() - start
    return {"seconds": seconds, "cpu": bench.cpu() - cpu, "memory": memory.peak}
