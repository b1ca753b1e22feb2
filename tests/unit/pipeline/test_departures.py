"""Which manifests that are gone are an order, and which are rather an accident."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.model import Dialect, Problem, SyncStatus
from gitops_workers.core.prune.deletion_request import Cascade
from tests.unit.pipeline.leaving import LeavingLab, annotated_with, app_id, argo
from tests.unit.pipeline.moves import as_json, config

WEB = app_id(Dialect.ARGOCD)


@pytest.fixture
def lab() -> LeavingLab:
    return LeavingLab()


def apps(count: int) -> list[str]:
    return [argo(f"app-{number}", path=f"app-{number}") for number in range(count)]


def many(lab: LeavingLab, count: int) -> None:
    tree = {f"app-{number}/0.json": as_json(config(f"c-{number}")) for number in range(count)}
    lab.order[lab.repository.commit(tree)] = 0
    lab.begin(*apps(count))
    assert len(lab.names()) == count


def test_a_catalogue_that_cannot_be_read_deletes_nothing(lab: LeavingLab) -> None:
    lab.push(config("a"))
    lab.begin(argo())
    lab.catalogue.down = SourceUnavailable("https://git.example/fleet.git: connection refused")
    lab.declare_all()
    lab.settle_down(100)
    assert lab.names() == ["a"]
    assert lab.status(WEB).sync is SyncStatus.SYNCED


@pytest.mark.parametrize("kind", ["file", "manifest"])
def test_a_catalogue_with_an_error_deletes_nothing_until_it_is_mended(lab: LeavingLab, kind: str) -> None:
    """The manifest may have moved into what cannot be read."""
    lab.push(config("a"))
    lab.begin(argo())
    lab.declare_all(*(["apiVersion: argoproj.io/v1alpha1\nkind: Application\n"] if kind == "manifest" else []))
    if kind == "file":
        lab.catalogue.broken = [Problem("b.yaml", 3, "", "it is no YAML")]
    lab.settle_down(100)
    assert lab.names() == ["a"]
    (condition,) = lab.status(WEB).conditions
    assert condition.type == "DeletionHeld"
    assert "the catalogue has errors" in condition.message
    lab.catalogue.broken = []
    lab.declare_all()
    lab.settle_down(60)
    assert lab.names() == []


def test_a_mass_removal_keeps_everything_as_it_is_until_a_human_agrees(lab: LeavingLab) -> None:
    many(lab, 12)
    lab.declare_all(*apps(1))
    lab.settle_down(100)
    assert len(lab.names()) == 12
    held = app_id(Dialect.ARGOCD, "app-5")
    (condition,) = lab.status(held).conditions
    assert f"gitops-workers app delete {held}" in condition.message
    assert "11 of 12" in condition.message

    lab.cluster.remove(next(key for key in lab.cluster.objects() if key.name == "c-5"))
    lab.settle_down(400)
    assert "c-5" in lab.names(), "it is looked after as before"
    assert lab.status(held).sync is SyncStatus.SYNCED
    assert [item.type for item in lab.status(held).conditions] == ["DeletionHeld"]

    lab.ask_deletion(held)
    lab.ask_deletion(app_id(Dialect.ARGOCD, "app-6"), Cascade.ORPHAN)
    lab.settle_down(60)
    assert "c-5" not in lab.names()
    assert "c-6" in lab.names()
    assert lab.state.application(held) is None

    lab.declare_all(*apps(5))
    lab.settle_down(60)
    assert lab.status(app_id(Dialect.ARGOCD, "app-4")).conditions == ()
    assert lab.status(app_id(Dialect.ARGOCD, "app-7")).conditions != ()
    assert len(lab.names()) == 11


def test_an_emptied_catalogue_is_no_order(lab: LeavingLab) -> None:
    lab.push(config("a"))
    lab.begin(argo(), argo("api", path="api"))
    lab.catalogue.text = ""
    lab.settle_down(100)
    assert lab.names() == ["a"]
    assert [item.type for item in lab.status(WEB).conditions] == ["DeletionHeld"]


def test_a_suspended_application_stays_until_a_human_says_so(lab: LeavingLab) -> None:
    text = annotated_with('argocd.argoproj.io/skip-reconcile: "true"')
    lab.push(config("a"))
    lab.begin(argo())
    lab.declare_all(text)
    lab.settle_down(20)
    lab.declare_all()
    lab.settle_down(60)
    assert lab.names() == ["a"]
    assert "it is suspended" in lab.status(WEB).conditions[0].message
    lab.ask_deletion(WEB)
    lab.settle_down(30)
    assert lab.names() == []


def test_nothing_is_deleted_that_was_gone_for_a_moment_only(lab: LeavingLab) -> None:
    lab.push(config("a"))
    lab.begin(argo())
    before = lab.cluster.objects()
    for _ in range(5):
        lab.declare_all()
        lab.settle_down(6)
        lab.declare_all(argo())
        lab.settle_down(6)
    uids = {key: item["metadata"]["uid"] for key, item in lab.cluster.objects().items() if key.namespace == "shop"}
    assert uids == {key: item["metadata"]["uid"] for key, item in before.items() if key.namespace == "shop"}


def test_a_renamed_application_takes_its_objects_along(lab: LeavingLab) -> None:
    lab.push(config("a"))
    lab.begin(argo())
    before = next(item for key, item in lab.cluster.objects().items() if key.name == "a")
    lab.declare_all(argo("shop"))
    lab.settle_down(60)
    after = next(item for key, item in lab.cluster.objects().items() if key.name == "a")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert lab.state.application(WEB) is None
    assert lab.status(app_id(Dialect.ARGOCD, "shop")).sync is SyncStatus.SYNCED
    event = lab.removed(WEB)
    assert event is not None
    assert "0 objects deleted, 1 kept" in event.message
