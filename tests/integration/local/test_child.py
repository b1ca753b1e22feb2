"""A child ends with its parent, whatever ends the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gitops_workers.local.child import Child, ChildExited, await_ready

PARENT = """
import sys, threading, time
from gitops_workers.local.child import Child
def start():
    print(Child.spawn([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
if sys.argv[1] == "main thread":
    start()
else:
    thread = threading.Thread(target=start); thread.start(); thread.join()
time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a parent-death signal")
@pytest.mark.parametrize("where", ["main thread", "other thread"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_its_children_along(where, end):
    with subprocess.Popen([sys.executable, "-c", PARENT, where], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.send_signal(end)
        parent.wait()
        deadline = time.monotonic() + 20
        while not gone(pid):
            assert time.monotonic() < deadline, "the child outlived its parent"
            time.sleep(0.01)


def test_a_child_outlives_the_thread_that_started_it(tmp_path):
    started: list[Child] = []
    thread = threading.Thread(target=lambda: started.append(Child.spawn(["sleep", "60"], log=tmp_path / "log")))
    thread.start()
    thread.join()
    with started[0] as child:
        assert child.wait(0.5) is None
    assert child.returncode == -signal.SIGTERM


def test_one_that_ignores_the_polite_signal_is_killed(tmp_path):
    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    child = Child.spawn(["sh", "-c", script], log=tmp_path / "log")
    await_ready(child, lambda: child.tail() == "ready", timeout=20)
    child.terminate(grace=0.2)
    assert child.returncode == -signal.SIGKILL


BUSY = """
import threading
for _ in range(4):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()
"""


def threads(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob("*/stat"))


def test_one_that_is_busy_stands_still_when_freezing_it_returns():
    with Child.spawn([sys.executable, "-c", BUSY]) as child:
        await_ready(child, lambda: len(threads(child.pid)) == 5, timeout=20)
        for _ in range(50):
            child.freeze()
            states = {path.read_text().rpartition(")")[2].split()[0] for path in threads(child.pid)}
            assert states == {"T"}
            child.thaw()


def test_a_frozen_one_can_be_ended(tmp_path):
    child = Child.spawn(["sleep", "60"], log=tmp_path / "log")
    child.freeze()
    child.terminate()
    assert child.returncode == -signal.SIGTERM


def test_grandchildren_end_with_the_group(tmp_path):
    child = Child.spawn(["sh", "-c", "sleep 60 & echo $!; wait"], log=tmp_path / "log")
    await_ready(child, lambda: child.tail().isdigit(), timeout=20)
    grandchild = int(child.tail())
    child.terminate()
    deadline = time.monotonic() + 20
    while not gone(grandchild):
        assert time.monotonic() < deadline, "the grandchild was left behind"
        time.sleep(0.01)


def test_an_early_exit_is_told_with_the_end_of_the_log(tmp_path):
    child = Child.spawn(["sh", "-c", "echo one; echo the reason >&2; exit 3"], name="server", log=tmp_path / "log")
    with pytest.raises(ChildExited, match=r"server exited with status 3(.|\n)*the reason"):
        await_ready(child, lambda: False, timeout=20)


def test_the_environment_is_the_given_one_and_the_log_is_kept(tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    os.environ["SHOULD_NOT_LEAK"] = "1"
    try:
        with Child.spawn(["/usr/bin/env"], log=log, env={"ONLY": "this"}) as child:
            child.wait()
    finally:
        del os.environ["SHOULD_NOT_LEAK"]
    assert log.read_text() == "before\nONLY=this\n"
    assert child.tail(1) == "ONLY=this"
