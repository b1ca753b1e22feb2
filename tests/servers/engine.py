"""The whole engine as separate processes, for tests that look at the world and benches that account for it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.local.child import Child
from gitops_workers.settings import Settings, environment_of


@dataclass(slots=True)
class RunningEngine:
    """The processes by name, and how to reach them."""

    children: dict[str, Child]
    settings: Settings
    logs: Path
    environment: Mapping[str, str]

    @property
    def web(self) -> str:
        """The HTTP base URL."""
        return f"http://{self.settings.web_address}"

    def log(self, name: str) -> str:
        """What a process has printed."""
        return (self.logs / f"{name}.log").read_text(errors="replace")


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def commands(settings: Settings, workers: int) -> dict[str, list[str]]:
    """Each process' argv, as in the Procfile."""
    process = [sys.executable, "-m", "gitops_workers.process"]
    result = {"beat": [*process, "beat"]}
    for number in range(workers):
        result[f"worker-{number}"] = [*process, "worker", "--name", f"worker-{number}"]
    result["web"] = [sys.executable, "-m", "gitops_workers.web"]
    return result


@contextmanager
def running_engine(settings: Settings, logs: Path, *, workers: int = 2) -> Iterator[RunningEngine]:
    """Start beat, workers and web on a Redis that runs already; end them all at the end."""
    logs.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITOPS_")}
    environment = {**kept, **environment_of(settings), "PYTHONUNBUFFERED": "1"}
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(Child.spawn(argv, name=name, log=logs / f"{name}.log", env=environment))
            for name, argv in commands(settings, workers).items()
        }
        yield RunningEngine(children, settings, logs, environment)
