"""Promises of the supervisor: what ends is started again and said, and nothing outlives the one who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_workers.local.child import Child
from gitops_workers.local.supervisor import Program, Supervisor

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def supervisor(folder: Path, *programs: Program, said: list[str] | None = None) -> Supervisor:
    return Supervisor(
        programs,
        logs=folder / "logs",
        environment=dict(os.environ),
        cwd=folder,
        say=(said if said is not None else []).append,
    )


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_killed_process_is_started_again_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    with supervisor(tmp_path, Program("worker", SLEEP), said=said) as kept:
        first = kept.children["worker"].pid
        os.kill(first, signal.SIGKILL)
        until(lambda: not running(first))

        def again() -> bool:
            kept.tend()
            return "worker" in kept.children and kept.children["worker"].pid != first

        until(again)
        assert kept.children["worker"].alive
    assert any("worker was ended by signal 9" in line for line in said)


def test_a_process_that_cannot_start_is_tried_more_and_more_rarely(tmp_path: Path) -> None:
    said: list[str] = []
    broken = Program("web", (sys.executable, "-c", "print('no such port'); raise SystemExit(3)"))
    with supervisor(tmp_path, broken, said=said) as kept:

        def ended_thrice() -> bool:
            kept.tend()
            return sum("exited with status 3" in line for line in said) >= 3

        until(ended_thrice)
    pauses = [line.split(" again in ")[1].split(" s.")[0] for line in said if "exited with status 3" in line]
    assert pauses[:3] == ["0.5", "1", "2"]
    assert any("no such port" in line for line in said), "the end of its log is shown"


def test_errors_of_the_log_reach_the_terminal_and_nothing_else_does(tmp_path: Path) -> None:
    said: list[str] = []
    text = (
        '{"event": "attempt_crashed", "level": "error", "app": "a/b/c", "exception": "Traceback\\nKeyError: x"}\n'
        '{"event": "fine", "level": "info"}\nplain words\n'
    )
    script = f"import sys, time; sys.stderr.write({text!r}); sys.stderr.flush(); time.sleep(600)"
    with supervisor(tmp_path, Program("worker", (sys.executable, "-c", script)), said=said) as kept:

        def heard() -> bool:
            kept.tend()
            return bool(said)

        until(heard)
        kept.tend()
    assert said == ["worker: attempt_crashed app=a/b/c (KeyError: x)"]


def test_a_process_that_ignores_term_is_killed_after_its_grace(tmp_path: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    with supervisor(tmp_path, Program("deaf", (sys.executable, "-c", script), grace=0.2)) as kept:
        child = kept.children["deaf"]
        until(lambda: "deaf" in child.tail())
    assert child.returncode == -signal.SIGKILL


def test_an_adopted_server_is_kept_running_and_ends_last(tmp_path: Path) -> None:
    server = Child.spawn(SLEEP, name="server", log=tmp_path / "server.log")
    with supervisor(tmp_path, Program("worker", SLEEP)) as kept:
        kept.adopt(server)
        server.signal(signal.SIGKILL)
        server.wait(10)

        def again() -> bool:
            kept.tend()
            return "server" in kept.children and kept.children["server"].alive

        until(again)
        replacement = kept.children["server"]
        assert replacement.pid != server.pid
    assert not replacement.alive


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_the_supervisor_ends_nothing_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from gitops_workers.local.supervisor import Program, Supervisor\n"
        # A shell hands its background jobs an ignored SIGINT, which Python then leaves ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        f"folder, sleep = Path({str(tmp_path)!r}), {SLEEP!r}\n"
        "programs = [Program('a', sleep), Program('b', sleep)]\n"
        "with Supervisor(programs, logs=folder, environment=dict(os.environ), cwd=folder, say=print) as kept:\n"
        "    print(*[child.pid for child in kept.children.values()], flush=True)\n"
        "    time.sleep(600)\n"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(running, pids))
        process.send_signal(number)
        process.wait(30)
    until(lambda: not any(map(running, pids)))
