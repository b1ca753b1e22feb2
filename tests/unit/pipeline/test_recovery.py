"""After a mishap the application goes on from what the cluster and its record say, not from what somebody remembers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.documents import kinds
from gitops_workers.core.documents.kind import Kind
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.model import Dialect, Phase, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.sync.request import selector
from gitops_workers.pipeline.catalogue.refresh import refresh
from gitops_workers.ports import TaskMessage, Urgency
from tests.documents import raw
from tests.unit.core.making import manifest
from tests.unit.pipeline.catalogue.test_refresh import APPLICATION, ID, TextCatalogue
from tests.unit.pipeline.hazards import Fate, HazardLab, Worker
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import as_json, config, deployment, head, inventory, push_and_ring, values

AUTOMATED = APPLICATION + "  syncPolicy: {automated: {prune: true}}\n"


def interrupted(lab: HazardLab, fate: Fate, after: str) -> Worker:
    """A worker meets its fate at the first request after the object `after` was written."""
    (bell,) = lab.queue.dispatch(10)
    worker = Worker(lab, bell, fate=fate)
    worker.through = _stop_after(worker, after, fate)  # type: ignore[method-assign]  # this very worker's luck
    if worker.run():
        lab.frozen.append(worker)
    return worker


def _stop_after(worker: Worker, name: str, fate: Fate) -> Any:
    original = worker.through

    def through(port: str, verb: str, call: Any, words: tuple[Any, ...]) -> Any:
        write = port == "cluster" and verb == "apply" and not words[-1]["dry_run"]
        worker.fate, worker.at = None, -1
        if write and words[0]["metadata"]["name"] == name:
            worker.fate, worker.at = fate, worker.requests + 1
        return original(port, verb, call, words)

    return through


@pytest.mark.parametrize("fate", [Fate.KILL_AFTER, Fate.FAIL_AFTER])
def test_a_revert_undoes_what_an_interrupted_sync_has_written(fate: Fate) -> None:
    """Also without self-heal: what differs is our own unfinished work and nobody's hand."""
    lab = HazardLab()
    lab.push(config("a"), config("b"))
    app = lab.declare(self_heal=False)
    lab.settle_down(10)
    push_and_ring(lab, config("a", "2"), config("b", "2"))
    interrupted(lab, fate, "a")
    assert values(lab) == {"a": "2", "b": "1"}
    lab.now += 31.0
    push_and_ring(lab, config("a"), config("b"))
    lab.settle_down(100)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_a_hand_made_change_after_a_finished_sync_is_still_nobodys_business() -> None:
    lab = HazardLab()
    lab.push(config("a"))
    app = lab.declare(self_heal=False)
    lab.settle_down(10)
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "by hand"}))
    lab.settle_down(100)
    assert values(lab) == {"a": "by hand"}
    assert "selfHeal is off" in lab.status(app).message


@pytest.mark.parametrize("history_limit", [10, 0])
def test_a_hand_made_change_is_nobodys_business_after_redis_was_emptied_either(history_limit: int) -> None:
    lab = HazardLab()
    lab.push(config("a"))
    app = lab.declare(self_heal=False)
    lab.applications[app] = replace(lab.applications[app], history_limit=history_limit)
    lab.enroll()
    lab.settle_down(10)
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "by hand"}))
    lab.flush()
    lab.settle_down(100)
    assert values(lab) == {"a": "by hand"}
    assert "selfHeal is off" in lab.status(app).message
    push_and_ring(lab, config("a", "2"))
    lab.settle_down(100)
    assert values(lab) == {"a": "2"}, "a commit is no hand-made change"


def test_what_a_part_of_another_commit_has_left_is_ours_after_redis_was_emptied() -> None:
    """The record must not say that the first commit was synced last when a part of the second one came after it."""
    lab = HazardLab()
    lab.push(config("a"), config("b"))
    app = lab.declare(self_heal=False)
    lab.settle_down(10)
    lab.push(config("a", "2"), config("b", "2"))
    lab.ask(app, resources=(selector(":ConfigMap:a"),))
    for bell in lab.queue.dispatch(10):
        lab.answer(bell)
    assert values(lab) == {"a": "2", "b": "1"}
    lab.push(config("a"), config("b"))
    lab.flush()
    lab.settle_down(100)
    assert values(lab) == {"a": "1", "b": "1"}
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_a_frozen_worker_does_not_write_over_its_successor_of_the_same_generation() -> None:
    """Its lease ran out and nobody asked anew: both have one generation, and only the record tells them apart."""
    lab = HazardLab()
    lab.push(config("a"), config("b"), config("c"))
    lab.declare()
    lab.settle_down(10)
    push_and_ring(lab, config("a", "2"), config("b", "2"), config("c", "2"))
    interrupted(lab, Fate.FREEZE, "a")
    lab.now += 31.0
    lab.push(config("a", "3"), config("b", "3"), config("c", "3"))
    lab.hosts[1].refs(next(iter(lab.applications.values())).source, not_before=lab.now)
    for bell in lab.queue.dispatch(10):
        lab.answer(bell, host=1)
    assert values(lab) == {"a": "3", "b": "3", "c": "3"}
    lab.thaw()
    assert values(lab) == {"a": "3", "b": "3", "c": "3"}


