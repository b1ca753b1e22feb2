"""What a tick decides, with the queue's twin."""

import subprocess
import sys

from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.ports import TaskMessage, Urgency
from gitops_workers.testing.volatile_queue import VolatileQueue
from scheduler.due import due_doorbells
from scheduler.refresh import keep_catalogue

APP = "application/argocd/shop"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_due_rings_and_what_was_lost_is_put_back_first() -> None:
    clock = Clock()
    queue = VolatileQueue(clock)
    queue.enroll(APP, "prod", "default")
    queue.request(APP, "push", Urgency.WEBHOOK)
    queue.finish(queue.begin(APP, 30), done=False, due_in=None)
    assert due_doorbells(queue) == ((), 0)
    clock.now += 31
    assert due_doorbells(queue) == ((TaskMessage("reconcile", "fleet.default", APP, 1),), 1)


def test_the_catalogue_comes_back_after_the_store_was_emptied() -> None:
    clock = Clock()
    queue = VolatileQueue(clock)
    for _ in range(2):
        keep_catalogue(queue, 5)
        assert due_doorbells(queue)[0] == (TaskMessage("poll", "control", CATALOGUE, 0),)
        queue.clear()
        assert due_doorbells(queue) == ((), 0)


def test_whoever_has_read_the_catalogue_says_when_it_is_due_again() -> None:
    clock = Clock()
    queue = VolatileQueue(clock)
    keep_catalogue(queue, 5)
    assert len(due_doorbells(queue)[0]) == 1
    attempt = queue.begin_poll(CATALOGUE, 30)
    assert attempt is not None
    queue.finish_poll(attempt, 60)
    clock.now += 59
    keep_catalogue(queue, 5)
    assert due_doorbells(queue)[0] == ()
    clock.now += 1
    assert len(due_doorbells(queue)[0]) == 1


def test_beat_loads_no_cluster_client_no_manifest_model_and_no_git() -> None:
    code = (
        "import sys, scheduler.beat; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}"
        " & {'kubernetes', 'pydantic', 'git', 'fastapi', 'zstandard', 'flower'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
