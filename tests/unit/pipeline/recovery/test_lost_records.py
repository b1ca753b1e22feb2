"""A record that vanishes from the cluster is noticed, told and made anew; nothing is deleted on marks alone."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.errors import Incomplete
from gitops_workers.core.model import AppId, Dialect, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import PART_OF
from tests.documents import raw
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.leaving import LeavingLab, app_id, argo
from tests.unit.pipeline.moves import config, inventory, values

WEB = app_id(Dialect.ARGOCD)
every_dialect = pytest.mark.parametrize("dialect", Dialect)


def lose(lab: Lab, app: AppId) -> None:
    port = lab.clusters.records("east")
    stored = port.load(app)
    assert stored is not None
    port.delete(app, stored.resource_version)


def started(dialect: Dialect = Dialect.ARGOCD, **sync: Any) -> tuple[Lab, AppId]:
    lab = Lab()
    app = lab.declare(dialect, **{"prune": True, **sync})
    lab.push(config("a"), config("left"))
    lab.run(5)
    if not sync.get("automated", True):
        lab.ask(app)
        lab.run(5)
    assert inventory(lab, app) == ["a", "left"]
    return lab, app


def commit(lab: Lab, *names: str) -> None:
    lab.push(*map(config, names))
    lab.poll_repository()
    lab.run(10)


def conditions(lab: Lab, app: AppId) -> list[str]:
    return [item.type for item in lab.status(app).conditions]


@every_dialect
def test_a_poll_notices_it_and_the_copy_brings_everything_back(dialect: Dialect) -> None:
    lab, app = started(dialect)
    lose(lab, app)
    lab.poll_cluster()
    lab.run(5)
    assert inventory(lab, app) == ["a", "left"]
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert len(stored.record.history) == 1
    assert conditions(lab, app) == ["RecordRebuiltWarning"]
    assert "RecordRebuilt" in [event.reason for event in lab.state.events(app) if event.type == "Warning"]

    commit(lab, "a")
    assert values(lab) == {"a": "1"}
    assert lab.status(app).sync is SyncStatus.SYNCED
    assert conditions(lab, app) == []


@every_dialect
def test_whoever_does_not_sync_by_itself_is_told_as_well(dialect: Dialect) -> None:
    lab, app = started(dialect, automated=False)
    lose(lab, app)
    lab.poll_cluster()
    lab.run(5)
    assert inventory(lab, app) == ["a", "left"]
    assert conditions(lab, app) == ["RecordRebuiltWarning"]


@every_dialect
def test_a_write_that_finds_it_gone_goes_on_with_what_it_knew(dialect: Dialect) -> None:
    lab, app = started(dialect)
    lose(lab, app)
    commit(lab, "a")
    assert inventory(lab, app) == ["a"]
    assert values(lab) == {"a": "1"}


@every_dialect
def test_what_is_known_by_its_marks_alone_waits_for_a_yes(dialect: Dialect) -> None:
    lab, app = started(dialect)
    lose(lab, app)
    lab.flush()
    commit(lab, "a")
    lab.run(60)
    assert inventory(lab, app) == ["a", "left"]
    assert values(lab) == {"a": "1", "left": "1"}
    assert "RecordRebuiltWarning" in conditions(lab, app)
    assert lab.status(app).sync is (SyncStatus.OUT_OF_SYNC if dialect is Dialect.ARGOCD else SyncStatus.SYNCED)
    assert "known by its marks alone" in lab.status(app).message

    lab.ask(app, prune=True)
    lab.run(10)
    assert values(lab) == {"a": "1"}
    assert inventory(lab, app) == ["a"]
    assert conditions(lab, app) == []


def test_what_comes_back_to_git_is_known_again() -> None:
    lab, app = started()
    lose(lab, app)
    lab.flush()
    commit(lab, "a")
    commit(lab, "a", "left")
    commit(lab, "a")
    assert values(lab) == {"a": "1"}
    assert inventory(lab, app) == ["a"]


@pytest.mark.parametrize("copied", ["a controller's copy", "a label alone", "a mirror"])
def test_what_bears_copied_marks_is_not_taken(copied: str) -> None:
    lab, app = started()
    live = lab.live("ConfigMap", "a")
    assert live is not None
    stranger = manifest("Service" if copied == "a mirror" else "ConfigMap", "stranger", namespace="shop")
    stranger["metadata"]["labels"] = {PART_OF: live["metadata"]["labels"][PART_OF]}
    if copied == "a controller's copy":
        stranger["metadata"] |= {
            "annotations": {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:shop/stranger"},
            "ownerReferences": [{"uid": "1", "controller": True}],
        }
    lab.cluster.edit(stranger)
    lose(lab, app)
    lab.flush()
    commit(lab, "a")
    assert inventory(lab, app) == ["a", "left"]


def test_while_the_marks_cannot_be_read_nothing_counts_as_synced() -> None:
    lab, app = started()
    lose(lab, app)
    lab.flush()
    lab.cluster.failed_groups = {"apps"}
    lab.push(config("a", "2"))
    lab.poll_repository()
    lab.run(30)
    assert lab.status(app).sync is SyncStatus.UNKNOWN
    assert "The record of application/argocd/web has vanished" in lab.status(app).message
    assert values(lab) == {"a": "1", "left": "1"}

    lab.cluster.failed_groups = set()
    lab.run(200)
    assert values(lab) == {"a": "2", "left": "1"}


def test_a_listing_of_records_that_fails_says_nothing_of_them() -> None:
    lab, app = started()
    lab.cluster.fail_next(Incomplete("cut short"), verb="record-names")
    lab.poll_cluster()
    lab.run(5)
    assert conditions(lab, app) == []


def test_a_first_sync_asks_for_no_marks() -> None:
    lab = Lab()
    lab.declare()
    lab.push(config("a"))
    before = lab.cluster.requests.copy()
    lab.run(5)
    assert lab.live("ConfigMap", "a") is not None
    assert (lab.cluster.requests - before)["list"] <= 1, "the cluster's own poll"


def test_the_engines_namespace_alone_is_no_record() -> None:
    lab, app = started()
    assert ObjectKey("", "Namespace", "", "gitops-workers") in lab.cluster.objects()
    assert lab.clusters.records("east").holders() == {app}


def leaving(*, remembered: bool) -> LeavingLab:
    """An application whose record has vanished, and then its manifest."""
    lab = LeavingLab()
    lab.push(config("a"), config("b"))
    lab.begin(argo())
    stored = lab.record(WEB)
    assert stored is not None
    lab.clusters.records("east").delete(WEB, stored.resource_version)
    if not remembered:
        lab.state.discard(raw("record"), WEB)
    lab.declare_all()
    lab.settle_down(60)
    return lab


def test_an_application_that_goes_takes_along_what_its_lost_record_listed() -> None:
    lab = leaving(remembered=True)
    assert lab.names() == []
    assert lab.record(WEB) is None
    assert lab.state.application(WEB) is None


def test_an_application_that_goes_asks_before_it_takes_what_only_marks_tell_of() -> None:
    lab = leaving(remembered=False)
    assert set(lab.names()) == {"a", "b"}
    assert "known by its marks alone" in lab.status(WEB).message
    lab.ask_deletion(WEB)
    lab.settle_down(60)
    assert lab.names() == []
    assert lab.state.application(WEB) is None