def test_every_delete_happens_although_the_plan_shrinks_while_a_wave_waits() -> None:
    """Deletes of waves 0 and 9 stand around a Deployment that is not ready: the second step knows only one of them."""
    lab = HazardLab()
    lab.push(config("early", wave=0), config("late", wave=9), config("kept", wave=1))
    app = lab.declare(Dialect.ARGOCD, prune=True, self_heal=False)
    lab.settle_down(10)
    push_and_ring(lab, config("kept", "2", wave=1), deployment("slow", 1), config("last", wave=2))
    for bell in lab.queue.dispatch(10):
        lab.answer(bell)
    assert lab.live("ConfigMap", "late") is None, "what was applied last is deleted first"
    assert lab.live("ConfigMap", "early") is not None
    assert lab.live("ConfigMap", "last") is None, "its wave waits"
    lab.settle_down(60)
    assert values(lab) == {"kept": "2", "last": "1"}
    assert inventory(lab, app) == ["kept", "last", "slow"]
    assert lab.status(app).operation.phase is Phase.SUCCEEDED


def test_a_changed_application_begins_its_operation_anew() -> None:
    """The same commit and another path: the stages that were passed are another plan's."""
    lab = HazardLab()
    old, new = [deployment("slow", 0), config("x", wave=1)], [config("first", wave=0), config("second", wave=1)]
    lab.push(*old)
    tree = {path: lab.repository.blobs[oid] for path, (_, oid) in head(lab).files.items()}
    lab.push(*new, path="other")
    both = {**tree, **{path: lab.repository.blobs[oid] for path, (_, oid) in head(lab).files.items()}}
    lab.order[lab.repository.commit(both)] = 2
    app = lab.declare(prune=True, self_heal=False)
    for _ in range(3):
        for bell in lab.queue.dispatch(10):
            lab.answer(bell)
        lab.now += 2.0
    assert lab.status(app).operation.phase is Phase.RUNNING
    declared = lab.applications[app]
    lab.applications[app] = replace(declared, source=replace(declared.source, path="other"))
    lab.enroll()
    lab.queue.request(app, "its manifest changed", Urgency.POLL)
    lab.settle_down(60)
    assert values(lab) == {"first": "1", "second": "1"}
    assert lab.status(app).sync is SyncStatus.SYNCED


def test_an_operation_that_a_revert_made_pointless_ends() -> None:
    lab = HazardLab()
    lab.push(config("a"))
    app = lab.declare(prune=True)
    lab.settle_down(10)
    push_and_ring(lab, config("a"), deployment("slow", 0), config("b", wave=1))
    for bell in lab.queue.dispatch(10):
        lab.answer(bell)
    assert lab.status(app).operation.phase is Phase.RUNNING
    push_and_ring(lab, config("a"))
    lab.settle_down(60)
    assert lab.status(app).operation.phase is Phase.SUCCEEDED
    assert values(lab) == {"a": "1"}


def test_a_lost_record_is_written_anew_before_anything_leaves_git() -> None:
    lab = HazardLab()
    lab.push(config("a"), config("b"))
    app = lab.declare(prune=True)
    lab.settle_down(10)
    records = lab.clusters.records("east")
    stored = records.load(app)
    assert stored is not None
    records.delete(app, stored.resource_version)
    lab.flush()
    lab.settle_down(10)
    assert inventory(lab, app) == ["a", "b"]
    push_and_ring(lab, config("a"))
    lab.settle_down(10)
    assert values(lab) == {"a": "1"}


def test_objects_that_are_kept_on_request_do_not_fill_the_history() -> None:
    lab = HazardLab()
    kept = config("kept")
    kept["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=false"}
    lab.push(config("a"), kept)
    app = lab.declare(prune=True)
    lab.settle_down(10)
    push_and_ring(lab, config("a"))
    lab.settle_down(10)
    before = lab.clusters.records("east").load(app)
    for _ in range(3):
        lab.queue.request(app, "once more", Urgency.POLL)
        lab.settle_down(10)
    assert lab.clusters.records("east").load(app) == before
    assert values(lab) == {"a": "1", "kept": "1"}


