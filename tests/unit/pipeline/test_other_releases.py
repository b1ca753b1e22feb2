"""What a later release, a broken one or a hand has left in the store: no application is stranded, no will is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import REFRESH_DONE
from gitops_workers.core.model import Dialect, SyncStatus
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest, HoldReason
from gitops_workers.core.scheduling.poll_groups import cluster_group
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.leaving import LeavingLab, app_id, argo
from tests.unit.pipeline.moves import config, values

OF_APPLICATION = ["operation", "agreement", "glance", "listed", "history", "explanation", "record", "drift", "answer"]
OF_APPLICATION += ["preview", "refreshed", "waits", "moved"]
UNREADABLE: list[Any] = [7, "x", [], [7], {}, {"version": 2}, {"commit": []}, None]


@pytest.fixture
def lab() -> Lab:
    return Lab()


def synced(lab: Lab) -> str:
    lab.push(config("a", "1"))
    app = lab.declare(self_heal=True)
    lab.run(5)
    assert values(lab) == {"a": "1"}
    return app


def commit(lab: Lab, value: str) -> None:
    lab.push(config("a", value))
    lab.poll_repository()
    lab.run(5)


@pytest.mark.parametrize("kind", OF_APPLICATION)
def test_a_commit_is_deployed_though_a_later_release_has_added_a_field(lab: Lab, kind: str) -> None:
    app = synced(lab)
    commit(lab, "2")
    stored = lab.state.load(raw(kind), app)
    if isinstance(stored, dict):
        lab.state.save(raw(kind), app, {**stored, "added": {"later": [1]}})
    elif isinstance(stored, list):
        more = {"added": 1}
        lab.state.save(raw(kind), app, [{**row, **more} if isinstance(row, dict) else row for row in stored])
    commit(lab, "3")
    assert values(lab) == {"a": "3"}
    assert (lab.status(app).sync, lab.status(app).conditions) == (SyncStatus.SYNCED, ())


@pytest.mark.parametrize("stored", UNREADABLE)
@pytest.mark.parametrize("kind", OF_APPLICATION)
def test_a_commit_is_deployed_and_the_document_written_anew_though_it_was_unreadable(
    lab: Lab, kind: str, stored: Any
) -> None:
    app = synced(lab)
    lab.state.save(raw(kind), app, stored)
    commit(lab, "2")
    lab.cluster.edit(config("a", "by hand") | {"metadata": {"name": "a", "namespace": "shop"}})
    lab.poll_cluster()
    lab.run(120)
    assert values(lab) == {"a": "2"}
    assert (lab.status(app).sync, lab.status(app).conditions) == (SyncStatus.SYNCED, ())


@pytest.mark.parametrize("stored", UNREADABLE)
def test_objects_that_changed_are_looked_at_though_it_is_unreadable_which(lab: Lab, stored: Any) -> None:
    app = synced(lab)
    lab.cluster.edit(config("a", "by hand") | {"metadata": {"name": "a", "namespace": "shop"}})
    lab.state.save(raw("drift"), app, stored)
    lab.queue.request(app, "a changed in the cluster", Urgency.SELF_HEAL, not_before=0.0)
    lab.run(5)
    assert (values(lab)["a"] == "1") is (stored != [])
    assert lab.state.load(raw("drift"), app) is None


@pytest.mark.parametrize("stored", [item for item in UNREADABLE if item is not None])
def test_a_suspension_that_cannot_be_read_holds_and_is_said_until_somebody_says_it_again(lab: Lab, stored: Any) -> None:
    app = synced(lab)
    lab.state.save(raw("override"), app, stored)
    lab.queue.request(app, "somebody asks", Urgency.MANUAL)
    commit(lab, "2")
    assert values(lab) == {"a": "1"}
    assert lab.status(app).suspended
    assert f"app resume {app}" in lab.status(app).message
    lab.state.save(raw("override"), app, {"suspended": False, "by": "ann", "resumedAt": lab.now})
    lab.queue.request(app, "resume asked by ann", Urgency.MANUAL)
    lab.run(5)
    assert values(lab) == {"a": "2"}


def test_a_rollback_that_paused_holds_though_the_store_cannot_say_who_resumed(lab: Lab) -> None:
    app = synced(lab)
    commit(lab, "2")
    lab.ask(app, rollback=0, pause=True)
    lab.run(5)
    assert values(lab) == {"a": "1"}
    for kind in ("operation", "agreement", "history", "record", "answer"):
        lab.state.save(raw(kind), app, {"version": 2})
    lab.state.save(raw("override"), app, {"suspended": False, "by": "ann", "resumedAt": "yesterday"})
    commit(lab, "3")
    assert values(lab) == {"a": "1"}


@pytest.mark.parametrize("answer", [7, {"id": 3}, {}])
def test_a_request_that_may_have_been_served_is_not_served_again(lab: Lab, answer: Any) -> None:
    app = synced(lab)
    commit(lab, "2")
    lab.ask(app, rollback=0, pause=True)
    lab.run(5)
    commit(lab, "2 again")
    lab.state.save(raw("answer"), app, answer)
    lab.state.save(raw("override"), app, {"suspended": False, "by": "ann", "resumedAt": lab.now})
    lab.queue.request(app, "resume asked by ann", Urgency.MANUAL)
    lab.run(5)
    assert values(lab) == {"a": "2 again"}
    assert lab.last_answer(app)[:2] == ("request-1", "Succeeded")
    assert "Rolled back" in lab.last_answer(app)[2]


def test_a_request_of_which_nothing_is_known_any_more_is_refused_and_says_so(lab: Lab) -> None:
    app = synced(lab)
    commit(lab, "2")
    lab.ask(app, rollback=0, pause=True)
    lab.run(5)
    commit(lab, "3")
    for kind in ("answer", "operation"):
        lab.state.save(raw(kind), app, {"version": 2})
    lab.queue.request(app, "somebody asks", Urgency.MANUAL)
    lab.run(5)
    assert values(lab) == {"a": "1"}
    assert lab.last_answer(app)[:2] == ("request-1", "Failed")
    assert "ask again" in lab.last_answer(app)[2]


@pytest.mark.parametrize("stored", [7, {}, {"apps": "all"}])
def test_a_poll_group_that_cannot_be_read_has_the_catalogue_read_again(lab: Lab, stored: Any) -> None:
    synced(lab)
    lab.state.save(REFRESH_DONE, WHOLE, ("files", "around"))
    lab.state.save(raw("group"), cluster_group("east"), stored)
    lab.poll_cluster()
    assert lab.state.load(REFRESH_DONE, WHOLE) is None


@pytest.mark.parametrize("stored", [7, {"since": "x"}, {"since": 0.0, "cascade": "some", "by": "ann"}])
def test_nothing_is_deleted_while_the_order_that_was_given_cannot_be_read(stored: Any) -> None:
    lab, app = LeavingLab(), app_id(Dialect.ARGOCD)
    lab.push(config("a"))
    lab.begin(argo())
    lab.declare_all()
    lab.settle_down(1)
    lab.state.save(raw("delete"), app, stored)
    lab.settle_down(200)
    assert lab.names() == ["a"]
    assert f"app delete {app}" in lab.status(app).message
    lab.ask_deletion(app, Cascade.ORPHAN)
    lab.settle_down(200)
    assert lab.names() == ["a"]
    assert lab.state.application(app) is None


def test_a_deletion_that_is_held_says_that_the_order_to_go_on_cannot_be_read(lab: Lab) -> None:
    app = synced(lab)
    held = DeletionRequest(7.0, Deleting(Cascade.FOREGROUND), HoldReason.MASS)
    lab.applications[app] = replace(lab.applications[app], leaving=held)
    lab.enroll()
    lab.state.save(raw("delete"), app, {"since": 7.0, "cascade": "", "by": "ann", "keep": ["a"]})
    lab.queue.request(app, "delete asked by ann", Urgency.MANUAL)
    lab.run(5)
    assert values(lab) == {"a": "1"}
    assert "DeletionOrderUnreadable" in [item.type for item in lab.status(app).conditions]
