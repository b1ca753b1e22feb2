"""PreDelete and PostDelete hooks around the end of an application."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from tests.unit.core.making import manifest
from tests.unit.pipeline.hazards import Fate
from tests.unit.pipeline.leaving import LeavingLab, app_id, argo
from tests.unit.pipeline.moves import config

WEB = app_id(Dialect.ARGOCD)
DONE: dict[str, Any] = {"conditions": [{"type": "Complete", "status": "True"}]}
BROKEN: dict[str, Any] = {"conditions": [{"type": "Failed", "status": "True", "message": "exit code 1"}]}


class PatientLab(LeavingLab):
    """Jobs end when the test says so."""

    def controllers_report(self) -> None:
        pass

    def end(self, name: str, status: dict[str, Any] = DONE) -> None:
        self.cluster.put_status(ObjectKey("batch", "Job", "shop", name), status)


@pytest.fixture
def lab() -> PatientLab:
    return PatientLab()


def job(name: str, phase: str) -> Manifest:
    found = manifest("Job", name, "batch/v1", spec={"image": "a"})
    found["metadata"]["annotations"] = {"argocd.argoproj.io/hook": phase}
    return found


def begun(lab: LeavingLab, *objects: Manifest) -> None:
    lab.push(*objects)
    lab.begin(argo())
    lab.declare_all()


def test_its_objects_wait_for_the_first_hook_and_its_end_for_the_last(lab: PatientLab) -> None:
    begun(lab, config("a"), job("drain", "PreDelete"), job("report", "PostDelete"))
    assert lab.live("Job", "drain", "batch") is None, "no sync runs it"
    lab.settle_down(60)
    assert lab.live("Job", "drain", "batch")
    assert lab.live("ConfigMap", "a")
    assert "waiting for hook Job.batch shop/drain" in lab.status(WEB).message

    lab.end("drain")
    lab.settle_down(30)
    assert lab.live("ConfigMap", "a") is None
    assert lab.live("Job", "report", "batch")
    assert lab.record(WEB) is not None

    lab.end("report")
    lab.settle_down(30)
    assert lab.record(WEB) is None
    assert lab.state.application(WEB) is None
    assert lab.live("Job", "drain", "batch") is None
    assert lab.live("Job", "report", "batch") is None


def test_a_hook_that_fails_keeps_the_objects_and_is_tried_again(lab: PatientLab) -> None:
    begun(lab, config("a"), job("drain", "PreDelete"))
    lab.settle_down(60)
    first = lab.live("Job", "drain", "batch")
    assert first is not None
    lab.end("drain", BROKEN)
    lab.settle_down(8)
    told = [event.message for event in lab.state.events(WEB)]
    assert "PreDelete wave 0: hook Job.batch shop/drain failed: exit code 1" in told
    assert lab.live("ConfigMap", "a")
    lab.settle_down(200)
    again = lab.live("Job", "drain", "batch")
    assert again is not None
    assert again["metadata"]["uid"] != first["metadata"]["uid"]
    lab.end("drain")
    lab.settle_down(60)
    assert lab.state.application(WEB) is None
    assert lab.live("ConfigMap", "a") is None


def test_hooks_that_came_with_a_commit_that_changes_nothing_else_run_too(lab: PatientLab) -> None:
    lab.push(config("a"))
    lab.begin(argo())
    lab.push(config("a"), job("drain", "PreDelete"))
    lab.settle_down(200)
    lab.declare_all()
    lab.settle_down(60)
    assert lab.live("Job", "drain", "batch")
    assert lab.live("ConfigMap", "a")


def test_who_has_no_such_hooks_is_deleted_without_git(lab: PatientLab) -> None:
    begun(lab, config("a"))
    lab.repository.down = "connection refused"
    lab.settle_down(60)
    assert lab.state.application(WEB) is None
    assert lab.live("ConfigMap", "a") is None


def test_emptying_redis_in_the_middle_loses_nothing(lab: PatientLab) -> None:
    begun(lab, config("a"), job("drain", "PreDelete"), job("report", "PostDelete"))
    lab.settle_down(60)
    lab.end("drain")
    lab.settle_down(20)
    assert lab.live("Job", "report", "batch")
    lab.empty_redis()
    for _ in range(8):
        lab.settle_down(30)
        if lab.live("Job", "report", "batch"):
            lab.end("report")
    assert lab.live("ConfigMap", "a") is None
    assert lab.record(WEB) is None
    assert lab.live("Job", "report", "batch") is None


def test_the_last_hook_runs_once_also_when_the_end_has_to_wait_for_its_turn(lab: PatientLab) -> None:
    begun(lab, config("a"), job("report", "PostDelete"))
    lab.settle_down(60)
    assert lab.live("Job", "report", "batch")
    turn = lab.queue.begin_poll(CATALOGUE, 30.0)  # somebody reads the catalogue
    assert turn is not None
    lab.end("report")
    lab.settle_down(10)
    assert lab.live("Job", "report", "batch") is None, "it is put away, and not run again"
    assert lab.record(WEB) is not None
    lab.queue.finish_poll(turn, 1.0)
    lab.settle_down(10)
    assert lab.record(WEB) is None
    assert lab.removed(WEB) is not None
    assert not [event for event in lab.state.events(WEB) if event.type == "Warning" and "hook" in event.message]


@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_a_worker_killed_at_any_request_changes_nothing_of_the_end(fate: Fate) -> None:
    for at in range(1, 40):
        lab = LeavingLab()
        begun(lab, config("a"), job("drain", "PreDelete"), job("report", "PostDelete"))
        for _ in range(60):
            lab.queue.sweep()
            for bell in lab.queue.dispatch(100):
                lab.answer(bell, at=at, fate=fate)
            lab.controllers_report()
            lab.now += 1.0
        lab.settle_down(400)
        assert lab.record(WEB) is None, at
        assert not [event for event in lab.state.events(WEB) if "was deleted while it ran" in event.message], at
        assert lab.live("ConfigMap", "a") is None, at
        assert lab.live("Job", "report", "batch") is None, at
