"""A rollback deploys again what was deployed, and stays until somebody wants Git again, whatever dies meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.documents.kinds import OPERATION
from gitops_workers.core.model import Dialect, Phase, SyncStatus
from gitops_workers.core.record.record import PART_OF
from gitops_workers.core.render.render_spec import HelmOptions
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.core.making import manifest, noise
from tests.unit.pipeline.asks import record
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.leaving import LeavingLab, argo
from tests.unit.pipeline.moves import config, deployment, inventory, values


@pytest.fixture
def lab() -> Lab:
    return Lab()


def deployed(lab: Lab, *versions: str, dialect: Dialect = Dialect.ARGOCD, **sync: Any) -> tuple[str, list[str]]:
    """An automated application that each of these versions was deployed to; entry 0 is the first of them."""
    app, commits = lab.declare(dialect, **sync), []
    for version in versions:
        commits.append(lab.push(config("a", version), config("b", version)))
        lab.poll_repository()
        lab.run(2)
    assert [entry.revision for entry in record(lab, app).history] == commits
    return app, commits


def redeclare(lab: Lab, app: str, **changes: Any) -> None:
    lab.applications[app] = replace(lab.applications[app], **changes)
    lab.enroll()


def resume(lab: Lab, app: str) -> None:
    lab.now += 0.001
    lab.state.save(raw("override"), app, {"suspended": False, "by": "ann", "resumedAt": lab.now})
    lab.queue.request(app, "resume asked by ann", Urgency.MANUAL)


def events(lab: Lab, app: str) -> list[str]:
    return [event.reason for event in reversed(lab.state.events(app))]


@pytest.mark.parametrize("dialect", Dialect)
def test_a_rollback_is_refused_where_automated_sync_would_undo_it(lab: Lab, dialect: Dialect) -> None:
    app, _ = deployed(lab, "1", "2", dialect=dialect)
    asked = lab.ask(app, rollback=0)
    lab.run(3)
    assert values(lab)["a"] == "2"
    assert lab.last_answer(app)[:2] == (asked, "Failed")
    assert "--pause-automation" in lab.last_answer(app)[2]
    assert lab.status(app).sync is SyncStatus.SYNCED


@pytest.mark.parametrize("dialect", Dialect)
def test_a_rollback_that_pauses_stays_and_is_compared_until_it_is_resumed(lab: Lab, dialect: Dialect) -> None:
    app, (first, second) = deployed(lab, "1", "2", dialect=dialect)
    lab.ask(app, rollback=0, pause=True)
    lab.run(5)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.last_answer(app)[1] == "Succeeded"
    assert f"Rolled back to #0 ({first[:12]}): 2 objects applied." in lab.last_answer(app)[2]
    assert f"Automated sync is paused. Run `gitops-workers app resume {app}`" in lab.last_answer(app)[2]
    status = lab.status(app)
    assert (status.sync, status.revision, status.suspended) == (SyncStatus.OUT_OF_SYNC, second, False)
    assert "ann rolled back to #0" in status.message
    assert [item.type for item in status.conditions] == ["AutomationPaused"]
    assert events(lab, app).count("AutomationPaused") == 1
    assert [(entry.id, entry.revision) for entry in record(lab, app).history] == [(0, first), (1, second), (2, first)]

    third = lab.push(config("a", "3"), config("b", "3"))
    lab.poll_repository()
    lab.run(600)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.status(app).revision == third

    resume(lab, app)
    lab.run(3)
    assert values(lab) == {"a": "3", "b": "3"}
    assert (lab.status(app).sync, lab.status(app).conditions) == (SyncStatus.SYNCED, ())
    assert record(lab, app).paused is None
    assert events(lab, app).count("AutomationResumed") == 1


def test_the_loss_of_redis_does_not_deploy_again_what_was_rolled_back(lab: Lab) -> None:
    app, _ = deployed(lab, "1", "2", self_heal=True)
    lab.ask(app, rollback=0, pause=True)
    lab.run(5)
    lab.flush()
    lab.run(600)
    assert values(lab) == {"a": "1", "b": "1"}
    assert [item.type for item in lab.status(app).conditions] == ["AutomationPaused"]
    resume(lab, app)
    lab.run(3)
    lab.flush()
    lab.run(600)
    assert values(lab) == {"a": "2", "b": "2"}


def test_resuming_is_written_down_also_where_nothing_differs(lab: Lab) -> None:
    app, _ = deployed(lab, "1", "2")
    lab.ask(app, rollback=1, pause=True)
    lab.run(5)
    assert record(lab, app).paused is not None
    resume(lab, app)
    lab.run(3)
    assert record(lab, app).paused is None
    lab.flush()
    lab.run(60)
    assert lab.status(app).conditions == ()


def test_a_manual_application_is_rolled_back_without_more_ado(lab: Lab) -> None:
    app, (first, second) = deployed(lab, "1", "2")
    redeclare(lab, app, sync=replace(lab.applications[app].sync, automated=False))
    lab.ask(app, rollback=0, pause=True)
    lab.run(3)
    assert values(lab) == {"a": "1", "b": "1"}
    assert (record(lab, app).paused, lab.status(app).conditions) == (None, ())
    assert "automated sync is off" in lab.status(app).message
    assert record(lab, app).history[-1].revision == first
    assert lab.status(app).revision == second


def test_the_same_objects_are_rendered_again_whatever_the_parameters_are_today(lab: Lab) -> None:
    app = lab.declare()
    render = replace(lab.applications[app].render, common_labels=(("tier", "old"),))
    redeclare(lab, app, render=render)
    lab.push(config("a", "1"))
    lab.poll_repository()
    redeclare(lab, app, render=replace(render, common_labels=(("tier", "new"),)))
    lab.push(config("a", "2"))
    lab.poll_repository()
    before = lab.live("ConfigMap", "a")
    assert before is not None
    assert before["metadata"]["labels"]["tier"] == "new"
    lab.ask(app, rollback=0, pause=True)
    lab.run(3)
    after = lab.live("ConfigMap", "a")
    assert after is not None
    assert (after["data"]["v"], after["metadata"]["labels"]["tier"]) == ("1", "old")


def test_parameters_that_were_too_large_to_keep_are_said_to_be_those_of_today(lab: Lab) -> None:
    app = lab.declare()
    huge = HelmOptions(values=noise(70_000))
    redeclare(lab, app, render=replace(lab.applications[app].render, helm=huge))
    lab.push(config("a", "1"))
    lab.poll_repository()
    lab.push(config("a", "2"))
    lab.poll_repository()
    assert len(record(lab, app).history[0].source) < 500
    assert [entry["exact"] for entry in lab.state.load(raw("history"), app)] == [False, False]
    lab.ask(app, rollback=0, pause=True)
    lab.run(3)
    assert values(lab) == {"a": "1"}
    assert "Its parameters were not kept" in lab.last_answer(app)[2]


def test_what_was_not_there_then_goes_only_when_that_is_asked_and_only_if_it_is_ours(lab: Lab) -> None:
    app, _ = deployed(lab, "1", prune=True)
    lab.push(config("a", "2"), config("b", "2"), config("c"), config("d"))
    lab.poll_repository()
    stolen = manifest("ConfigMap", "d", namespace="shop")
    stolen["metadata"]["labels"] = {PART_OF: "applyset-of-another-v1"}
    lab.cluster.edit(stolen)
    lab.ask(app, rollback=0, pause=True)
    lab.run(3)
    assert values(lab) == {"a": "1", "b": "1", "c": "1", "d": "1"}
    assert inventory(lab, app) == ["a", "b", "c", "d"]
    lab.ask(app, rollback=0, pause=True, prune=True)
    lab.run(3)
    assert values(lab) == {"a": "1", "b": "1", "d": "1"}
    assert inventory(lab, app) == ["a", "b"]


def test_flux_forgets_nothing_that_a_rollback_leaves_alone(lab: Lab) -> None:
    app, _ = deployed(lab, "1", dialect=Dialect.FLUX, prune=True)
    lab.push(config("a", "2"), config("c"))
    lab.poll_repository()
    lab.ask(app, rollback=0, pause=True)
    lab.run(3)
    assert inventory(lab, app) == ["a", "b", "c"]


def test_an_entry_that_is_not_there_is_refused_and_the_others_are_named(lab: Lab) -> None:
    app, _ = deployed(lab, "1", "2")
    lab.ask(app, rollback=7, pause=True)
    lab.run(3)
    assert "has no entry 7; it has 0, 1" in lab.last_answer(app)[2]
    assert lab.status(app).conditions == ()


def test_a_rollback_ends_a_deployment_that_is_stuck(lab: Lab) -> None:
    app, (first,) = deployed(lab, "1")
    lab.push(config("a", "2"), deployment("slow", 0), config("b", "2", wave=1))
    lab.poll_repository()
    assert values(lab) == {"a": "2", "b": "1"}
    lab.ask(app, rollback=0, pause=True, prune=True)
    lab.run(5)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.live("Deployment", "slow", "apps") is None
    assert record(lab, app).history[-1].revision == first
    assert not record(lab, app).open


def test_a_deletion_that_is_called_off_does_not_end_the_pause() -> None:
    lab = LeavingLab()
    lab.push(config("a", "1"))
    lab.begin(argo())
    app = "application/argocd/web"
    lab.push(config("a", "2"))
    lab.queue.request(app, "pushed", Urgency.WEBHOOK)
    lab.settle_down(10)
    assert values(lab) == {"a": "2"}
    lab.order = dict.fromkeys(lab.order, 0)
    lab.last_written.clear()
    lab.ask(app, rollback=0, pause=True)
    lab.settle_down(10)
    assert values(lab) == {"a": "1"}
    lab.declare_all()
    lab.settle_down(6)
    assert record(lab, app).deletion is not None
    lab.declare_all(argo())
    lab.settle_down(60)
    assert record(lab, app).deletion is None
    assert values(lab) == {"a": "1"}
    assert [item.type for item in lab.status(app).conditions] == ["AutomationPaused"]


def test_a_rollback_needs_no_git_server_where_the_commit_is_known(lab: Lab) -> None:
    app, _ = deployed(lab, "1", "2")
    lab.repository.down = "connection refused"
    lab.ask(app, rollback=0, pause=True)
    lab.run(0)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.last_answer(app)[1] == "Succeeded"


def test_rolling_back_twice_is_one_deployment(lab: Lab) -> None:
    app, (first, second) = deployed(lab, "1", "2")
    for _ in range(2):
        lab.ask(app, rollback=0, pause=True)
        lab.run(3)
    assert [entry.revision for entry in record(lab, app).history] == [first, second, first]


def test_no_hooks_are_run(lab: Lab) -> None:
    app, _ = deployed(lab, "1")
    lab.push(config("a", "2"), deployment("slow", 0), config("b", "2", wave=1))
    lab.poll_repository()
    plain = lab.state.load(OPERATION, app)
    assert plain is not None
    assert plain.hooks
    redeclare(lab, app, sync=replace(lab.applications[app].sync, wait=True))
    lab.ask(app, rollback=0, pause=True)
    lab.run(0)
    rolled = lab.state.load(OPERATION, app)
    assert rolled is not None
    assert (rolled.hooks, rolled.phase) == (False, Phase.SUCCEEDED)
