"""Objects of hook runs that no operation looks after any more: nothing of ours holds them for long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.sync.hooks import held
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.pipeline.asks import operation
from tests.unit.pipeline.hazards import Fate, HazardLab
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config, push_and_ring
from tests.unit.pipeline.operation.test_hook_runs import APP, end, found, job, settings


@pytest.fixture
def lab() -> Lab:
    return Lab()


def running(lab: Lab, **sync: Any) -> None:
    """A sync that waits for its hook."""
    lab.push(job("before", "PreSync"), settings())
    lab.declare(**{"prune": True, "self_heal": True, **sync})
    lab.ask(APP)
    lab.run(2)
    live = found(lab, "before")
    assert live is not None
    assert held(live)


def only_hooks(lab: Lab) -> None:
    """Git has nothing but hooks, so all objects would go, and that asks for consent."""
    lab.push(job("before", "PreSync", image="new"))
    lab.poll_repository()
    assert "Git has no objects any more" in lab.status(APP).message


def broken(lab: Lab) -> None:
    """What Git has cannot be rendered."""
    lab.push(broken=b"{")
    lab.poll_repository()
    assert lab.status(APP).sync is SyncStatus.UNKNOWN


def outage(lab: Lab) -> None:
    """The cluster was away in the middle."""
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"))
    lab.run(2)
    assert operation(lab, APP).phase is Phase.ERROR


def nothing_left(lab: Lab) -> None:
    """A commit makes the cluster what Git says, so nothing goes on."""
    lab.push(config("a"))
    lab.poll_repository()


def switched_off(lab: Lab) -> None:
    """Automated sync is switched off, and another commit comes."""
    app = lab.applications[APP]
    lab.applications[APP] = replace(app, sync=replace(app.sync, automated=False))
    lab.state.discard(raw("request"), APP)
    stored = lab.state.load(raw("operation"), APP)
    assert stored is not None
    lab.state.save(raw("operation"), APP, {**stored, "request": None})
    lab.enroll()
    lab.push(settings("2"))
    lab.poll_repository()


def emptied(lab: Lab) -> None:
    """Redis was emptied."""
    lab.flush()


@pytest.mark.parametrize("automated", [True, False])
@pytest.mark.parametrize("event", [only_hooks, broken, outage, nothing_left, switched_off, emptied])
def test_a_hook_is_let_go_whatever_ends_its_operation(lab: Lab, event: Callable[[Lab], None], automated: bool) -> None:
    lab.push(settings())
    lab.declare(prune=True, self_heal=True)
    lab.run(2)
    running(lab, automated=automated)
    event(lab)
    for _ in range(20):
        if (live := found(lab, "before")) and not held(live):
            break
        lab.run(20)
        end(lab, "before")
    lab.run(200)
    live = found(lab, "before")
    assert live is None or not held(live), lab.status(APP)
    ended = lab.status(APP).operation
    assert ended is None or ended.phase is not Phase.RUNNING


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("left_git", [True, False])
def test_a_frozen_worker_leaves_no_hook_that_is_held(left_git: bool) -> None:
    """Others go on meanwhile, with another commit. Its one late request may create the hook of the old one."""
    at, more, late = 1, True, 0
    while more:
        lab = HazardLab()
        lab.push(settings())
        lab.declare(prune=True, self_heal=True)
        lab.settle_down(30)
        lab.push(job("before", "PreSync"), settings("2"))
        lab.queue.request(APP, "pushed", Urgency.WEBHOOK)
        for bell in lab.queue.dispatch(1):
            lab.answer(bell, at=at, fate=Fate.FREEZE)
        more = bool(lab.frozen)
        lab.now += 31
        push_and_ring(lab, settings("3"), *([] if left_git else [job("before", "PreSync", image="new")]))
        lab.settle_down(60)
        before = found(lab, "before")
        if more:
            lab.thaw()
        after = found(lab, "before")
        late += (before and before["spec"]) != (after and after["spec"])
        lab.settle_down(60)
        live = found(lab, "before")
        assert live is None or not held(live), f"{at}"
        settled = lab.live("ConfigMap", "settings")
        assert settled is not None
        assert settled["data"] == {"v": "3"}, f"{at}"
        at += 1
    assert late == 1, "it is one request that comes late"
