"""The sandbox takes every right away that the kernel lets it, and no death of a child is a death of the worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from gitops_workers.adapters.sandbox import Sandbox, SandboxLimits
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from tests.servers.rendering import RenderWorld, config_map


def folders(pid: int) -> set[Path]:
    """The folders of this process' pools: it holds their locks. Other processes of the test run render meanwhile."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was closed since it was listed
            path = link.readlink()
            if path.name == "lock" and path.parent.name.startswith("gitops-render-"):
                found.add(path.parent)
    return found


def status(pid: int) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


@pytest.fixture
def sandbox():
    """One of its own, without tools."""
    made = Sandbox({}, children=1)
    yield made
    made.close()


def gone(pid: int) -> bool:
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or "Z" in status(pid).get("State", "Z"):
            return True
        time.sleep(0.05)
    return False


def test_a_child_is_small_and_without_rights(sandbox: Sandbox):
    found = sandbox.isolation()
    (pid,) = sandbox.pids()
    seen = status(pid)

    assert int(seen["RssAnon"].split()[0]) < 12_000
    assert seen["NoNewPrivs"] == "1"
    assert found.own_user
    if found.chroot:
        assert "gitops-render-" in str(Path(f"/proc/{pid}/root").readlink())
    if found.network_namespace:
        assert str(Path(f"/proc/{pid}/ns/net").readlink()) != str(Path("/proc/self/ns/net").readlink())


def test_a_large_worker_does_not_make_its_children_look_worn():
    """The kernel's peak figure of a child begins with that of the process that forked it: each job had a new child."""
    ballast = bytearray(96 << 20)
    sandbox = Sandbox({}, children=1, limits=SandboxLimits(resident=64 << 20))
    sandbox.documents(b"a: 1", "x")
    first = sandbox.pids()
    sandbox.documents(b"a: 1", "x")

    assert len(first) == 1
    assert sandbox.pids() == first
    assert len(ballast) == 96 << 20
    sandbox.close()


def test_a_child_has_nothing_of_our_environment(sandbox: Sandbox, monkeypatch):
    monkeypatch.setenv("CANARY", "7f3a")
    sandbox.isolation()

    (pid,) = sandbox.pids()

    assert b"CANARY" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_children_start_only_when_needed():
    sandbox = Sandbox({}, children=4)

    sandbox.documents(b"a: 1", "a.yaml")

    assert len(sandbox.pids()) == 1
    sandbox.close()


def test_closing_ends_the_children_and_removes_their_files():
    before = folders(os.getpid())
    sandbox = Sandbox({})
    sandbox.documents(b"a: 1", "a.yaml")
    (pid,) = sandbox.pids()
    (own,) = folders(os.getpid()) - before
    assert own.exists()

    sandbox.close()

    assert gone(pid)
    assert not own.exists()


def test_a_killed_child_is_an_error_for_its_job_or_none_and_the_pool_goes_on(sandbox: Sandbox):
    sandbox.documents(b"a: 1", "a.yaml")
    (pid,) = sandbox.pids()

    os.kill(pid, signal.SIGKILL)
    gone(pid)

    assert sandbox.documents(b"a: 2", "a.yaml")[0][0] == {"a": 2}
    assert sandbox.pids() != [pid]


def test_a_frozen_child_is_killed_at_the_deadline(sandbox: Sandbox):
    sandbox.documents(b"a: 1", "a.yaml")
    (pid,) = sandbox.pids()
    os.kill(pid, signal.SIGSTOP)

    with pytest.raises(UnsafeContent, match=r"a\.yaml: it did not end in time"):
        sandbox.run("documents", {}, [b"a: 2"], what="a.yaml", seconds=0.1)

    assert gone(pid)
    assert sandbox.documents(b"a: 3", "a.yaml")[0][0] == {"a": 3}


def test_a_child_is_replaced_after_so_many_jobs():
    sandbox = Sandbox({}, children=1, limits=SandboxLimits(jobs=3))

    seen = {tuple(sandbox.pids()) for _ in range(7) if sandbox.documents(b"a: 1", "a.yaml")}

    assert len(seen - {()}) >= 2
    sandbox.close()


def test_memory_over_the_limit_is_a_typed_error():
    sandbox = Sandbox({}, children=1, limits=SandboxLimits(memory=64 << 20, parsing=5.0))
    with pytest.raises(RenderFailed):
        sandbox.documents(b"- a: b\n" * 550_000, "a.yaml")

    assert sandbox.documents(b"a: 1", "a.yaml")[0][0] == {"a": 1}
    sandbox.close()


def test_many_threads_share_few_children():
    sandbox = Sandbox({}, children=2)
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda n: sandbox.documents(b"number: %d" % n, "n.yaml")[0][0]["number"], range(100))
        )

    assert answers == list(range(100))
    assert len(sandbox.pids()) <= 2
    sandbox.close()


def test_a_slow_job_brings_another_child_and_holds_nobody_up():
    sandbox = Sandbox({}, children=2)
    sandbox.documents(b"a: 1", "a.yaml")
    (slow,) = sandbox.pids()
    os.kill(slow, signal.SIGSTOP)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(sandbox.documents, b"a: 2", "a.yaml")
        second = threads.submit(sandbox.documents, b"a: 3", "a.yaml")
        assert next(iter(wait([first, second], timeout=60, return_when=FIRST_COMPLETED).done)).result()
        assert len(sandbox.pids()) == 2
        os.kill(slow, signal.SIGCONT)
        assert {job.result()[0][0]["a"] for job in (first, second)} == {2, 3}
    sandbox.close()


def test_children_survive_the_thread_that_first_used_them(sandbox: Sandbox):
    with ThreadPoolExecutor(1) as threads:
        threads.submit(sandbox.documents, b"a: 1", "a.yaml").result()
    (pid,) = sandbox.pids()

    assert sandbox.documents(b"a: 2", "a.yaml")[0][0] == {"a": 2}
    assert sandbox.pids() == [pid]


OWNER = """
import sys, time
from gitops_workers.adapters.sandbox import Sandbox
sandbox = Sandbox({})
sandbox.documents(b"a: 1", "a.yaml")
print(*sandbox.pids(), flush=True)
time.sleep(60)
"""


def test_children_of_a_killed_worker_die_and_the_next_worker_removes_their_files():
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        (left,) = folders(owner.pid)
        owner.kill()

    assert gone(pid)
    assert left.exists()
    Sandbox({}).close()
    assert not left.exists()


def test_nothing_of_a_job_is_left_for_the_next(repo: RenderWorld):
    repo.objects({"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": config_map("a")})

    # Only of this pool: other processes of the test run render at the same time.
    assert list(repo.sandbox.scratch.path.glob("*/root"))
    assert not list(repo.sandbox.scratch.path.glob("*/root/job"))


def test_a_tool_that_the_children_were_not_given_is_refused(sandbox: Sandbox) -> None:
    job = {"tool": "helm", "path": "", "files": [], "repeated_keys": False, "seconds": 5.0}
    with pytest.raises(RenderFailed, match="no renderer 'helm'"):
        sandbox.run("render", job, what="a chart")
