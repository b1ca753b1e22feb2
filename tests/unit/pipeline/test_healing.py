"""A controller that fights with Git costs less and less; a single change by hand is healed at once."""

from __future__ import annotations

import itertools

import pytest

from gitops_workers.core.model import AppId, Dialect, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config

A = ObjectKey("", "ConfigMap", "shop", "a")


@pytest.fixture
def lab() -> Lab:
    return Lab()


def meddle(lab: Lab) -> None:
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "by hand"}))


def fight(lab: Lab, app: AppId, seconds: int) -> list[float]:
    """Somebody undoes every heal at once, and a poll sees it each second; when the heals were, from the beginning."""
    begin, heals = lab.now, []
    for _ in range(seconds):
        lab.now += 1.0
        if lab.cluster.objects()[A]["data"] == {"v": "1"}:
            meddle(lab)
            lab.state.save(raw("drift"), app, ["|".join(A)])
            lab.queue.request(app, "changed in the cluster", Urgency.SELF_HEAL, not_before=0.0)
        before = lab.cluster.requests["apply"]
        lab.run()
        if lab.cluster.requests["apply"] > before:
            heals.append(lab.now - begin)
    return heals


def test_a_fight_costs_a_heal_in_five_minutes(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    heals = fight(lab, app, 1300)
    assert heals[0] == 1.0
    pauses = [later - earlier for earlier, later in itertools.pairwise(heals)]
    assert pauses == [2, 6, 18, 54, 162, 300, 300, 300]
    status = lab.status(app)
    assert status.sync is SyncStatus.OUT_OF_SYNC
    assert "ConfigMap shop/a changed again in the cluster; healed 9 times, next at 1970-01-12T" in status.message


def test_a_heal_after_a_rest_is_as_quick_as_the_first(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    for _ in range(4):
        lab.now += 400.0
        assert fight(lab, app, 1) == [1.0]


def test_a_commit_ends_the_wait(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    fight(lab, app, 100)
    assert "changed again" in lab.status(app).message
    lab.push(config("a", "2"))
    lab.poll_repository()
    assert lab.cluster.objects()[A]["data"] == {"v": "2"}


def test_a_human_does_not_wait(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    fight(lab, app, 100)
    lab.ask(app)
    lab.run()
    assert lab.status(app).sync is SyncStatus.SYNCED
    assert fight(lab, app, 1) == [1.0], "what a human set right is nobody's fight"


def test_a_change_that_goes_away_by_itself_ends_the_wait(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    fight(lab, app, 100)
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "1"}))
    lab.queue.request(app, "look", Urgency.POLL, not_before=0.0)
    lab.run()
    assert lab.status(app).sync is SyncStatus.SYNCED
    lab.now += 400.0
    assert fight(lab, app, 1) == [1.0]


def test_flux_corrects_as_often_as_it_looks(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(Dialect.FLUX, self_heal=True)
    lab.run()
    assert len(fight(lab, app, 20)) == 20
