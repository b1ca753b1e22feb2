"""Promises of `up`: one command runs everything, says where it is, keeps it running, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_workers.core.errors import Refused
from gitops_workers.local.redis_server import redis_program
from tests.conftest import missing
from tests.e2e.processes import all_gone, descendants
from tests.servers.engine import free_port

ROOT = Path(__file__).parents[3]
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source: {repoURL: "https://127.0.0.1:1/web.git", path: k8s}
  destination: {name: nowhere, namespace: web}
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@pytest.fixture(autouse=True)
def _redis() -> None:
    try:
        redis_program()
    except Refused as reason:
        missing(reason)


class Running:
    """A running `up` with what it says."""

    def __init__(self, process: subprocess.Popen[str], environment: dict[str, str], out: Path) -> None:
        self.process = process
        self.environment = environment
        self._out = out

    @property
    def said(self) -> str:
        return self._out.read_text()

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.said or self.process.poll() is not None)
        assert text in self.said, self.said

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "gitops_workers.cli", *arguments]
        return subprocess.run(
            argv, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )


def until(holds: Callable[[], bool], seconds: float = 100.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def up(tmp_path: Path, *arguments: str) -> Iterator[Running]:
    catalogue = tmp_path / "catalogue"
    catalogue.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITOPS_")}
    environment = {**kept, "GITOPS_STATE": str(tmp_path / "state")}
    addresses = {name: f"127.0.0.1:{free_port()}" for name in ("GITOPS_WEB_ADDRESS", "GITOPS_CONSOLE_ADDRESS")}
    argv = [sys.executable, "-m", "gitops_workers.cli", "up", "--catalogue", str(catalogue), *arguments]
    out = tmp_path / "out"
    with out.open("w") as stream:
        process = subprocess.Popen(
            argv, cwd=ROOT, env={**environment, **addresses}, stdout=stream, stderr=subprocess.STDOUT, text=True
        )
    try:
        yield Running(process, environment, out)
    finally:
        process.kill()
        process.wait()


def test_everything_runs_and_commands_find_it_by_the_state_directory(tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "web.yaml").write_text(APPLICATION)
    with up(tmp_path, "--workers", "1") as running:
        running.wait_for("first sync over, 1 application: 1 Unknown")
        running.wait_for("        application/argocd/web: ")  # what is not well is named
        [row] = json.loads(running.cli("app", "list", "-o", "json").stdout)
        assert row["id"] == "application/argocd/web"
        place = running.said.partition("Applications  ")[2].split()[0]
        with urllib.request.urlopen(place, timeout=10) as page:
            assert b"application/argocd/web" in page.read()
        api = running.said.partition("POST ")[2].split()[0].replace("/api/webhook", "/api/v1/applications")
        with urllib.request.urlopen(api, timeout=10) as answer:
            assert json.load(answer)["total"] == 1

        started = descendants(running.process.pid)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
        assert running.said.rstrip().endswith("ended")
    assert not all_gone(started)
    after = running.cli("app", "list")
    assert after.returncode == 1
    assert "nothing runs" in after.stderr


def test_a_killed_process_is_started_again_and_a_killed_supervisor_leaves_nothing(tmp_path: Path) -> None:
    with up(tmp_path, "--workers", "1", "--no-console") as running:
        running.wait_for("the catalogue declares no application yet")
        redis = next(
            pid
            for pid, _ in descendants(running.process.pid)
            if b"redis-server" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(redis, signal.SIGKILL)
        running.wait_for("redis-server was ended by signal 9; it is started again")
        until(lambda: running.cli("app", "list").returncode == 0)

        started = descendants(running.process.pid)
        assert len(started) >= 4
        running.process.kill()
        running.process.wait()
    assert not all_gone(started)
    assert running.cli("app", "list").returncode == 1, "a file of the dead one is not taken for a running engine"


def test_a_second_one_in_the_same_place_says_what_to_do(tmp_path: Path) -> None:
    with up(tmp_path, "--workers", "1", "--no-console") as running:
        running.wait_for("API ")
        second = running.cli("up", "--catalogue", str(tmp_path / "catalogue"))
        assert second.returncode == 1
        assert "GITOPS_STATE" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up",), "--catalogue DIR"),
        (("up", "--catalogue", "/nonexistent"), "no directory"),
        (("up", "--catalogue", "/tmp", "--kubeconfig", "/nonexistent"), "no file"),
        (("up", "--catalogue", "/tmp", "--workers", "0"), "workers"),
    ],
)
def test_wrong_arguments_are_bad_usage(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITOPS_")}
    done = subprocess.run(
        [sys.executable, "-m", "gitops_workers.cli", *arguments],
        cwd=ROOT,
        env={**kept, "GITOPS_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert words in done.stderr
