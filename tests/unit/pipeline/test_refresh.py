"""A refresh that somebody asks for compares with the cluster of now, whatever earlier looks remember."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.documents import kinds
from gitops_workers.core.documents.wills import RefreshRequest
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.model import AppId, Dialect, SyncStatus
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

SYNCED, DIFFERS = SyncStatus.SYNCED, SyncStatus.OUT_OF_SYNC


def deployed(lab: Lab, dialect: Dialect = Dialect.ARGOCD, **sync: Any) -> AppId:
    """An application in sync, whose differences are shown and not healed."""
    app = lab.declare(dialect, **{"automated": True, "self_heal": False, **sync})
    lab.push(settings("1"))
    lab.poll_repository()
    assert lab.status(app).sync is SYNCED
    return app


def settings(value: str) -> Manifest:
    return manifest("ConfigMap", "settings", namespace="shop", data={"v": value})


def ask(lab: Lab, app: AppId) -> float:
    lab.now += 0.001
    asked_at = lab.queue.now()
    lab.state.save(kinds.REFRESH, app, RefreshRequest(asked_at, "ann"))
    lab.queue.request(app, "refresh asked by ann", Urgency.MANUAL)
    return asked_at


def reason(lab: Lab, app: AppId, asked_at: float) -> str | None:
    return refreshes.reason_of(lab.state.load(kinds.REFRESHED, app), asked_at)


def test_a_change_that_no_poll_has_seen_is_shown_by_a_refresh_and_by_no_look_before(lab: Lab) -> None:
    app = deployed(lab)
    lab.cluster.edit(settings("by hand"))
    lab.queue.request(app, "a doorbell", Urgency.MANUAL)
    lab.run()
    assert lab.status(app).sync is SYNCED  # the hint says that nothing moved
    asked_at = ask(lab, app)
    lab.run()
    assert lab.status(app).sync is DIFFERS
    assert reason(lab, app, asked_at) == ""
    assert [row.diff != "" for row in lab.state.resources(app)] == [True]


def test_an_object_deleted_by_hand_is_shown_by_a_refresh(lab: Lab) -> None:
    app = deployed(lab)
    lab.cluster.remove(ObjectKey("", "ConfigMap", "shop", "settings"))
    ask(lab, app)
    lab.run()
    assert lab.status(app).sync is DIFFERS


def test_a_refresh_that_cannot_compare_says_why_and_is_still_served_later(lab: Lab) -> None:
    app = deployed(lab)
    lab.cluster.edit(settings("by hand"))
    lab.cluster.fail_next(ClusterUnavailable("east does not answer"))
    asked_at = ask(lab, app)
    lab.run()
    assert reason(lab, app, asked_at)
    lab.run(300)
    assert lab.status(app).sync is DIFFERS
    assert reason(lab, app, asked_at) == ""


def test_an_attempt_that_began_before_does_not_answer_a_refresh(lab: Lab) -> None:
    app = deployed(lab)
    before = lab.state.load(kinds.REFRESHED, app)
    asked_at = ask(lab, app)
    assert before is None
    assert reason(lab, app, asked_at) is None
    lab.run()
    assert reason(lab, app, asked_at) == ""
    later = ask(lab, app)
    assert reason(lab, app, later) is None


def test_a_suspended_application_answers_a_refresh_with_the_reason(lab: Lab) -> None:
    app = deployed(lab)
    lab.state.save(raw("override"), app, {"suspended": True, "by": "ann"})
    asked_at = ask(lab, app)
    lab.run()
    assert "Suspended" in (reason(lab, app, asked_at) or "")


def test_a_served_refresh_costs_the_next_look_nothing(lab: Lab) -> None:
    app = deployed(lab)
    ask(lab, app)
    lab.run()
    before = lab.cluster.requests.copy()
    lab.queue.request(app, "a doorbell", Urgency.MANUAL)
    lab.run()
    made = lab.cluster.requests - before
    assert made.keys() <= {"discovery"}  # the real adapter keeps what it discovered


@pytest.fixture
def lab() -> Lab:
    return Lab()
