"""Redis is emptied while a worker writes: nobody knows its lease any more, and it does not know that it is lost."""

from __future__ import annotations

import pytest

from gitops_workers.ports import Urgency
from tests.unit.core.making import manifest
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
        for bell in [bell for bell in lab.queue.dispatch(10) if bell.id == WEB]:
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


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("phase", ["PreSync", "Sync", "PostSync"])
def test_an_operation_whose_worker_reports_to_an_emptied_redis_goes_on_to_its_end(phase: str) -> None:
    """What it reports says that the operation waits, and nobody knows until when: no push and no drift brings it on."""
    at, more = 1, True
    while more:
        lab = HazardLab()
        hook = manifest("Job", "h", "batch/v1")
        hook["metadata"]["annotations"] = {"argocd.argoproj.io/hook": phase}
        lab.push(config("a", "1"), hook)
        lab.declare(prune=True, self_heal=True)
        lab.queue.request(WEB, "pushed", Urgency.WEBHOOK)
        for bell in [bell for bell in lab.queue.dispatch(10) if bell.id == WEB]:
            lab.answer(bell, at=at, fate=Fate.FREEZE)
        more = bool(lab.frozen)
        lab.flush()
        if more:
            lab.thaw()
        lab.settle_down(300)
        job, operation = lab.live("Job", "h", "batch"), lab.status(WEB).operation
        assert job is not None
        assert not job["metadata"].get("finalizers"), f"{at}"
        assert operation is not None
        assert operation.phase == "Succeeded", f"{at}"
        assert values(lab) == {"a": "1"}, f"{at}"
        at += 1
    assert at > 15
