"""What counts as an outage of a cluster, and what is one object's own trouble (I5)."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.errors import ClusterUnavailable, ServerFailed
from gitops_workers.core.grouping import cluster_group
from gitops_workers.core.model import AppId, SyncStatus
from gitops_workers.ports import Urgency
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import as_json, config, values

FAILED = ServerFailed("ConfigMap shop/bad in cluster east was answered with 500: unable to convert")


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    commit(lab, "1")
    for name in ("bad", "good"):
        lab.declare(name=name, path=name, self_heal=True)
    return lab


def commit(lab: Lab, value: str) -> None:
    lab.repository.commit({f"{name}/0.json": as_json(config(name, value)) for name in ("bad", "good")})


def break_object(lab: Lab, name: str) -> None:
    """The server fails at every request about this object, and serves all others."""
    original = lab.cluster.apply

    def apply(manifest: Any, **options: Any) -> Any:
        if manifest["metadata"]["name"] == name:
            raise FAILED
        return original(manifest, **options)

    lab.cluster.apply = apply  # type: ignore[method-assign]


def fail_often(lab: Lab, app: AppId) -> None:
    for _ in range(6):
        lab.now += 1.0
        lab.queue.request(app, "look", Urgency.MANUAL)
        lab.run()


def test_an_object_that_the_server_cannot_serve_is_its_own_applications_trouble(lab: Lab) -> None:
    break_object(lab, "bad")
    lab.run(1)
    bad, good = sorted(lab.applications)
    fail_often(lab, bad)
    assert "unable to convert" in lab.status(bad).message
    assert [view.reachable for view in lab.state.clusters()] != [False]
    commit(lab, "2")
    lab.poll_repository()
    assert values(lab) == {"good": "2"}
    assert lab.status(good).sync is SyncStatus.SYNCED


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ServerFailed("cluster east was answered with 500"), id="it fails at everything"),
        pytest.param(ClusterUnavailable("cluster east does not answer"), id="it does not answer"),
        pytest.param(ClusterUnavailable("cluster east refuses our credential (401)"), id="it refuses us"),
    ],
)
def test_a_server_that_serves_nothing_is_left_alone_after_three_failures(lab: Lab, error: ClusterUnavailable) -> None:
    lab.run(1)
    lab.cluster.fail_next(error, 100_000)
    one, other = lab.applications
    fail_often(lab, one)
    asked = lab.cluster.requests.total()
    fail_often(lab, other)
    assert lab.cluster.requests.total() == asked, "one probe a minute is all it gets"


def test_a_listing_that_the_server_cannot_give_does_not_stop_attempts(lab: Lab) -> None:
    lab.run(1)
    lab.cluster.fail_next(FAILED, 100, verb="list")
    for _ in range(4):
        lab.now += 1.0
        lab.queue.request_poll(cluster_group("east"), Urgency.WEBHOOK)
        lab.run()
    commit(lab, "2")
    lab.poll_repository()
    assert values(lab) == {"bad": "2", "good": "2"}
