"""A refresh of the catalogue that dies half-way: the next one does what is left of it."""

from __future__ import annotations

import pytest

from gitops_workers.core.model import SyncStatus
from tests.unit.pipeline.hazards import Fate
from tests.unit.pipeline.moves import config
from tests.unit.pipeline.moving import WEB, MovingLab

MANUAL = "{}"


@pytest.mark.usefixtures("quiet")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("before", ["", "east", "west"], ids=["new", "moved", "changed"])
@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_what_is_stored_and_not_enrolled_is_made_good(fate: Fate, before: str) -> None:
    """It is no change to the next refresh, and nobody looks at an application that is not enrolled."""
    at, more = 1, True
    while more:
        lab = MovingLab()
        lab.push(config("a"), config("b"))
        lab.declare_all()
        if before:
            lab.deploy(before, MANUAL)
        lab.settle_down(20)
        lab.deploy("west")
        lab.now += 6
        worker = lab.answer_refresh(at, fate)
        more = worker.requests >= at
        lab.now += 61
        lab.settle_down(180)
        assert lab.there("west") == ["a", "b"], f"{fate} {at}"
        assert lab.status(WEB).sync is SyncStatus.SYNCED
        assert lab.status(WEB).cluster == "west", f"{fate} {at}"
        at += 1
    assert at > 30
