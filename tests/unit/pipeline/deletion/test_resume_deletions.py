"""A deletion goes on whoever dies and whatever is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog

from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.model import Dialect, SyncStatus
from gitops_workers.core.record.record import PART_OF, applyset_id
from tests.unit.core.making import manifest
from tests.unit.pipeline.hazards import Fate
from tests.unit.pipeline.leaving import LeavingLab, app_id, argo, declared, flux
from tests.unit.pipeline.moves import config

WEB = app_id(Dialect.ARGOCD)


@pytest.fixture
def lab() -> LeavingLab:
    return LeavingLab()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Crashes are meant; each with its traceback takes longer than the test."""

    def nothing(*_: object) -> dict[str, object]:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[nothing])
    yield
    structlog.configure(**before)


def prepared(dialect: Dialect) -> LeavingLab:
    """Just before the first delete; a stranger stands beside."""
    lab = LeavingLab()
    lab.push(config("first", wave=0), config("last", wave=1))
    lab.begin(declared(dialect))
    stranger = manifest("ConfigMap", "stranger", namespace="shop", data={"v": "mine"})
    stranger["metadata"]["labels"] = {PART_OF: applyset_id(app_id(dialect))}
    lab.cluster.edit(stranger)
    lab.declare_all()
    lab.settle_down(10)
    lab.now += 20
    return lab


def requests_of(dialect: Dialect) -> int:
    """How many requests the deleting attempt makes."""
    lab = prepared(dialect)
    counted = [lab.answer(bell).requests for bell in lab.queue.dispatch(10) if bell.id == app_id(dialect)]
    assert lab.names() == ["stranger"]
    return counted[0]


def swept(lab: LeavingLab, app: str) -> None:
    assert lab.names() == ["stranger"]
    assert lab.record(app) is None
    assert lab.state.application(app) is None
    assert lab.state.status(app) is None
    assert lab.queue.wanted(app) == 0


@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER, Fate.FAIL, Fate.FAIL_AFTER, Fate.CUT])
@pytest.mark.parametrize("dialect", Dialect)
def test_a_worker_that_dies_at_any_request_changes_nothing(dialect: Dialect, fate: Fate, flush: bool) -> None:
    app = app_id(dialect)
    for at in range(1, requests_of(dialect) + 1):
        lab = prepared(dialect)
        for bell in lab.queue.dispatch(10):
            lab.answer(bell, at=at if bell.id == app else 0, fate=fate if bell.id == app else None)
        if flush:
            lab.empty_redis()
        lab.now += 61
        lab.settle_down(300)
        swept(lab, app)


@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_a_refresh_that_dies_at_any_request_changes_nothing(fate: Fate) -> None:
    at = 0
    while True:
        at += 1
        lab = LeavingLab()
        lab.push(config("first", wave=0), config("last", wave=1))
        lab.begin(argo())
        lab.cluster.edit(manifest("ConfigMap", "stranger", namespace="shop", data={"v": "mine"}))
        lab.declare_all()
        lab.now += 6
        worker = lab.answer_refresh(at, fate)
        lab.now += 61
        lab.settle_down(300)
        swept(lab, WEB)
        if worker.requests < at:
            return


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("stuck", [False, True])
def test_an_emptied_redis_in_the_middle_strands_nothing(lab: LeavingLab, dialect: Dialect, stuck: bool) -> None:
    app = app_id(dialect)
    lab.push(config("first", wave=0), config("last", wave=1))
    lab.begin(argo() if dialect is Dialect.ARGOCD else flux(deletionPolicy="WaitForTermination"))
    lab.declare_all()
    held = lab.finalize("last") if stuck else None
    lab.settle_down(30 if stuck else 10)
    lab.empty_redis()
    lab.settle_down(40)
    if held is not None:
        assert "last" in lab.names()
        assert lab.status(app).message.startswith("Being deleted")
        lab.release(held)
        lab.settle_down(20)
    assert lab.names() == []
    assert lab.record(app) is None
    assert lab.state.application(app) is None


def test_after_an_emptied_redis_a_kind_of_another_version_is_left_alone_and_the_others_go(lab: LeavingLab) -> None:
    app = app_id(Dialect.FLUX)
    lab.push(config("first", wave=0))
    lab.begin(flux(deletionPolicy="WaitForTermination"))
    lab.finalize("first")
    lab.declare_all()
    lab.settle_down(30)
    stored = lab.record(app)
    assert stored is not None
    foreign = replace(stored.record, app="helmrelease/flux-system/web")
    lab.clusters.records("east").store(foreign, None)
    lab.empty_redis()
    lab.settle_down(40)
    assert lab.state.application(app) is not None
    assert lab.state.application(foreign.app) is None
    assert lab.record(foreign.app) is not None


def test_after_an_emptied_redis_what_is_declared_again_is_synced(lab: LeavingLab) -> None:
    lab.push(config("first", wave=0), config("last", wave=1))
    lab.begin(argo())
    lab.declare_all()
    lab.settle_down(10)
    lab.empty_redis()
    lab.declare_all(argo())
    lab.settle_down(60)
    assert lab.names() == ["first", "last"]
    stored = lab.record(WEB)
    assert stored is not None
    assert stored.record.deletion is None


def test_after_an_emptied_redis_a_catalogue_with_errors_resumes_nothing(lab: LeavingLab) -> None:
    """The manifest may be back in the file that cannot be read."""
    lab.push(config("a"))
    lab.begin(argo())
    lab.declare_all()
    lab.settle_down(10)
    lab.empty_redis()
    lab.declare_all("apiVersion: argoproj.io/v1alpha1\nkind: Application\n")
    lab.settle_down(120)
    assert lab.names() == ["a"]
    assert lab.state.application(WEB) is None
    lab.declare_all()
    lab.settle_down(60)
    assert lab.names() == []


def test_after_an_emptied_redis_a_cluster_that_is_away_is_searched_later(lab: LeavingLab) -> None:
    lab.push(config("a"))
    lab.begin(argo())
    lab.declare_all()
    lab.settle_down(10)
    lab.empty_redis()
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 10)
    lab.settle_down(30)
    assert lab.names() == ["a"]
    lab.settle_down(2000)
    assert lab.names() == []


def test_a_quiet_refresh_asks_no_cluster(lab: LeavingLab) -> None:
    lab.push(config("a"))
    lab.begin(argo())
    before = lab.cluster.requests.copy()
    lab.settle_down(30)
    assert (lab.cluster.requests - before)["record-list"] == 0
    assert (lab.cluster.requests - before)["record-load"] == 0


@pytest.mark.parametrize("dialect", Dialect)
def test_a_frozen_worker_undoes_nothing_of_an_application_that_is_back(dialect: Dialect) -> None:
    """At most its one late request gets through, and that is healed."""
    app = app_id(dialect)
    for at in range(1, requests_of(dialect) + 1):
        lab = prepared(dialect)
        for bell in lab.queue.dispatch(10):
            lab.answer(bell, at=at if bell.id == app else 0, fate=Fate.FREEZE if bell.id == app else None)
        lab.now += 61
        lab.declare_all(declared(dialect))
        lab.settle_down(100)
        while lab.frozen:
            lab.thaw()
        lab.settle_down(600)
        assert lab.names() == ["first", "last", "stranger"]
        assert lab.status(app).sync is SyncStatus.SYNCED
        stored = lab.record(app)
        assert stored is not None
        assert stored.record.deletion is None
        assert [item.key.name for item in stored.record.inventory] == ["first", "last"]
