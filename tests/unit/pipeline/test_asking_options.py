"""Dry runs, force and the end of an operation; and what runs no hooks."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import ClusterUnavailable, InvalidObject
from gitops_workers.core.model import HealthStatus, Phase
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.sync.request import selector
from tests.documents import raw
from tests.unit.core.making import manifest
from tests.unit.pipeline.asks import manual, operation, ready, record
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config, deployment, values


@pytest.fixture
def lab() -> Lab:
    return Lab()


# --- a dry run ------------------------------------------------------------------------------------------------------
def test_a_dry_run_shows_what_would_be_done_and_writes_nothing(lab: Lab) -> None:
    lab.push(config("a"), config("b"), config("c"))
    app = lab.declare(automated=False)
    lab.ask(app)
    lab.run(2)
    lab.push(config("a", "2"), config("b"))
    lab.poll_repository()
    before, known, requests = lab.cluster.objects(), record(lab, app), lab.cluster.requests.copy()
    asked = lab.ask(app, dry_run=True, prune=True)
    lab.run(0)
    done = lab.cluster.requests - requests
    assert not {"apply", "delete", "hand-over", "record-store"} & set(done)
    assert (lab.cluster.objects(), record(lab, app)) == (before, known)
    identity, phase, message = lab.last_answer(app)
    assert (identity, phase) == (asked, "Succeeded")
    assert "1 object would be applied, 1 pruned" in message
    preview = lab.state.load(raw("preview"), app)
    assert preview["id"] == asked
    rows = {row["name"]: row for row in preview["resources"]}
    assert set(rows) == {"a", "c"}
    assert '+  v: "2"' in rows["a"]["diff"]
    assert rows["c"]["message"] == "Would be pruned."


def test_a_dry_run_of_another_revision_is_allowed_while_automated_sync_is_on(lab: Lab) -> None:
    first = lab.push(config("a", "1"))
    app = lab.declare()
    lab.run()
    lab.push(config("a", "2"))
    lab.poll_repository()
    before = lab.status(app)
    lab.ask(app, dry_run=True, revision=first)
    lab.run(3)
    assert lab.last_answer(app)[1] == "Succeeded"
    assert values(lab) == {"a": "2"}
    after = lab.status(app)
    assert (after.sync, after.revision, after.operation) == (before.sync, before.revision, before.operation)


def test_a_dry_run_says_what_would_be_refused(lab: Lab) -> None:
    app, _ = manual(lab, "1")
    lab.push(manifest("ConfigMap", "bad", namespace="nowhere"))
    lab.ask(app, dry_run=True)
    lab.run(3)
    assert lab.last_answer(app)[1] == "Failed"
    assert "nowhere" in lab.last_answer(app)[2]


def test_a_dry_run_leaves_a_running_operation_running(lab: Lab) -> None:
    lab.push(deployment("slow", 0), config("a", wave=1))
    app = lab.declare()
    lab.run()
    lab.ask(app, dry_run=True)
    lab.run(2)
    assert lab.last_answer(app)[1] == "Succeeded"
    ready(lab, "slow")
    lab.run(10)
    assert values(lab) == {"a": "1"}


def test_force_replaces_an_object_for_this_sync_only(lab: Lab) -> None:
    app, _ = manual(lab, "1", "2")
    uid = lab.live("ConfigMap", "a")["metadata"]["uid"]
    invalid = InvalidObject("ConfigMap shop/a: it cannot be changed")
    lab.cluster.fail_next(invalid, 2, verb="dry-run")
    lab.ask(app)
    lab.run(0)
    assert lab.last_answer(app)[1] == "Failed"
    lab.cluster.fail_next(invalid, 2, verb="dry-run")
    lab.ask(app, force=True)
    lab.run(0)
    assert lab.last_answer(app)[1] == "Succeeded"
    assert lab.live("ConfigMap", "a")["metadata"]["uid"] != uid


# --- the end of an operation ----------------------------------------------------------------------------------------
def test_terminate_ends_the_operation_and_keeps_what_it_did(lab: Lab) -> None:
    lab.push(config("a", wave=0), deployment("slow", 0), config("b", wave=1))
    app = lab.declare()
    lab.run()
    asked = lab.ask(app, terminate=True)
    lab.run(0)
    ended = operation(lab, app)
    assert (ended.phase, ended.message) == (Phase.FAILED, "terminated by ann")
    assert lab.last_answer(app) == (asked, "Succeeded", "terminated by ann")
    assert values(lab) == {"a": "1"}
    lab.run(4)
    assert operation(lab, app).phase is Phase.FAILED
    lab.run(10)
    assert operation(lab, app).phase is Phase.RUNNING  # after the backoff that any failure has


def test_a_manual_sync_that_was_terminated_stays_so(lab: Lab) -> None:
    lab.push(deployment("slow", 0), config("b", wave=1))
    app = lab.declare(automated=False)
    lab.ask(app)
    lab.run(1)
    lab.ask(app, terminate=True)
    lab.run(60)
    ready(lab, "slow")
    lab.run(60)
    assert values(lab) == {}
    assert operation(lab, app).message == "terminated by ann"


def test_terminate_works_while_git_and_the_cluster_hang(lab: Lab) -> None:
    lab.push(deployment("slow", 0), config("b", wave=1))
    app = lab.declare()
    lab.run()
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 100)
    lab.repository.down = "connection refused"
    lab.ask(app, terminate=True)
    lab.run(0)
    assert operation(lab, app).message == "terminated by ann"


def test_there_is_nothing_to_terminate_where_nothing_runs(lab: Lab) -> None:
    app, _ = manual(lab, "1")
    lab.ask(app, terminate=True)
    lab.run(3)
    assert lab.last_answer(app)[1:] == ("Failed", "No operation is running: there is nothing to terminate.")
    assert lab.status(app).health is HealthStatus.HEALTHY


def test_a_part_and_a_rollback_run_no_hooks_and_a_dry_run_counts_them(lab: Lab) -> None:
    hook = manifest("Job", "before", "batch/v1", spec={})
    hook["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "PreSync"}
    lab.push(config("a", "1"))
    app = lab.declare(automated=False)
    lab.ask(app)
    lab.run(2)
    lab.push(hook, config("a", "2"))
    lab.ask(app, resources=(selector(":ConfigMap:a"),))
    lab.run(3)
    assert (values(lab)["a"], lab.live("Job", "before", "batch")) == ("2", None)
    lab.ask(app, dry_run=True)
    lab.run(0)
    assert "0 objects would be applied, 0 pruned, 1 hook run" in lab.last_answer(app)[2]
    assert lab.live("Job", "before", "batch") is None
    lab.ask(app)
    lab.run(2)
    assert operation(lab, app).phase is Phase.RUNNING
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    lab.cluster.put_status(ObjectKey("batch", "Job", "shop", "before"), done)
    lab.run(6)
    assert operation(lab, app).phase is Phase.SUCCEEDED
    ran = lab.live("Job", "before", "batch")
    for number in (0, 1):
        lab.ask(app, rollback=number)
        lab.run(3)
        assert lab.last_answer(app)[1] == "Succeeded"
    assert lab.live("Job", "before", "batch") == ran
