"""Redis loses messages, loses everything, dies: what it knew is found again, and nothing is deleted for it."""

from __future__ import annotations

import shutil
import signal
import time

import pytest

from tests.faults.conftest import Experiment
from tests.faults.ground import Ground

pytestmark = pytest.mark.timeout(300)


def test_f04_every_message_of_a_push_is_lost(ground: Ground, experiment: Experiment) -> None:
    lists = [f"gitops:celery:{name}" for name in ("control", "fleet.default")]
    lost = 0
    with ground.client() as client:
        end = time.monotonic() + 4.0
        ground.change_everything()
        while time.monotonic() < end:
            for name in lists:
                lost += client.llen(name)
                client.delete(name)
            time.sleep(0.002)
    seconds = ground.converge("after the loss", seconds=200)
    experiment.detail = f"{lost} messages deleted; in sync {seconds:.1f} s later"


def test_f07_redis_is_emptied(ground: Ground, experiment: Experiment) -> None:
    seen, times = len(ground.deletes()), []
    for delay in (0.0, 1.5, 3.5):
        ground.change_everything()
        time.sleep(delay)
        with ground.client() as client:
            client.flushall()
        times.append(ground.converge("after FLUSHALL"))
    ground.change_everything()
    ground.redis.child.signal(signal.SIGKILL)
    ground.redis.child.wait(10)
    for path in (ground.folder / "redis").glob("append*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    ground.restart_redis()
    times.append(ground.converge("after the restart of an empty Redis"))
    assert ground.deletes()[seen:] == []
    assert not ground.orphans()
    experiment.detail = (
        "in sync after " + ", ".join(f"{seconds:.1f}" for seconds in times) + " s, the last on an empty Redis"
    )


def test_f08_redis_is_killed_with_its_log(ground: Ground, experiment: Experiment) -> None:
    pids = {name: child.pid for name, child in ground.engine.children.items() if child.alive}
    times = []
    for delay in (0.3, 1.5, 3.0):
        ground.change_everything()
        time.sleep(delay)
        ground.redis.child.signal(signal.SIGKILL)
        ground.redis.child.wait(10)
        time.sleep(1.0)
        ground.restart_redis()
        times.append(ground.converge("after Redis came back"))
    for name, pid in pids.items():
        child = ground.engine.children[name]
        assert (child.alive, child.pid) == (True, pid), f"{name} did not survive"
    experiment.detail = f"consumers resumed by themselves, in sync after {', '.join(f'{s:.1f}' for s in times)} s"
