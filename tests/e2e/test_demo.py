"""The demo itself: the story really happens, and no process outlives it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_workers import toolchain
from gitops_workers.core.errors import Refused
from tests.conftest import missing
from tests.e2e.processes import Process, all_gone, descendants

ROOT = Path(__file__).parents[2]
SECONDS = 400
NEVER = "\0"
"""Stands in no line."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc"),
    pytest.mark.timeout(SECONDS),
]


@pytest.fixture(autouse=True)
def _tools() -> None:
    try:
        for name in ("kustomize", "helm", "controlplane", "kwok"):
            toolchain.tool(name)
    except Refused as reason:
        missing(reason)


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """What `make demo` runs, in a folder of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITOPS_")}
    argv = [sys.executable, "-m", "gitops_workers.local.demo", "--folder", str(folder), *arguments]
    with subprocess.Popen(argv, cwd=ROOT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        try:
            yield run
        finally:
            run.kill()


def read_until(run: subprocess.Popen[str], text: str) -> list[str]:
    """The lines up to one with this text; all of them when none has it."""
    assert run.stdout is not None
    lines = []
    for line in run.stdout:
        lines.append(line.rstrip("\n"))
        if text in line:
            break
    return lines


def test_every_step_of_the_story_happens_and_nothing_stays_behind(tmp_path: Path) -> None:
    seen: set[Process] = set()
    with demo(tmp_path / "demo", "--once") as run:
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.5):
                seen.update(descendants(run.pid))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        lines = read_until(run, NEVER)
        code = run.wait(60)
        ended.set()
        watcher.join()
    assert code == 0, "\n".join(lines)
    assert not any("failed" in line for line in lines), "\n".join(lines)
    assert "every step happened; ending" in lines[-1]
    assert sum("application/argocd/" in line or "kustomization/flux-system/" in line for line in lines) >= 13
    assert len(seen) > 15, "the whole stack ran"
    assert not all_gone(seen)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_the_demo_ends_nothing_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path / "demo") as run:
        lines = read_until(run, "2. A person syncs")
        assert run.poll() is None, "\n".join(lines)
        started = descendants(run.pid)
        assert len(started) > 15, "\n".join(lines)
        run.send_signal(number)
        read_until(run, NEVER)
        run.wait(60)
    assert not all_gone(started)


def test_a_second_demo_in_the_same_folder_says_so(tmp_path: Path) -> None:
    import fcntl

    folder = tmp_path / "demo"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with demo(folder, "--once") as run:
            lines = read_until(run, NEVER)
            assert run.wait(60) == 1
    assert "runs already" in lines[-1]
