"""What counts as an outage of a cluster, and what is one object's own trouble (I5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.errors import ClusterUnavailable, Deferred, ServerFailed
from gitops_workers.core.model import AppId, Dialect, SourceSpec, SyncStatus
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from gitops_workers.ports import Urgency
from gitops_workers.testing.volatile_sources import VolatileRepository
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


def many(dialect: Dialect) -> Lab:
    """More applications than the cluster admits at once, all of them in sync."""
    lab = Lab()
    push_all(lab, "1")
    for number in range(60):
        app = lab.declare(dialect, name=f"app{number}", path=f"p{number}")
        patient = replace(lab.applications[app].schedule, retry_interval=600.0)
        lab.applications[app] = replace(lab.applications[app], schedule=patient)
    lab.enroll()
    lab.run(5)
    assert len(values(lab)) == 60
    return lab


def push_all(lab: Lab, value: str) -> None:
    lab.repository.commit({f"p{number}/0.json": as_json(config(f"c{number}", value)) for number in range(60)})


@pytest.mark.parametrize("dialect", list(Dialect))
def test_after_a_short_outage_during_a_push_everybody_has_it_soon(dialect: Dialect) -> None:
    """Flux' own backoff is minutes here: made for what is wrong with an application, not for who does not answer."""
    lab = many(dialect)
    push_all(lab, "2")
    lab.cluster.fail_next(ClusterUnavailable("cluster east refuses connections"), 100_000)
    lab.poll_repository()
    lab.run(5)
    lab.cluster.end_faults()
    lab.run(15)
    assert set(values(lab).values()) == {"2"}


def test_two_failures_that_open_no_breaker_are_not_waited_out_either() -> None:
    lab = many(Dialect.FLUX)
    push_all(lab, "2")
    lab.cluster.fail_next(ClusterUnavailable("cluster east refuses connections"), 2)
    lab.poll_repository()
    lab.run(6)
    assert set(values(lab).values()) == {"2"}


def test_a_repository_that_cannot_be_read_is_asked_ever_more_slowly_until_it_can() -> None:
    lab = Lab()
    lab.push(config("a"))
    app = lab.declare()
    lab.run(5)
    lab.repository.down = "connection timed out"
    lab.repository.requests = 0
    lab.run(700)
    assert lab.status(app).sync is SyncStatus.UNKNOWN
    assert lab.repository.requests <= 13, "after the third failure once a minute"
    lab.repository.down = ""
    lab.push(config("a", "2"))
    lab.run(61)
    assert values(lab) == {"a": "2"}


def test_a_host_that_does_not_answer_is_probed_and_the_first_repository_that_answers_opens_it_to_all() -> None:
    lab = Lab()
    urls = [f"https://git.example/team{number}.git" for number in range(20)]
    for number, url in enumerate(urls):
        lab.sources.repositories[url] = VolatileRepository()
        lab.sources.repositories[url].commit({"web/0.json": as_json(config(f"c{number}"))})
        app = lab.declare(name=f"app{number}")
        lab.applications[app] = replace(lab.applications[app], source=SourceSpec(url, path="web"))
    lab.enroll()
    lab.run(5)
    assert len(values(lab)) == 20
    for number, url in enumerate(urls):
        lab.sources.repositories[url].down = "connection timed out"
        lab.sources.repositories[url].commit({"web/0.json": as_json(config(f"c{number}", "2"))})
        lab.queue.request_poll(repository_group(lab.applications[f"application/argocd/app{number}"]), Urgency.WEBHOOK)
    asked = sum(found.requests for found in lab.sources.repositories.values())
    lab.run(300)
    assert sum(found.requests for found in lab.sources.repositories.values()) - asked <= 20 + 6
    for url in urls:
        lab.sources.repositories[url].down = ""
    lab.run(90)
    assert set(values(lab).values()) == {"2"}


def test_an_attempt_that_finds_no_place_in_the_line_for_git_comes_again_and_says_nothing(lab: Lab) -> None:
    lab.run(1)
    app = next(iter(lab.applications))
    before = lab.status(app)
    original = lab.sources.refs

    def refs(*_: Any, **__: Any) -> Any:
        raise Deferred("others wait already")

    lab.sources.refs = refs  # type: ignore[method-assign]
    commit(lab, "2")
    lab.queue.request(app, "asked by hand", Urgency.MANUAL)
    assert lab.run(1) == [f"reconcile {app}"]
    assert lab.status(app) == before
    lab.sources.refs = original  # type: ignore[method-assign]
    lab.run(3)
    assert lab.status(app).revision != before.revision
