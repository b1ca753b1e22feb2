"""Redis is emptied while a worker writes: nobody knows its lease any more, and it does not know that it is lost."""

from __future__ import annotations

import pytest

from gitops_workers.ports import Urgency
from tests.unit.pipeline.hazards import Fate, HazardLab
from tests.unit.pipeline.moves import config, values

WEB = "application/argocd/web"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("first", [True, False])
def test_a_worker_that_stood_still_for_a_moment_writes_nothing_over_a_newer_commit(first: bool) -> None:
    """The lab's witness allows the one request that was under way; the next holder of the lease waits for the rest."""
    at, more = 1, True
    while more:
        lab = HazardLab()
        if first:
            lab.push(config("a", "0"))
            lab.declare(prune=True, self_heal=True)
            lab.settle_down(30)
        lab.push(*(config(name, "1") for name in "abcd"))
        if not first:
            lab.declare(prune=True, self_heal=True)
        lab.queue.request(WEB, "pushed", Urgency.WEBHOOK)
        for bell in lab.queue.dispatch(1):
            lab.answer(bell, at=at, fate=Fate.FREEZE)
        more = bool(lab.frozen)
        lab.flush()
        lab.push(*(config(name, "2") for name in "abcd"))
        for _ in range(5):
            lab.now += 1
            lab.queue.sweep()
            for bell in lab.queue.dispatch(10):
                lab.answer(bell, host=1)
        if more:
            lab.thaw()
        lab.settle_down(120)
        assert values(lab) == dict.fromkeys("abcd", "2"), f"{at}"
        at += 1
    assert at > 20
