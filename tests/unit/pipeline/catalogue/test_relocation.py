"""An application whose destination becomes another cluster: what it has left behind is said as long as it is there."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.model import SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import applyset_id
from tests.unit.pipeline.moves import config
from tests.unit.pipeline.moving import WEB, MovingLab

KEY = ObjectKey("", "ConfigMap", "shop", "a")


@pytest.fixture
def lab() -> MovingLab:
    made = MovingLab()
    made.push(config("a"), config("b"))
    made.deploy("east")
    made.settle_down(20)
    return made


def test_what_stays_is_said_with_an_event_until_it_is_gone(lab: MovingLab) -> None:
    lab.deploy("west")
    lab.settle_down(20)
    assert lab.there("east") == lab.there("west") == ["a", "b"]
    assert lab.status(WEB).sync is SyncStatus.SYNCED
    said = lab.warning()
    assert "2 objects left in cluster east" in said
    assert f"applyset.kubernetes.io/part-of={applyset_id(WEB)}" in said
    assert "ConfigMap gitops-workers/application.argocd.web" in said
    events = [event for event in lab.state.events(WEB) if event.reason == "ObjectsLeftBehind"]
    assert [(event.type, event.message) for event in events] == [("Warning", said)]

    for name in "ab":
        lab.cluster.remove(KEY._replace(name=name))
    stored = lab.record(WEB)
    assert stored is not None
    lab.clusters.records("east").delete(WEB, stored.resource_version)
    lab.settle_down(700)
    assert lab.warning() == ""
    assert lab.there("west") == ["a", "b"]


def test_it_is_said_while_nothing_else_can_be(lab: MovingLab) -> None:
    lab.repository.down = "connection refused"
    lab.deploy("west")
    lab.settle_down(20)
    assert lab.status(WEB).sync is SyncStatus.UNKNOWN
    assert "cluster east" in lab.warning()


def test_it_is_said_while_the_old_cluster_does_not_answer_and_costs_a_request_in_ten_minutes(lab: MovingLab) -> None:
    lab.deploy("west")
    lab.settle_down(5)
    before = lab.cluster.requests["record-load"]
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 1000, verb="record-load")
    lab.settle_down(1200)
    assert "cluster east" in lab.warning()
    assert lab.status(WEB).sync is SyncStatus.SYNCED
    assert lab.cluster.requests["record-load"] - before <= 3


def test_whoever_goes_back_finds_his_objects_and_is_told_of_the_other_ones(lab: MovingLab) -> None:
    lab.deploy("west")
    lab.settle_down(20)
    uid = lab.cluster.objects()[KEY]["metadata"]["uid"]
    lab.deploy("east")
    lab.settle_down(20)
    assert lab.cluster.objects()[KEY]["metadata"]["uid"] == uid
    assert "cluster west" in lab.warning()
    assert "cluster east" not in lab.warning()


def test_an_emptied_redis_finds_it_again_in_the_records(lab: MovingLab) -> None:
    lab.deploy("west")
    lab.settle_down(20)
    lab.empty_redis()
    lab.settle_down(60)
    assert "2 objects left in cluster east" in lab.warning()


def test_a_cluster_that_is_not_configured_any_more_is_nobodys_concern(lab: MovingLab) -> None:
    lab.deploy("west")
    lab.settle_down(20)
    lab.clusters.names = lambda: ["west"]  # type: ignore[method-assign]
    lab.settle_down(700)
    assert lab.warning() == ""


def test_another_name_of_the_same_cluster_is_no_move(lab: MovingLab) -> None:
    lab.clusters.server = lambda _: "https://one.example:6443"  # type: ignore[method-assign, assignment]
    lab.deploy("west")
    lab.settle_down(20)
    assert lab.warning() == ""


def test_an_application_that_never_came_to_its_cluster_leaves_nothing() -> None:
    lab = MovingLab()
    lab.push(broken=b"{")
    lab.deploy("east")
    lab.settle_down(20)
    lab.deploy("west")
    lab.settle_down(20)
    assert lab.warning() == ""


def test_the_end_of_an_application_names_what_stays_elsewhere(lab: MovingLab) -> None:
    lab.deploy("west")
    lab.settle_down(20)
    lab.declare_all()
    lab.settle_down(60)
    removed = lab.removed(WEB)
    assert removed is not None
    assert "2 objects left in cluster east" in removed.message
    assert lab.there("east") == ["a", "b"]
    assert lab.there("west") == []
