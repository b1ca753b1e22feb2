"""What somebody asks for is done as asked, once, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.model import Dialect, Phase, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.sync.request import selector
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.core.making import manifest
from tests.unit.pipeline.asks import manual, operation, ready, record
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config, deployment, inventory, values


@pytest.fixture
def lab() -> Lab:
    return Lab()


# --- how a request ends ---------------------------------------------------------------------------------------------
def test_a_request_is_answered_once_and_its_document_is_only_the_askers(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(automated=False)
    lab.run()
    asked = lab.ask(app)
    stored = lab.state.load(raw("request"), app)
    lab.run(2)
    assert lab.last_answer(app) == (asked, "Succeeded", "1 object applied.")
    assert lab.state.load(raw("request"), app) == stored
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "by hand"}))
    lab.poll_cluster()
    assert values(lab)["a"] == "by hand"


@pytest.mark.parametrize("stored", [{"prune": True}, {"id": "x", "by": "ann", "colour": 1}, ["no"], "no", 7])
def test_a_request_that_cannot_be_read_is_refused_and_the_application_goes_on(lab: Lab, stored: Any) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    lab.state.save(raw("request"), app, stored)
    lab.cluster.remove(ObjectKey("", "ConfigMap", "shop", "a"))
    lab.poll_cluster()
    lab.run(3)
    assert lab.last_answer(app)[1] == "Failed"
    assert "cannot be read" in lab.last_answer(app)[2]
    assert values(lab) == {"a": "1"}
    assert lab.status(app).sync is SyncStatus.SYNCED
    refused = [event for event in lab.state.events(app) if event.reason == "RequestRefused"]
    assert len(refused) == 1


def test_a_request_waits_for_a_cluster_that_is_away(lab: Lab) -> None:
    app, commits = manual(lab, "1", "2")
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 2)
    asked = lab.ask(app, revision=commits[0], prune=True)
    lab.run(60)
    assert lab.last_answer(app)[:2] == (asked, "Succeeded")


# --- a revision -----------------------------------------------------------------------------------------------------
def test_a_revision_is_synced_once_and_then_the_own_one_counts_again(lab: Lab) -> None:
    app, (first, second) = manual(lab, "1", "2")
    lab.ask(app)
    lab.run(2)
    assert (values(lab)["a"], lab.status(app).revision) == ("2", second)
    asked = lab.ask(app, revision=first)
    lab.run(3)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.last_answer(app) == (asked, "Succeeded", "2 objects applied.")
    status = lab.status(app)
    assert (status.sync, status.revision) == (SyncStatus.OUT_OF_SYNC, second)
    assert "automated sync is off" in status.message
    entry = record(lab, app).history[-1]
    assert (entry.revision, entry.initiated_by) == (first, "ann")
    assert not record(lab, app).open


@pytest.mark.parametrize("name", ["stable", "refs/tags/stable", "1.x", "stab*"])
def test_a_revision_is_anything_that_target_revision_may_be(lab: Lab, name: str) -> None:
    app, (first, _) = manual(lab, "1", "2")
    lab.repository.tag("stable", first)
    lab.repository.tag("1.4.0", first)
    lab.ask(app)
    lab.run(2)
    lab.ask(app, revision=name)
    lab.run(3)
    assert values(lab)["a"] == "1"


def test_a_commit_does_not_replace_a_sync_that_is_pinned(lab: Lab) -> None:
    lab.push(config("a", "0"))
    app = lab.declare(automated=False)
    lab.run()
    first = lab.push(deployment("slow", 0), config("a", "1", wave=1))
    asked = lab.ask(app, revision="main")
    lab.run(2)
    assert operation(lab, app).phase is Phase.RUNNING
    lab.push(config("a", "2"))
    lab.poll_repository()
    lab.run(10)
    assert (operation(lab, app).phase, operation(lab, app).revision) == (Phase.RUNNING, first)
    ready(lab, "slow")
    lab.run(10)
    assert values(lab) == {"a": "1"}
    assert lab.last_answer(app)[:2] == (asked, "Succeeded")
    assert lab.status(app).sync is SyncStatus.OUT_OF_SYNC


def test_an_outage_in_the_middle_does_not_unpin_it(lab: Lab) -> None:
    lab.push(config("a", "0"))
    app = lab.declare(automated=False)
    lab.run()
    lab.push(deployment("slow", 0), config("a", "1", wave=1))
    lab.ask(app, revision="main")
    lab.run(2)
    lab.push(config("a", "2"))
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 3)
    lab.run(20)
    ready(lab, "slow")
    lab.run(60)
    assert values(lab) == {"a": "1"}


@pytest.mark.parametrize("dialect", Dialect)
def test_a_revision_is_refused_where_automated_sync_would_undo_it(lab: Lab, dialect: Dialect) -> None:
    first = lab.push(config("a", "1"))
    app = lab.declare(dialect)
    lab.run()
    lab.push(config("a", "2"))
    lab.poll_repository()
    asked = lab.ask(app, revision=first)
    lab.run(3)
    assert values(lab) == {"a": "2"}
    answer = lab.last_answer(app)
    assert answer[:2] == (asked, "Failed")
    assert "would undo this at once" in answer[2]
    assert "turn automated sync off" in answer[2]
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_a_revision_that_is_not_there_is_the_requests_failure_and_not_the_applications(lab: Lab) -> None:
    app, _ = manual(lab, "1")
    before = lab.status(app)
    lab.ask(app, revision="nowhere")
    lab.run(3)
    assert "revision 'nowhere' not found" in lab.last_answer(app)[2]
    after = lab.status(app)
    assert (after.sync, after.conditions, after.operation) == (before.sync, before.conditions, before.operation)


# --- some objects ---------------------------------------------------------------------------------------------------
def test_only_the_chosen_objects_are_applied_and_no_deployment_is_claimed(lab: Lab) -> None:
    app, _ = manual(lab, "1", "2")
    before = record(lab, app)
    asked = lab.ask(app, resources=(selector(":ConfigMap:shop/a"),))
    lab.run(3)
    assert values(lab) == {"a": "2", "b": "1"}
    assert lab.last_answer(app) == (asked, "Succeeded", "1 object applied.")
    after = record(lab, app)
    assert (after.history, after.open) == (before.history, False)
    assert inventory(lab, app) == ["a", "b"]
    rows = {row.name: row.status for row in lab.state.resources(app)}
    assert rows == {"a": SyncStatus.SYNCED, "b": SyncStatus.OUT_OF_SYNC}
    assert lab.status(app).sync is SyncStatus.OUT_OF_SYNC


def test_an_object_that_is_refused_does_not_keep_the_others_from_being_chosen(lab: Lab) -> None:
    app, _ = manual(lab, "1")
    lab.push(config("a", "2"), manifest("ConfigMap", "bad", namespace="nowhere"))
    lab.poll_repository()
    assert lab.status(app).sync is SyncStatus.UNKNOWN
    lab.ask(app, resources=(selector("!:ConfigMap:bad"),))
    lab.run(3)
    assert values(lab)["a"] == "2"
    assert lab.last_answer(app)[1] == "Succeeded"


def test_only_what_is_chosen_is_pruned(lab: Lab) -> None:
    lab.push(config("a"), config("b"), config("c"))
    app = lab.declare(automated=False)
    lab.ask(app)
    lab.run(2)
    lab.push(config("a", "2"))
    lab.ask(app, prune=True, resources=(selector(":ConfigMap:b"),))
    lab.run(3)
    assert values(lab) == {"a": "1", "c": "1"}
    assert inventory(lab, app) == ["a", "c"]


def test_a_selection_of_nothing_is_refused_and_says_where_to_look(lab: Lab) -> None:
    app, _ = manual(lab, "1", "2")
    lab.ask(app, resources=(selector("apps:Deployment:a"),))
    lab.run(3)
    assert lab.last_answer(app)[1] == "Failed"
    assert "No object of the application fits apps:Deployment:a" in lab.last_answer(app)[2]
    assert values(lab)["a"] == "1"


def test_a_change_by_hand_beside_the_chosen_object_stays_a_change_by_hand(lab: Lab) -> None:
    """The record must not be left open: without self-heal that would make everything that differs our own affair."""
    lab.push(config("a"), config("b"))
    app = lab.declare(self_heal=False)
    lab.run()
    for name in "ab":
        lab.cluster.edit(manifest("ConfigMap", name, namespace="shop", data={"v": "by hand"}))
    lab.poll_cluster()
    lab.ask(app, resources=(selector(":ConfigMap:a"),))
    lab.run(200)
    lab.poll_cluster()
    assert values(lab) == {"a": "1", "b": "by hand"}
    assert "selfHeal is off" in lab.status(app).message


def test_a_part_of_a_commit_that_is_reverted_at_once_goes_back_with_it(lab: Lab) -> None:
    """The state that was synced last is not there any more, so what differs from it is our doing."""
    lab.push(config("a", "1"), config("b", "1"))
    app = lab.declare(self_heal=False)
    lab.run()
    lab.push(config("a", "2"), config("b", "2"))
    lab.ask(app, resources=(selector(":ConfigMap:a"),))
    lab.run(0)
    assert values(lab) == {"a": "2", "b": "1"}
    lab.push(config("a", "1"), config("b", "1"))
    lab.poll_repository()
    lab.run(5)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_a_pruned_part_of_a_commit_that_is_reverted_at_once_comes_back(lab: Lab) -> None:
    """What the part has deleted is agreed no more, and its absence is no hand-made change."""
    lab.push(config("a"), config("b"))
    app = lab.declare(prune=True, self_heal=False)
    lab.run(2)
    lab.push(config("b"))
    lab.ask(app, resources=(selector(":ConfigMap:a"),))
    lab.run(0)
    assert lab.live("ConfigMap", "a") is None
    lab.push(config("a"), config("b"))
    lab.poll_repository()
    lab.run(5)
    assert lab.live("ConfigMap", "a"), lab.status(app).message
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_a_part_does_not_take_the_place_of_the_whole_that_is_going_on(lab: Lab) -> None:
    lab.push(deployment("slow", 0), config("a", wave=1), config("b", wave=2))
    app = lab.declare(automated=False)
    lab.run()
    lab.ask(app)
    lab.run(1)
    lab.ask(app, resources=(selector(":ConfigMap:b"),))
    lab.run(2)
    assert "app terminate" in lab.last_answer(app)[2]
    assert values(lab) == {}
    ready(lab, "slow")
    lab.run(10)
    assert values(lab) == {"a": "1", "b": "1"}
    assert operation(lab, app).phase is Phase.SUCCEEDED


# --- what somebody else does meanwhile ------------------------------------------------------------------------------
def test_a_suspended_application_answers_that_it_rests(lab: Lab) -> None:
    app, _ = manual(lab, "1", "2")
    lab.state.save(raw("override"), app, {"suspended": True, "by": "ann"})
    lab.ask(app)
    lab.run(3)
    assert lab.last_answer(app)[1] == "Failed"
    assert lab.last_answer(app)[2].startswith("Suspended")
    assert values(lab)["a"] == "1"


def test_asking_again_for_what_is_going_on_joins_it(lab: Lab) -> None:
    lab.push(deployment("slow", 0), config("b", wave=1))
    app = lab.declare()
    lab.run()
    began = operation(lab, app).started_at
    asked = lab.ask(app)
    lab.run(2)
    assert (operation(lab, app).started_at, operation(lab, app).initiated_by) == (began, "ann")
    ready(lab, "slow")
    lab.run(10)
    assert lab.last_answer(app)[:2] == (asked, "Succeeded")


def test_losing_redis_loses_the_wish_and_does_nothing_else(lab: Lab) -> None:
    app, (first, _) = manual(lab, "1", "2")
    lab.ask(app)
    lab.run(2)
    lab.ask(app, revision=first, prune=True)
    lab.flush()
    lab.run(120)
    assert values(lab)["a"] == "2"
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_the_operation_holds_what_it_was_begun_for(lab: Lab) -> None:
    """Somebody removed the document; the operation goes on as it began."""
    app, (first, _) = manual(lab, "1", "2")
    stuck = lab.push(deployment("slow", 0), config("a", "3", wave=1))
    lab.ask(app, revision=stuck)
    lab.run(2)
    lab.state.discard(raw("request"), app)
    lab.push(config("a", "4"))
    lab.poll_repository()
    ready(lab, "slow")
    lab.run(10)
    assert values(lab)["a"] == "3"
    assert first != stuck
    assert json.loads(record(lab, app).history[-1].source)["revision"] == stuck


def test_a_changed_manifest_goes_on_with_the_same_revision(lab: Lab) -> None:
    app, _ = manual(lab, "1")
    stuck = lab.push(deployment("slow", 0), config("a", "3", wave=1))
    lab.ask(app, revision="main")
    lab.run(2)
    lab.push(config("a", "4"))
    declared = lab.applications[app]
    labels = replace(declared.render, common_labels=(("team", "web"),))
    lab.applications[app] = replace(declared, render=labels)
    lab.enroll()
    lab.queue.request(app, "changed", Urgency.POLL)
    lab.run(3)
    ready(lab, "slow")
    lab.run(10)
    live = lab.live("ConfigMap", "a")
    assert live is not None
    assert (live["data"]["v"], live["metadata"]["labels"]["team"]) == ("3", "web")
    assert record(lab, app).history[-1].revision == stuck
