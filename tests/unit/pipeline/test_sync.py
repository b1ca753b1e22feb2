"""An application becomes what Git says, stays so, and says why when it cannot."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.model import Dialect, HealthStatus, Phase, SyncStatus
from gitops_workers.core.objects import key_of
from gitops_workers.core.sync.sync_policy import Retry
from gitops_workers.ports import Urgency
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab


def config(name: str, value: str = "1") -> dict[str, object]:
    return manifest("ConfigMap", name, data={"v": value})


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.mark.parametrize("dialect", Dialect)
def test_a_new_application_is_synced_at_its_first_look(lab: Lab, dialect: Dialect) -> None:
    commit = lab.push(config("a"), config("b"))
    app = lab.declare(dialect)
    lab.run()
    assert lab.live("ConfigMap", "a") is not None
    status = lab.status(app)
    assert (status.sync, status.revision) == (SyncStatus.SYNCED, commit)
    assert status.operation is not None
    assert (status.operation.phase, status.operation.message) == (Phase.SUCCEEDED, "2 objects applied.")
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert [item.key.name for item in stored.record.inventory] == ["a", "b"]
    assert [entry.revision for entry in stored.record.history] == [commit]


def test_a_quiet_round_asks_nobody_about_anything(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    before = lab.cluster.requests.copy()
    assert not [what for what in lab.poll_repository() if what.startswith("reconcile")]
    assert not [what for what in lab.poll_cluster() if what.startswith("reconcile")]
    made = lab.cluster.requests - before
    assert set(made) <= {"list", "discovery", "record-names"}  # the real adapter keeps what it discovered
    assert made["record-names"] == 1, "all records of a cluster are listed once, without their content"
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_a_commit_changes_only_what_it_touches(lab: Lab) -> None:
    lab.push(config("a"), config("b"))
    lab.declare()
    lab.run()
    b = lab.live("ConfigMap", "b")
    lab.push(config("a", "2"), config("b"))
    before = lab.cluster.requests.copy()
    lab.poll_repository()
    a = lab.live("ConfigMap", "a")
    assert a is not None
    assert a["data"] == {"v": "2"}
    assert lab.live("ConfigMap", "b") == b
    assert (lab.cluster.requests - before)["apply"] == 1
    assert (lab.cluster.requests - before)["dry-run"] == 1


def test_a_commit_elsewhere_in_the_repository_wakes_nobody(lab: Lab) -> None:
    files = {"web/0.json": b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}', "README": b"1"}
    lab.repository.commit(files)
    lab.declare()
    lab.run()
    lab.repository.commit({**files, "README": b"2"})
    assert not [what for what in lab.poll_repository() if what.startswith("reconcile")]
    assert sum(lab.renderer.renders.values()) == 1


@pytest.mark.parametrize(("self_heal", "healed"), [(True, True), (False, False)])
def test_a_hand_made_change_is_healed_only_with_self_heal(lab: Lab, self_heal: bool, healed: bool) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=self_heal)
    lab.run()
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "by hand"}))
    lab.poll_cluster()
    live = lab.live("ConfigMap", "a")
    assert live is not None
    assert (live["data"] == {"v": "1"}) is healed
    status = lab.status(app)
    assert status.sync is (SyncStatus.SYNCED if healed else SyncStatus.OUT_OF_SYNC)
    if not healed:
        assert "selfHeal is off" in status.message


def test_a_deleted_object_comes_back(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    lab.cluster.remove(next(key for key in lab.cluster.objects() if key.name == "a"))
    lab.poll_cluster()
    assert lab.live("ConfigMap", "a") is not None
    assert lab.status(app).sync is SyncStatus.SYNCED


@pytest.mark.parametrize("dialect", Dialect)
def test_what_leaves_git_is_pruned(lab: Lab, dialect: Dialect) -> None:
    lab.push(config("a"), config("b"))
    app = lab.declare(dialect, prune=True, self_heal=True)
    lab.run()
    lab.push(config("a"))
    lab.poll_repository()
    assert lab.live("ConfigMap", "b") is None
    assert lab.status(app).sync is SyncStatus.SYNCED
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert [item.key.name for item in stored.record.inventory] == ["a"]


def test_what_stands_below_is_deleted_when_what_stands_on_it_has_really_gone(lab: Lab) -> None:
    """Deleting in the foreground takes as long as the dependants do; the wave below has to wait for that."""
    app = lab.declare(prune=True)
    held = manifest("ConfigMap", "upper", wave=1, data={})
    lab.push(config("kept"), config("lower"), held)
    lab.run(5)
    held["metadata"].update(namespace="shop", finalizers=["somebody.example/finalizer"])
    lab.cluster.edit(held)
    lab.push(config("kept"))
    lab.poll_repository()
    lab.run(5)
    assert lab.live("ConfigMap", "lower"), "what it stands on is still needed"
    assert "the end of ConfigMap shop/upper (finalizers: somebody.example/finalizer)" in lab.status(app).message
    live = lab.live("ConfigMap", "upper")
    assert live is not None
    lab.cluster.set_finalizers(key_of(live), (), resource_version=live["metadata"]["resourceVersion"])
    lab.run(10)
    assert lab.live("ConfigMap", "lower") is None
    operation = lab.status(app).operation
    assert operation is not None
    assert (operation.phase, operation.message) == (Phase.SUCCEEDED, "2 pruned.")


def test_without_prune_argocd_shows_what_left_git_and_flux_lets_it_be(lab: Lab) -> None:
    lab.push(config("a"), config("b"))
    app = lab.declare()
    lab.run()
    lab.push(config("a"))
    lab.poll_repository()
    assert lab.live("ConfigMap", "b") is not None
    assert lab.status(app).sync is SyncStatus.OUT_OF_SYNC
    assert "prune is off" in lab.status(app).message
    assert [item.status for item in lab.state.resources(app)] == [SyncStatus.SYNCED, SyncStatus.OUT_OF_SYNC]


def test_replacing_all_objects_is_no_emptying(lab: Lab) -> None:
    lab.push(config("a"), config("b"))
    lab.declare(prune=True)
    lab.run()
    lab.push(config("c"), config("d"))
    lab.poll_repository()
    assert {key.name for key in lab.cluster.objects() if key.kind == "ConfigMap"} == {"c", "d"}


def test_everything_leaving_at_once_needs_consent(lab: Lab) -> None:
    lab.push(*[config(f"c{number}") for number in range(40)])
    app = lab.declare(prune=True)
    lab.run()
    lab.push(config("c0"))
    lab.poll_repository()
    status = lab.status(app)
    assert lab.live("ConfigMap", "c39") is not None
    assert status.operation is not None
    assert status.operation.phase is Phase.FAILED
    assert "39 of 40 objects would be deleted, more than 12" in status.message
    lab.ask(app, prune=True)
    lab.run()
    assert lab.live("ConfigMap", "c39") is None
    assert lab.status(app).sync is SyncStatus.SYNCED
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert stored.record.history[-1].initiated_by == "ann"


def test_a_manual_application_waits_to_be_asked(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(automated=False)
    lab.run()
    assert lab.live("ConfigMap", "a") is None
    assert "automated sync is off" in lab.status(app).message
    assert lab.state.resources(app)[0].diff.startswith("---")
    lab.ask(app)
    lab.run()
    assert lab.live("ConfigMap", "a") is not None
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_a_broken_commit_keeps_the_old_state_and_a_good_one_mends_it(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    lab.push(broken=b"{")
    lab.poll_repository()
    status = lab.status(app)
    assert (status.sync, status.health) == (SyncStatus.UNKNOWN, HealthStatus.HEALTHY)
    assert "not JSON" in status.message
    assert lab.live("ConfigMap", "a") is not None
    lab.push(config("a", "3"))
    lab.poll_repository()
    assert lab.status(app).sync is SyncStatus.SYNCED
    assert lab.status(app).conditions == ()


def test_a_failed_commit_is_left_to_its_backoff_by_polls(lab: Lab) -> None:
    lab.push(broken=b"{")
    lab.declare()
    lab.run()
    assert not [what for what in lab.poll_repository() if what.startswith("reconcile")]


def test_one_refused_object_stops_the_whole_application_before_the_first_write(lab: Lab) -> None:
    bad = manifest("ConfigMap", "bad", namespace="nowhere")
    lab.push(config("a"), bad)
    app = lab.declare()
    lab.run()
    assert lab.live("ConfigMap", "a") is None
    assert "nowhere" in lab.status(app).message
    assert lab.status(app).sync is SyncStatus.UNKNOWN


def test_another_commit_that_fails_has_quick_tries_of_its_own(lab: Lab) -> None:
    """Also where the dry-run refuses it, so that no operation begins."""

    def pause() -> float:
        (standing,) = lab.queue.queue_states(app, ())
        return float(standing.at or 0.0) - lab.now

    bad = manifest("ConfigMap", "bad", namespace="nowhere")
    lab.push(bad)
    app = lab.declare(retry=Retry(limit=3, first=5.0, factor=2.0, maximum=100.0))
    lab.run()
    assert pause() == 5.0
    lab.run(35)
    assert pause() == 100.0
    lab.repository.down = "connection refused"
    lab.run(100)
    lab.repository.down = ""
    lab.run(70)
    lab.queue.request(app, "once more", Urgency.POLL)
    lab.run()
    assert pause() == 100.0, "an outage between two tries is no other commit"
    lab.push(config("a"), bad)
    lab.poll_repository()
    assert pause() == 5.0


def test_create_namespace_makes_the_namespace_first_and_never_owns_it(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(create_namespace=True, namespace="fresh")
    lab.run()
    assert lab.live("ConfigMap", "a", namespace="fresh") is not None
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert [item.key.kind for item in stored.record.inventory] == ["ConfigMap"]


def test_an_unreachable_cluster_changes_nothing_and_heals_by_itself(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 3)
    lab.run()
    assert "does not answer" in lab.status(app).message
    lab.run(60)
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_two_waves_wait_for_health_without_holding_a_worker(lab: Lab) -> None:
    first = manifest("Deployment", "first", "apps/v1", wave=0, spec={"replicas": 1})
    second = manifest("ConfigMap", "second", wave=1)
    lab.push(first, second)
    app = lab.declare()
    lab.run()
    status = lab.status(app)
    assert status.operation is not None
    assert status.operation.phase is Phase.RUNNING
    assert "Waiting for Deployment.apps shop/first" in status.operation.message
    assert lab.live("ConfigMap", "second") is None
    key = next(key for key in lab.cluster.objects() if key.name == "first")
    ready = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}
    lab.cluster.put_status(key, ready)
    lab.run(6)
    assert lab.live("ConfigMap", "second") is not None
    assert lab.status(app).operation.phase is Phase.SUCCEEDED


def test_a_new_commit_replaces_a_waiting_operation(lab: Lab) -> None:
    stuck = manifest("Deployment", "first", "apps/v1", wave=0, spec={"replicas": 1})
    lab.push(stuck, manifest("ConfigMap", "second", wave=1))
    app = lab.declare(prune=True)
    lab.run()
    commit = lab.push(config("a"))
    lab.poll_repository()
    assert lab.status(app).revision == commit
    assert lab.status(app).operation.phase is Phase.SUCCEEDED
    assert lab.live("Deployment", "first", "apps") is None


def test_losing_all_of_redis_loses_nothing(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    for value in "23456":
        lab.push(config("a", value))
        lab.poll_repository()
    before = lab.live("ConfigMap", "a")
    lab.flush()
    lab.run()
    assert lab.live("ConfigMap", "a") == before
    assert lab.status(app).sync is SyncStatus.SYNCED
    lab.push(config("a", "7"))
    lab.poll_repository()
    lab.run(30)
    live = lab.live("ConfigMap", "a")
    assert live is not None
    assert live["data"] == {"v": "7"}
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert len(stored.record.history) == 7


def test_a_git_outage_is_shown_and_forgotten_when_it_is_over(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    lab.repository.down = "connection refused"
    lab.run(65)
    assert "connection refused" in lab.status(app).message
    assert lab.live("ConfigMap", "a") is not None
    lab.repository.down = ""
    lab.run(65)
    assert lab.status(app).sync is SyncStatus.SYNCED
    assert lab.status(app).conditions == ()
