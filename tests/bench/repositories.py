"""Many repositories: the same applications, once all in one repository and once each in its own.

And what happens when one of their hosts takes connections and never answers, or the API server is away for a moment.
"""

from __future__ import annotations

import functools
import shutil
import signal
import statistics
import time
from pathlib import Path

import yaml

from tests.bench import fleet
from tests.bench.accounts import PeakMemory
from tests.bench.scenario import Bench, has_value, until
from tests.documents import raw
from tests.servers.silent_host import silent_host

PUSHED = 200
"""Repositories that are pushed to at once."""
SILENT = 40
"""Applications on the host that never answers."""


def write_repositories(folder: Path, size: int) -> list[Path]:
    """A repository per application, each with the base and one overlay, so that each render is the same as in one."""
    template = fleet.write_repository(folder / "template", 0)
    repositories = []
    for number in range(size):
        repository = folder / f"app-{number}"
        shutil.copytree(template, repository)
        (repository / "overlays" / f"app-{number}").mkdir(parents=True)
        fleet.change_overlay(repository, number, 0)
        fleet.commit(repository, "its own")
        repositories.append(repository)
    return repositories


def declare(catalogue: Path, urls: list[str], *, first: int = 0) -> None:
    """A GitRepository and a Kustomization per application; they are looked at every minute."""
    documents: list[dict[str, object]] = []
    for number, url in enumerate(urls, first):
        documents.append(
            {
                "apiVersion": "source.toolkit.fluxcd.io/v1",
                "kind": "GitRepository",
                "metadata": {"name": f"app-{number}", "namespace": "flux-system"},
                "spec": {"url": url, "interval": "1m", "ref": {"branch": "main"}},
            }
        )
        documents.append(
            {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization",
                "metadata": {"name": f"app-{number}", "namespace": "flux-system"},
                "spec": {
                    "interval": "1m",
                    "prune": True,
                    "path": f"./overlays/app-{number}",
                    "sourceRef": {"kind": "GitRepository", "name": f"app-{number}"},
                },
            }
        )
    part = catalogue / f".{first}.part"
    part.write_text(yaml.dump_all(documents, Dumper=yaml.CSafeDumper))
    part.replace(catalogue / f"apps-{first}.yaml")


def first_sync(bench: Bench, catalogue: Path, repositories: list[Path]) -> dict[str, float]:
    """From the moment the catalogue appears until every application is in sync and healthy."""
    used = bench.cpu()
    with PeakMemory(bench.roots) as memory:
        start = time.monotonic()
        declare(catalogue, [path.as_uri() for path in repositories])
        until(lambda: bench.synced() == len(repositories), 600, "first sync")
        seconds = time.monotonic() - start
    return {"seconds": seconds, "cpu": bench.cpu() - used, "memory": memory.peak}


def storm(bench: Bench, repositories: list[Path]) -> tuple[float, float]:
    """Seconds from the first of many webhooks, one per repository, until all are polled and until all are applied."""
    chosen = repositories[:PUSHED]
    commits = []
    for number, repository in enumerate(chosen):
        fleet.change_overlay(repository, number, 1)
        commits.append(fleet.commit(repository, "pushed"))
    start, moment = time.monotonic(), time.time()
    for repository, commit in zip(chosen, commits, strict=True):
        bench.push(commit, repository)
    until(lambda: _polled_since(bench, moment) == len(chosen), 300, "the polls")
    polled = time.monotonic() - start
    until(lambda: _values(bench, "own").count("1") == len(chosen), 300, "the pushed commits")
    return polled, time.monotonic() - start


def _polled_since(bench: Bench, moment: float) -> int:
    """Repositories whose poll has answered a webhook of after this moment."""
    answered = bench.state.load_many(raw("answered"), bench.state.load(raw("catalogue"), "groups"))
    return sum(asked >= moment for asked in answered.values())


def beside_silence(bench: Bench, catalogue: Path) -> dict[str, float]:
    """Webhook to changed object, alone and then beside applications whose host never answers."""
    alone = pushes(bench, 1)
    with silent_host() as port, PeakMemory(bench.roots) as memory:
        urls = [f"http://127.0.0.1:{port}/team-{number}.git" for number in range(SILENT)]
        declare(catalogue, urls, first=100_000)
        time.sleep(5)  # until as many polls wait as are let
        beside = pushes(bench, 101)
    return {
        "alone": statistics.median(alone),
        "beside": statistics.median(beside),
        "slowest": max(beside),
        "memory": memory.peak,
    }


def pushes(bench: Bench, value: int, rounds: int = 20) -> list[float]:
    """Seconds of each of so many commits to one application, over more than half a minute."""
    latencies = []
    for turn in range(value, value + rounds):
        fleet.change_overlay(bench.repository, 0, turn)
        commit = fleet.commit(bench.repository, f"turn {turn}")
        start = time.monotonic()
        bench.push(commit)
        path = "/api/v1/namespaces/app-0/configmaps/web"
        until(functools.partial(has_value, bench.plane, path, str(turn)), 120, f"turn {turn}")
        latencies.append(time.monotonic() - start)
        time.sleep(1.5)
    return latencies


def recovery(bench: Bench, value: int, away: float = 5.0) -> float:
    """Seconds from the moment when the killed API server answers again until everybody has the commit to the base."""
    fleet.change_base(bench.repository, value)
    commit = fleet.commit(bench.repository, "base")
    server = bench.plane.children["kube-apiserver"]
    bench.push(commit)
    time.sleep(0.5)
    server.signal(signal.SIGKILL)
    server.wait(10)
    time.sleep(away)
    bench.plane.restart()
    start = time.monotonic()
    until(lambda: _values(bench, "base").count(str(value)) == bench.size, 600, "recovery")
    return time.monotonic() - start


def _values(bench: Bench, key: str) -> list[str]:
    status, found = bench.plane.call("GET", "/api/v1/configmaps?limit=10000", timeout=30)
    return (
        [item["data"].get(key, "") for item in found["items"] if item["metadata"]["name"] == "web"]
        if status == 200
        else []
    )
