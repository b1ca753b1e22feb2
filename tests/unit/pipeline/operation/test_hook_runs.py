"""Hooks through the whole pipeline: order, waiting, ends, delete policies, and what bad luck leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.errors import ApplyRefused
from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.sync.hooks import RUN
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

APP = "application/argocd/web"
DONE: dict[str, Any] = {"conditions": [{"type": "Complete", "status": "True"}]}
BROKEN: dict[str, Any] = {"conditions": [{"type": "Failed", "status": "True", "message": "exit code 1"}]}


def job(name: str, phase: str, policy: str = "", image: str = "a", wave: int | None = None) -> Manifest:
    found = manifest("Job", name, "batch/v1", wave=wave, spec={"image": image})
    found["metadata"].setdefault("annotations", {})["argocd.argoproj.io/hook"] = phase
    if policy:
        found["metadata"]["annotations"]["argocd.argoproj.io/hook-delete-policy"] = policy
    return found


def settings(value: str = "1", wave: int | None = None) -> Manifest:
    return manifest("ConfigMap", "settings", wave=wave, data={"v": value})


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.declare(prune=True, self_heal=True)
    return made


def end(lab: Lab, name: str, status: dict[str, Any] = DONE) -> None:
    lab.cluster.put_status(ObjectKey("batch", "Job", "shop", name), status)


def found(lab: Lab, name: str) -> Manifest | None:
    return lab.live("Job", name, "batch")


def phase(lab: Lab) -> Phase | None:
    operation = lab.status(APP).operation
    return operation.phase if operation else None


def test_each_phase_waits_for_the_hooks_of_the_one_before(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings(), job("after", "PostSync"))
    lab.run(3)
    assert found(lab, "before")
    assert lab.live("ConfigMap", "settings") is None
    assert phase(lab) is Phase.RUNNING
    assert "Job.batch shop/before" in lab.status(APP).message

    end(lab, "before")
    lab.run(5)
    assert lab.live("ConfigMap", "settings")
    assert found(lab, "after")
    assert phase(lab) is Phase.RUNNING

    end(lab, "after")
    lab.run(5)
    assert phase(lab) is Phase.SUCCEEDED
    assert lab.status(APP).sync is SyncStatus.SYNCED
    assert lab.status(APP).message == "1 object applied, 2 hooks run."


def test_hooks_are_no_difference_and_run_once_per_sync(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings())
    lab.run(2)
    end(lab, "before")
    lab.run(5)
    first = found(lab, "before")
    assert first is not None
    lab.run(200)
    assert found(lab, "before") == first

    lab.push(job("before", "PreSync"), settings("2"))
    lab.poll_repository()
    second = found(lab, "before")
    assert second is not None
    assert second["metadata"]["uid"] != first["metadata"]["uid"], "BeforeHookCreation is the default"
    end(lab, "before")
    lab.run(5)
    settled = lab.live("ConfigMap", "settings")
    assert settled is not None
    assert settled["data"] == {"v": "2"}


def test_a_hook_that_left_git_is_never_pruned(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings())
    lab.run(2)
    end(lab, "before")
    lab.run(5)
    lab.push(settings("2"))
    lab.poll_repository()
    lab.run(5)
    assert phase(lab) is Phase.SUCCEEDED
    assert found(lab, "before")


def test_an_object_that_becomes_a_hook_or_is_skipped_is_not_pruned(lab: Lab) -> None:
    plain = manifest("Job", "task", "batch/v1", spec={"image": "a"})
    lab.push(plain, settings())
    lab.run(5)
    uid = found(lab, "task")
    assert uid is not None
    lab.push(job("task", "Skip"), settings("2"))
    lab.poll_repository()
    lab.run(5)
    assert lab.status(APP).sync is SyncStatus.SYNCED
    after = found(lab, "task")
    assert after is not None
    assert after["metadata"]["uid"] == uid["metadata"]["uid"]


@pytest.mark.parametrize("word", ["Presync", "", "garbage"])
def test_a_hook_of_no_known_phase_is_neither_applied_nor_pruned_and_is_told(lab: Lab, word: str) -> None:
    lab.push(job("typo", word), settings())
    lab.run(5)
    assert lab.status(APP).sync is SyncStatus.SYNCED
    assert found(lab, "typo") is None
    (told,) = lab.status(APP).conditions
    assert told.type == "UnknownHookWarning"
    assert "Job.batch typo" in told.message
    assert "neither applied nor run" in told.message

    lab.push(manifest("Job", "typo", "batch/v1", spec={"image": "a"}), settings())
    lab.poll_repository()
    lab.run(5)
    assert found(lab, "typo")
    assert lab.status(APP).conditions == ()
    lab.push(job("typo", word), settings("2"))
    lab.poll_repository()
    lab.run(5)
    assert found(lab, "typo")


@pytest.mark.parametrize(
    ("policy", "result", "stays"),
    [
        ("BeforeHookCreation", DONE, True),
        ("BeforeHookCreation", BROKEN, True),
        ("HookSucceeded", DONE, False),
        ("HookSucceeded", BROKEN, True),
        ("HookFailed", DONE, True),
        ("HookFailed", BROKEN, False),
        ("HookSucceeded,HookFailed", BROKEN, False),
    ],
)
def test_the_delete_policy_decides_what_stays(lab: Lab, policy: str, result: dict[str, Any], stays: bool) -> None:
    lab.push(job("before", "PreSync", policy), settings())
    lab.run(2)
    end(lab, "before", result)
    lab.run(4)
    assert phase(lab) is (Phase.SUCCEEDED if result is DONE else Phase.FAILED)
    left = found(lab, "before")
    assert (left is not None) is stays
    if left is not None:
        assert not left["metadata"].get("finalizers"), "what stays is nobody's burden"


def test_a_failed_hook_ends_the_sync_runs_syncfail_hooks_and_says_so(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings(), job("tell", "SyncFail", "HookSucceeded"))
    lab.run(2)
    end(lab, "before", BROKEN)
    lab.run(2)
    assert found(lab, "tell")
    assert phase(lab) is Phase.RUNNING
    end(lab, "tell")
    lab.run(2)
    assert phase(lab) is Phase.FAILED
    assert "hook Job.batch shop/before failed: exit code 1" in lab.status(APP).message
    assert lab.live("ConfigMap", "settings") is None
    assert found(lab, "tell") is None


def test_a_refused_object_runs_syncfail_hooks(lab: Lab) -> None:
    lab.push(settings(), job("tell", "SyncFail"))
    lab.cluster.fail_next(ApplyRefused("admission says no"), verb="apply")
    lab.run(1)
    assert found(lab, "tell")
    end(lab, "tell")
    lab.run(3)
    operation = lab.status(APP).operation
    assert operation is not None
    assert operation.phase is Phase.FAILED
    assert "admission says no" in operation.message


def test_a_refused_hook_is_found_before_anything_is_written(lab: Lab) -> None:
    lab.push(settings(), job("after", "PostSync"))
    bad = manifest("Job", "bad", "batch/v9", spec={})
    bad["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "PostSync"}
    lab.push(settings(), bad)
    lab.run(1)
    assert phase(lab) is Phase.FAILED
    assert lab.live("ConfigMap", "settings") is None


def test_a_hook_that_is_deleted_while_it_runs_fails_the_sync(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings())
    lab.run(2)
    lab.cluster.remove(ObjectKey("batch", "Job", "shop", "before"))
    lab.run(3)
    operation = lab.status(APP).operation
    assert operation is not None
    assert operation.phase is Phase.FAILED
    assert "was deleted while it ran" in operation.message


def test_a_finished_hook_that_its_ttl_deletes_still_tells_its_result(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings())
    lab.run(2)
    live = found(lab, "before")
    assert live is not None
    end(lab, "before")
    key = ObjectKey("batch", "Job", "shop", "before")
    lab.cluster.delete(key, uid=live["metadata"]["uid"])  # as the TTL controller does; our finalizer holds it
    assert found(lab, "before")
    lab.run(5)
    assert phase(lab) is Phase.SUCCEEDED
    assert found(lab, "before") is None


def test_a_new_commit_replaces_a_hook_that_never_ends(lab: Lab) -> None:
    lab.push(job("before", "PreSync", image="stuck"), settings())
    lab.run(60)
    assert phase(lab) is Phase.RUNNING
    lab.push(job("before", "PreSync", image="good"), settings())
    lab.poll_repository()
    live = found(lab, "before")
    assert live is not None
    assert live["spec"] == {"image": "good"}
    end(lab, "before")
    lab.run(5)
    assert phase(lab) is Phase.SUCCEEDED


def test_a_hook_that_left_git_while_it_ran_is_let_go(lab: Lab) -> None:
    lab.push(job("before", "PreSync", image="stuck"), settings())
    lab.run(5)
    lab.push(settings("2"))
    lab.poll_repository()
    lab.run(5)
    live = found(lab, "before")
    assert live is not None
    assert not live["metadata"].get("finalizers")


def test_a_hook_of_two_phases_runs_in_both(lab: Lab) -> None:
    lab.push(job("check", "PreSync,PostSync"), settings())
    lab.run(2)
    first = found(lab, "check")
    assert first is not None
    end(lab, "check")
    lab.run(3)
    second = found(lab, "check")
    assert second is not None
    assert first["metadata"]["annotations"][RUN].endswith(".PreSync")
    assert second["metadata"]["annotations"][RUN].endswith(".PostSync")
    assert first["metadata"]["uid"] != second["metadata"]["uid"]
    end(lab, "check")
    lab.run(5)
    assert phase(lab) is Phase.SUCCEEDED


def test_the_object_of_a_stranger_is_not_replaced(lab: Lab) -> None:
    lab.cluster.edit(manifest("Job", "before", "batch/v1", namespace="shop", spec={"image": "theirs"}))
    lab.push(job("before", "PreSync"), settings())
    lab.run(4)
    assert phase(lab) is Phase.FAILED
    assert "is not this application's" in lab.status(APP).message
    live = found(lab, "before")
    assert live is not None
    assert live["spec"] == {"image": "theirs"}


def test_healing_runs_no_hooks(lab: Lab) -> None:
    lab.push(job("before", "PreSync"), settings())
    lab.run(2)
    end(lab, "before")
    lab.run(5)
    first = found(lab, "before")
    lab.cluster.edit(manifest("ConfigMap", "settings", namespace="shop", data={"v": "by hand"}))
    lab.poll_cluster()
    lab.run(3)
    settled = lab.live("ConfigMap", "settings")
    assert settled is not None
    assert settled["data"] == {"v": "1"}
    assert found(lab, "before") == first


def test_whoever_asks_for_a_sync_has_the_hooks_run(lab: Lab) -> None:
    lab.push(job("before", "PreSync", "HookSucceeded"), settings())
    lab.run(2)
    end(lab, "before")
    lab.run(5)
    assert found(lab, "before") is None
    lab.ask(APP)
    lab.run(2)
    assert found(lab, "before")
    end(lab, "before")
    lab.run(5)
    assert phase(lab) is Phase.SUCCEEDED
    assert found(lab, "before") is None
    lab.run(100)
    assert found(lab, "before") is None, "asked once, run once"
