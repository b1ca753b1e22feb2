"""The command against a real Redis that holds a fleet, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_workers.cli import main
from gitops_workers.core.status.rows import Status
from gitops_workers.core.telemetry.presence import BEAT, WORKER, Process
from gitops_workers.ports import Queue, State, Telemetry
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_queue, open_state, open_telemetry
from tests.fleet import application, fill

KEY = "5a" * 32
WORKING = Process(WORKER, "one@host", ("control", "fleet.default", "fleet.edge"))
CLOCK = Process(BEAT, "beat@host")


@dataclass(slots=True)
class Installation:
    """A store with a fleet in it, and the heartbeats of a worker and a beat."""

    state: State
    queue: Queue
    rows: list[Status]
    telemetry: Telemetry
    worker: Process
    beat: Process

    def enroll(self, row: Status) -> None:
        """Make a row's application one that can be asked for."""
        self.state.save_applications([application(row.id)])
        self.queue.enroll(row.id, row.cluster, "default")


@pytest.fixture
def installation(redis_url: str, tmp_path: Path, monkeypatch) -> Installation:
    """60 applications; the environment names the store."""
    for name in [name for name in os.environ if name.startswith("GITOPS_")]:
        monkeypatch.delenv(name)
    for name, value in (("REDIS_URL", redis_url), ("CACHE_KEY", KEY), ("STATE", str(tmp_path / "state"))):
        monkeypatch.setenv(f"GITOPS_{name}", value)
    settings = Settings(redis_url=redis_url, cache_key=KEY, state=str(tmp_path / "state"))
    state, queue = open_state(settings), open_queue(settings)
    rows = fill(state, 60)
    for row in rows[:3]:
        state.save_applications([application(row.id)])
        queue.enroll(row.id, row.cluster, "default")
    found = Installation(state, queue, rows, open_telemetry(settings), WORKING, CLOCK)
    for process in (found.worker, found.beat):
        found.telemetry.report(process, {})
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys) -> Callable[..., Answer]:
    """Run one command."""

    def run(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        shown = capsys.readouterr()
        return Answer(int(end.value.code or 0), shown.out, shown.err)

    return run