def test_a_cluster_that_is_back_is_used_within_minutes_however_many_applications_it_has() -> None:
    """The breaker lets one through a minute: that one must be the poll that can close it."""
    lab = HazardLab()
    files = {f"p{number}/0.json": as_json(config(f"c{number}")) for number in range(12)}
    lab.order[lab.repository.commit(files)] = 99
    for number in range(12):
        lab.declare(name=f"app{number}", path=f"p{number}", self_heal=True)
    lab.settle_down(20)
    assert len(values(lab)) == 12
    lab.cluster.fail_next(ClusterUnavailable("cluster east refuses our credential (401)"), 100_000)
    files = {f"p{number}/0.json": as_json(config(f"c{number}", "2")) for number in range(12)}
    lab.order[lab.repository.commit(files)] = 100
    lab.settle_down(300)
    assert set(values(lab).values()) == {"1"}
    lab.cluster.end_faults()
    lab.settle_down(130)
    assert set(values(lab).values()) == {"2"}


class TestTheCatalogue:
    """What is declared, when Redis forgets in the middle, and when applications come and go."""

    def test_a_redis_that_is_emptied_during_a_refresh_is_filled_by_the_next(self) -> None:
        lab = Lab()
        lab.push(config("a"))
        catalogue = TextCatalogue(AUTOMATED)
        original = lab.state.save

        def save(kind: Kind[Any], key: str, value: Any) -> None:
            if kind is kinds.GROUPS:
                lab.queue.clear()
                lab.state.clear()
            original(kind, key, value)

        lab.state.save = save  # type: ignore[method-assign]  # the moment of the FLUSHALL
        refresh(lab.context, [catalogue])
        lab.state.save = original  # type: ignore[method-assign]
        refresh(lab.context, [catalogue])
        lab.run(5)
        assert values(lab) == {"a": "1"}

    def test_an_application_that_comes_back_still_knows_what_it_once_wrote(self) -> None:
        lab = Lab()
        lab.push(config("a"), config("b"))
        catalogue = TextCatalogue(AUTOMATED)
        refresh(lab.context, [catalogue])
        lab.run(5)
        catalogue.text = ""
        refresh(lab.context, [catalogue])
        lab.push(config("a", "2"))
        catalogue.text = AUTOMATED
        refresh(lab.context, [catalogue])
        lab.run(5)
        assert values(lab) == {"a": "2"}
        assert inventory(lab, ID) == ["a"]


def test_a_message_for_nobody_is_answered_by_nobody() -> None:
    lab = HazardLab()
    lab.answer(TaskMessage("reconcile", "fleet.default", "application/argocd/unknown", 1))
    assert not [key for key in lab.cluster.objects() if key != ObjectKey("", "Namespace", "", key.name)]


def test_a_worker_that_remembers_an_older_listing_does_not_go_back_to_it() -> None:
    """Host 0 last listed a commit that was reverted before anybody applied it; host 1 has agreed to the revert."""
    lab = HazardLab()
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.settle_down(10)
    push_and_ring(lab, config("a", "2"))
    for bell in lab.queue.dispatch(10):
        lab.answer(bell, host=0, at=8, fate=Fate.KILL)
    head = lab.push(config("a"))
    lab.now += 31.0
    for bell in lab.queue.dispatch(10):
        lab.answer(bell, host=1)
    assert lab.status(app).revision == head
    lab.queue.request(app, "something changed in the cluster", Urgency.SELF_HEAL, not_before=0.0)
    lab.state.save(raw("drift"), app, ["|ConfigMap|shop|a"])
    for bell in lab.queue.dispatch(10):
        lab.answer(bell, host=0)
    assert values(lab) == {"a": "1"}
    assert lab.status(app).revision == head


def test_a_change_that_was_seen_is_not_forgotten_by_an_attempt_that_could_not_compare() -> None:
    lab = HazardLab()
    lab.push(config("a"), config("b"))
    app = lab.declare(self_heal=True)
    lab.settle_down(10)
    lab.cluster.remove(ObjectKey("", "ConfigMap", "shop", "a"))
    lab.state.save(raw("drift"), app, ["|ConfigMap|shop|a"])
    lab.push(broken=b"{")
    lab.queue.request(app, "changed in the cluster", Urgency.SELF_HEAL)
    for bell in lab.queue.dispatch(10):
        lab.answer(bell)
    assert lab.status(app).sync is SyncStatus.UNKNOWN
    push_and_ring(lab, config("a"), config("b"))
    for bell in lab.queue.dispatch(10):
        lab.answer(bell)
    assert values(lab) == {"a": "1", "b": "1"}


def test_what_was_changed_by_hand_while_a_later_wave_waited_is_healed_when_the_operation_ends() -> None:
    lab = HazardLab()
    lab.push(config("a", wave=0), deployment("slow", 1), config("z", wave=2))
    app = lab.declare(self_heal=True)
    for _ in range(2):
        for bell in lab.queue.dispatch(10):
            lab.answer(bell)
    assert lab.status(app).operation.phase is Phase.RUNNING
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": "by hand"}))
    lab.state.save(raw("drift"), app, ["|ConfigMap|shop|a"])
    lab.settle_down(100)
    assert values(lab) == {"a": "1", "z": "1"}
    assert lab.status(app).sync is SyncStatus.SYNCED
