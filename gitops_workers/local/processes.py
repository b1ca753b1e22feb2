"""The processes of an installation as command lines: those of the Procfile, for one machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import gitops_workers
from gitops_workers.local.supervisor import Program
from gitops_workers.settings import PREFIX, Settings, environment_of

FLEET_PREFIX = "fleet."
WORKER_GRACE = 20.0
"""Seconds for the step in hand; what is cut off is continued by the next worker."""

_CELERY = (sys.executable, "-m", "celery", "-A", "gitops_workers.app", "-q")


def programs(settings: Settings, *, workers: int, fleets: Sequence[str], console: bool = True) -> list[Program]:
    """Beat, so many workers for these fleets, web and the console."""
    found = [Program("beat", (*_CELERY, "beat", "-S", "scheduler.beat:DueScheduler"))]
    found += [
        Program(f"worker-{number}", worker_argv(settings.concurrency, fleets, f"worker-{number}"), WORKER_GRACE)
        for number in range(1, workers + 1)
    ]
    found.append(Program("web", (sys.executable, "-m", "gitops_workers.web")))
    if console:
        found.append(Program("flower", (*_CELERY, "console")))
    return found


def worker_argv(threads: int, fleets: Sequence[str], name: str) -> tuple[str, ...]:
    """One worker.

    Gossip and mingle make every worker read every other one's events: n squared, for nothing we use. Heartbeats stay:
    Flower's Workers page lives on them, and an idle worker costs 0.13 % of a core with them and 0.12 % without.
    """
    queues = ",".join(["control", *(FLEET_PREFIX + fleet for fleet in fleets)])
    options = ("--pool", "threads", "--concurrency", str(threads), "-Q", queues, "--without-gossip", "--without-mingle")
    return (*_CELERY, "worker", *options, "-n", f"{name}@%h")


def environment(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of all processes: ours without our own settings, and these settings."""
    kept = {name: value for name, value in base.items() if not name.startswith(PREFIX)}
    # A checkout that is not installed works too; the console command itself needs the installed entry point.
    home = str(Path(gitops_workers.__file__).resolve().parents[1])
    paths = [home, *filter(None, [kept.get("PYTHONPATH", "")])]
    return {**kept, **environment_of(settings), "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
