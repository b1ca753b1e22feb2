"""The processes of an installation as command lines: those of the Procfile, for one machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import gitops_workers
from gitops_workers.local.supervisor import Program
from gitops_workers.settings import PREFIX, Settings, environment_of

WORKER_GRACE = 20.0
"""Seconds for the step in hand; what is cut off is continued by the next worker."""

_PROCESS = (sys.executable, "-m", "gitops_workers.process")
_CELERY = (sys.executable, "-m", "celery", "-A", "gitops_workers.app", "-q")


def programs(*, workers: int, fleets: Sequence[str], console: bool = True) -> list[Program]:
    """Beat, so many workers for these fleets, web and the console."""
    found = [Program("beat", (*_PROCESS, "beat"))]
    found += [
        Program(f"worker-{number}", worker_argv(fleets, f"worker-{number}"), WORKER_GRACE)
        for number in range(1, workers + 1)
    ]
    found.append(Program("web", (sys.executable, "-m", "gitops_workers.web")))
    if console:
        found.append(Program("flower", (*_CELERY, "console")))
    return found


def worker_argv(fleets: Sequence[str], name: str) -> tuple[str, ...]:
    """One worker of these fleets; its threads are GITOPS_CONCURRENCY."""
    return (*_PROCESS, "worker", "--name", name, *(word for fleet in fleets for word in ("--fleet", fleet)))


def environment(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of all processes: ours without our own settings, and these settings."""
    kept = {name: value for name, value in base.items() if not name.startswith(PREFIX)}
    # A checkout that is not installed works too; the console command itself needs the installed entry point.
    home = str(Path(gitops_workers.__file__).resolve().parents[1])
    paths = [home, *filter(None, [kept.get("PYTHONPATH", "")])]
    return {**kept, **environment_of(settings), "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
