"""Whatever dies while somebody's request is served, its end is the same, or nothing was done at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.documents.kinds import OPERATION
from gitops_workers.core.objects import ObjectKey
from tests.unit.core.making import manifest
from tests.unit.pipeline.asks import record
from tests.unit.pipeline.hazards import Fate, HazardLab
from tests.unit.pipeline.moves import config, deployment, inventory, values

pytestmark = [pytest.mark.usefixtures("quiet"), pytest.mark.timeout(300)]


def by_hand(lab: HazardLab, app: str) -> None:
    """No automated sync."""
    declared = lab.applications[app]
    lab.applications[app] = replace(declared, sync=replace(declared.sync, automated=False))
    lab.enroll()


def scene() -> tuple[HazardLab, str]:
    """Entry 0 has two waves, the first of which must get healthy; HEAD has the same objects otherwise, and one more."""
    lab = HazardLab()
    lab.push(config("a", "1"), deployment("d", 0), config("b", "1", wave=1))
    app = lab.declare(prune=True, self_heal=True)
    lab.settle_down(30)
    lab.push(config("a", "2"), config("b", "2", wave=1), config("c", "2"))
    lab.poll_repository()
    lab.settle_down(30)
    assert values(lab) == {"a": "2", "b": "2", "c": "2"}
    # The order of commits is what a rollback turns round.
    lab.order = dict.fromkeys(lab.order, 0)
    lab.last_written.clear()
    return lab, app


def end(lab: HazardLab, app: str) -> tuple[Any, ...]:
    found = record(lab, app)
    history = tuple((entry.id, entry.revision) for entry in found.history)
    why = found.paused.why if found.paused else ""
    kinds = sorted(key.kind for key in lab.cluster.objects() if key.namespace == "shop")
    return values(lab), kinds, inventory(lab, app), history, found.open, why, lab.status(app).sync


@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_a_worker_killed_anywhere_in_a_rollback_changes_nothing_of_its_end(fate: Fate) -> None:
    lab, app = scene()
    lab.ask(app, rollback=0, pause=True, prune=True)
    lab.settle_down(60)
    wanted = end(lab, app)
    assert wanted[0] == {"a": "1", "b": "1"}
    unlucky, more = 1, True
    while more:
        lab, app = scene()
        lab.ask(app, rollback=0, pause=True, prune=True)
        more = lab.answer_until(unlucky, fate, seconds=30)
        lab.settle_down(120)
        assert end(lab, app) == wanted, f"{fate} {unlucky}"
        unlucky += 1
    assert unlucky > 40


@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_a_worker_killed_anywhere_in_a_pinned_sync_keeps_to_its_commit(fate: Fate) -> None:
    """The branch moves while the worker lies dead; what was asked for when it was resolved is what is deployed."""
    unlucky, more = 1, True
    while more:
        lab, app = scene()
        by_hand(lab, app)
        third = lab.push(config("a", "3"), deployment("d", 0), config("b", "3", wave=1))
        lab.order[third] = 0
        lab.ask(app, revision="main", prune=True)
        more = lab.answer_until(unlucky, fate, seconds=30)
        stored = lab.state.load(OPERATION, app)
        has_target_revision = stored is not None and stored.commit == third
        lab.order[lab.push(config("a", "4"), config("b", "4"))] = 0
        lab.settle_down(120)
        assert values(lab) == ({"a": "3", "b": "3"} if has_target_revision else {"a": "4", "b": "4"}), (
            f"{fate} {unlucky}"
        )
        unlucky += 1
    assert unlucky > 40


def test_redis_lost_anywhere_in_a_rollback_loses_the_wish_and_does_nothing_else() -> None:
    unlucky, more, halves = 1, True, 0
    while more:
        lab, app = scene()
        lab.ask(app, rollback=0, pause=True, prune=True)
        more = lab.answer_until(unlucky, Fate.KILL, seconds=30)
        lab.flush()
        there = values(lab)
        lab.settle_down(120)
        if record(lab, app).paused:
            assert values(lab) == there, f"{unlucky}"
            halves += 1
        else:
            assert values(lab) == {"a": "2", "b": "2", "c": "2"}, f"{unlucky}"
            assert there == values(lab)
        unlucky += 1
    assert halves


def test_a_stranger_with_our_label_survives_a_rollback_that_prunes() -> None:
    lab, app = scene()
    strange = manifest("ConfigMap", "stranger", namespace="shop", data={"v": "mine"})
    strange["metadata"]["labels"] = lab.cluster.objects()[ObjectKey("", "ConfigMap", "shop", "a")]["metadata"]["labels"]
    lab.cluster.edit(strange)
    lab.ask(app, rollback=0, pause=True, prune=True)
    lab.settle_down(60)
    assert values(lab) == {"a": "1", "b": "1", "stranger": "mine"}
