"""Polls find what changed, also when nobody rings."""

from __future__ import annotations

import json

import pytest

from gitops_workers.core.model import AppId, SyncStatus
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.ports import Urgency
from tests.servers.git_repository import File
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()


def value(lab: Lab) -> str | None:
    live = lab.live("ConfigMap", "a")
    return live["data"]["v"] if live else None


def test_a_poll_lists_anew_although_somebody_asked_long_ago(lab: Lab) -> None:
    lab.push(manifest("ConfigMap", "a", data={"v": "1"}))
    app = lab.declare()
    lab.queue.request_poll(repository_group(lab.applications[app]), Urgency.WEBHOOK)
    lab.run()
    lab.push(manifest("ConfigMap", "a", data={"v": "2"}))
    lab.run(65)
    assert value(lab) == "2"


def test_an_outage_ends_by_itself_although_somebody_asked_during_it(lab: Lab) -> None:
    lab.push(manifest("ConfigMap", "a", data={"v": "1"}))
    app = lab.declare()
    lab.run()
    lab.push(manifest("ConfigMap", "a", data={"v": "2"}))
    lab.repository.down = "connection refused"
    lab.poll_repository()
    assert "connection refused" in lab.status(app).message
    lab.repository.down = ""
    lab.run(65)
    assert value(lab) == "2"


@pytest.fixture
def two(lab: Lab) -> tuple[AppId, AppId]:
    """An application of ConfigMaps, and one of a kind whose API group can fall silent."""
    lab.repository.commit(
        {
            "plain/a.json": json.dumps(manifest("ConfigMap", "a", data={"v": "1"})).encode(),
            "net/n.json": json.dumps(manifest("NetworkPolicy", "n", api="networking.k8s.io/v1", spec={})).encode(),
        }
    )
    apps = lab.declare(name="plain", path="plain"), lab.declare(name="net", path="net")
    lab.run()
    assert [lab.status(app).sync for app in apps] == [SyncStatus.SYNCED] * 2
    return apps


def test_a_submodule_that_does_not_answer_costs_its_own_application_the_commit(
    lab: Lab, two: tuple[AppId, AppId]
) -> None:
    plain, net = two
    files: dict[str, File] = {
        "plain/a.json": json.dumps(manifest("ConfigMap", "a", data={"v": "2"})).encode(),
        "net/module": ("160000", b"1" * 40),
    }
    lab.repository.commit(files)
    lab.run(65)
    assert value(lab) == "2"
    assert lab.status(plain).sync is SyncStatus.SYNCED
    assert "submodule net/module" in lab.status(net).message


def test_a_kind_that_cannot_be_listed_is_unknown_to_its_applications_only(lab: Lab, two: tuple[AppId, AppId]) -> None:
    plain, net = two
    lab.cluster.failed_groups.add("networking.k8s.io")
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "by hand"}))
    lab.poll_cluster()
    assert lab.status(net).sync is SyncStatus.UNKNOWN
    assert "networking.k8s.io" in lab.status(net).message
    assert lab.live("NetworkPolicy", "n", "networking.k8s.io") is not None
    assert lab.status(plain).sync is SyncStatus.OUT_OF_SYNC, "the change by hand was seen all the same"

    lab.cluster.failed_groups.clear()
    done = lab.poll_cluster()
    assert f"reconcile {net}" in done
    assert lab.status(net).sync is SyncStatus.SYNCED
    assert lab.status(net).conditions == ()
    assert f"reconcile {plain}" not in done, "whoever was well is not looked at again"


def test_one_silent_kind_after_the_other_is_told_to_whom_it_concerns(lab: Lab, two: tuple[AppId, AppId]) -> None:
    plain, net = two
    lab.cluster.failed_groups.add("networking.k8s.io")
    lab.poll_cluster()
    lab.cluster.failed_groups = {""}
    lab.poll_cluster()
    assert lab.status(plain).sync is SyncStatus.UNKNOWN
    assert lab.status(net).sync is SyncStatus.SYNCED
    lab.cluster.failed_groups.clear()
    lab.poll_cluster()
    assert lab.status(plain).sync is SyncStatus.SYNCED


def test_a_cluster_of_which_no_kind_can_be_listed_is_unknown_to_all(lab: Lab, two: tuple[AppId, AppId]) -> None:
    lab.cluster.failed_groups |= {"", "networking.k8s.io"}
    lab.poll_cluster()
    assert [lab.status(app).sync for app in two] == [SyncStatus.UNKNOWN] * 2
    lab.cluster.failed_groups.clear()
    lab.poll_cluster()
    assert [lab.status(app).sync for app in two] == [SyncStatus.SYNCED] * 2
