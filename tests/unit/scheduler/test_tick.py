"""What a tick decides, with the queue's twin."""

import subprocess
import sys

from gitops_workers.adapters.volatile_queue import VolatileQueue
from gitops_workers.ports import Doorbell, Urgency
from scheduler.due import due_doorbells
from scheduler.refresh import refresh_doorbells

APP = "application/argocd/shop"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_what_is_due_rings_and_what_was_lost_is_put_back_first():
    clock = Clock()
    queue = VolatileQueue(clock)
    queue.enroll(APP, "prod", "default")
    queue.request(APP, "push", Urgency.WEBHOOK)
    queue.finish(queue.begin(APP, 30), done=False, due_in=None)
    assert due_doorbells(queue) == ((), 0)
    clock.now += 31
    assert due_doorbells(queue) == ((Doorbell("reconcile", "fleet.default", APP, 1),), 1)


def test_each_catalogue_is_looked_at_once_per_interval_however_many_ask():
    clock = Clock()
    queue = VolatileQueue(clock)
    first, second = refresh_doorbells(queue, 2, 5), refresh_doorbells(queue, 2, 5)
    assert first == [Doorbell("expand", "control", "0", 0), Doorbell("expand", "control", "1", 0)]
    assert second == []
    clock.now += 5
    assert len(refresh_doorbells(queue, 2, 5)) == 2


def test_beat_loads_no_cluster_client_no_manifest_model_and_no_git():
    code = (
        "import sys, scheduler.beat; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}"
        " & {'kubernetes', 'pydantic', 'git', 'fastapi', 'zstandard', 'flower'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
