"""An operation that is ended before its time deletes the hooks that it has running, and nothing else."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import ApplyRefused, ClusterUnavailable
from gitops_workers.core.model import Phase
from gitops_workers.core.sync.hooks import held
from tests.unit.core.making import manifest
from tests.unit.pipeline.asks import operation
from tests.unit.pipeline.hazards import Fate, HazardLab, Worker
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.operation.test_hook_runs import BROKEN, end, found, job, settings

STOPPED = "terminated by ann; deleted while running: Job.batch shop/runs"


@pytest.fixture
def lab() -> Lab:
    return Lab()


def begun(lab: Lab) -> str:
    """A sync with two hooks of one wave, of which `done` has come to its end, and two whose turn has not come."""
    lab.push(
        job("done", "PreSync", "HookSucceeded"), job("runs", "PreSync"), job("later", "PostSync"), job("x", "SyncFail")
    )
    app = lab.declare(automated=False)
    lab.ask(app)
    lab.run(1)
    end(lab, "done")
    lab.run(2)
    assert operation(lab, app).phase is Phase.RUNNING
    return app


def test_terminate_deletes_what_runs_and_lets_go_of_what_is_done(lab: Lab) -> None:
    app = begun(lab)
    asked = lab.ask(app, terminate=True)
    lab.run(0)
    assert found(lab, "runs") is None
    done = found(lab, "done")
    assert done is not None
    assert not held(done)
    assert (operation(lab, app).phase, operation(lab, app).message) == (Phase.FAILED, STOPPED)
    assert lab.last_answer(app) == (asked, "Succeeded", STOPPED)
    lab.run(60)
    assert {key.name for key in lab.cluster.objects() if key.kind == "Job"} == {"done"}


def test_what_other_operations_and_other_people_have_made_is_not_deleted(lab: Lab) -> None:
    app = begun(lab)
    lab.cluster.edit(manifest("Job", "later", "batch/v1", namespace="shop", spec={"image": "theirs"}))
    earlier = found(lab, "runs")
    assert earlier is not None
    earlier["metadata"]["annotations"]["gitops-workers.dev/hook-run"] = "another.PreSync"
    lab.cluster.edit(earlier)
    lab.ask(app, terminate=True)
    lab.run(0)
    assert operation(lab, app).message == "terminated by ann"
    assert found(lab, "runs")
    assert found(lab, "later")


def test_it_is_terminating_until_the_cluster_answers(lab: Lab) -> None:
    app = begun(lab)
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 1, verb="release")
    lab.repository.down = "connection refused"
    lab.ask(app, terminate=True)
    lab.run(0)
    assert found(lab, "runs")
    assert (operation(lab, app).phase, lab.last_answer(app)[1]) == (Phase.RUNNING, "")
    assert operation(lab, app).message.startswith("Terminating; its hooks are not deleted yet: cluster east")
    lab.run(10)
    assert found(lab, "runs") is None
    assert operation(lab, app).message == STOPPED


def test_a_refused_delete_is_told_and_keeps_nobody_from_ending(lab: Lab) -> None:
    app = begun(lab)
    lab.cluster.fail_next(ApplyRefused("jobs is forbidden"), verb="delete")
    lab.ask(app, terminate=True)
    lab.run(0)
    assert operation(lab, app).message == "terminated by ann; not deleted: jobs is forbidden"
    assert operation(lab, app).phase is Phase.FAILED


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER, Fate.FAIL, Fate.FAIL_AFTER])
def test_whatever_happens_at_any_request_the_end_is_the_same(fate: Fate) -> None:
    at, more = 1, True
    while more:
        lab = HazardLab()
        app = begun(lab)
        lab.ask(app, terminate=True)
        for bell in lab.queue.dispatch(10):
            worker = Worker(lab, bell, at=at, fate=fate)
            worker.run()
            more = worker.requests >= at
        lab.run(120)
        jobs = {key.name: held(live) for key, live in lab.cluster.objects().items() if key.kind == "Job"}
        assert jobs == {"done": False}, f"{fate} {at}"
        assert operation(lab, app).phase is Phase.FAILED
        at += 1
    assert at > 15


@pytest.mark.parametrize("policy", ["BeforeHookCreation", "HookFailed"])
def test_the_deadline_deletes_what_runs_and_runs_the_syncfail_hooks(lab: Lab, policy: str) -> None:
    lab.push(job("done", "PreSync"), job("runs", "PreSync", policy), settings(), job("tell", "SyncFail"))
    app = lab.declare(timeout=30.0, automated=False)
    lab.ask(app)
    lab.run(1)
    end(lab, "done")
    lab.run(31)
    assert found(lab, "tell")
    end(lab, "tell")
    lab.run(5)
    assert operation(lab, app).phase is Phase.FAILED
    assert "Not healthy after 3" in operation(lab, app).message
    assert found(lab, "runs") is None
    jobs = {key.name: held(live) for key, live in lab.cluster.objects().items() if key.kind == "Job"}
    assert jobs == {"done": False, "tell": False}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_a_worker_killed_anywhere_after_the_deadline_changes_nothing_of_its_end(fate: Fate) -> None:
    """Neither the hook that ran is taken for one that somebody else has deleted, nor its SyncFail hook."""
    unlucky, more = 1, True
    while more:
        lab = HazardLab()
        lab.push(job("runs", "PreSync"), settings(), job("tell", "SyncFail"))
        app = lab.declare(timeout=5.0, automated=False)
        lab.ask(app)
        lab.run(4)
        more = lab.answer_until(unlucky, fate, seconds=20, reports=False)
        lab.run(70)
        assert not any(key.kind == "Job" for key in lab.cluster.objects()), f"{fate} {unlucky}"
        ended = operation(lab, app)
        assert ended.phase is Phase.FAILED
        assert ended.message.count("Not healthy after") == 2, f"{fate} {unlucky}"
        unlucky += 1
    assert unlucky > 60


def test_a_syncfail_hook_that_never_ends_is_deleted_at_its_own_deadline(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings(), job("tell", "SyncFail"))
    app = lab.declare(timeout=30.0, automated=False)
    lab.ask(app)
    lab.run(1)
    end(lab, "before", BROKEN)
    lab.run(60)
    assert operation(lab, app).phase is Phase.FAILED
    assert "And Not healthy after" in operation(lab, app).message
    assert found(lab, "tell") is None
    assert found(lab, "before")


def test_a_hook_beside_one_that_fails_runs_on(lab: Lab) -> None:
    """Argo CD would wait for it; it is no reason to break off what somebody's migration is doing."""
    lab.push(job("bad", "PreSync"), job("runs", "PreSync"), settings())
    app = lab.declare(automated=False)
    lab.ask(app)
    lab.run(1)
    end(lab, "bad", BROKEN)
    lab.run(5)
    assert operation(lab, app).phase is Phase.FAILED
    live = found(lab, "runs")
    assert live is not None
    assert not held(live)
