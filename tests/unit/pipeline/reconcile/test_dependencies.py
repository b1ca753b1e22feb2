"""An application that depends on others: nothing of it is applied before they are ready, and nobody polls for that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.core.documents.kinds import WAITS
from gitops_workers.core.model import AppId, Dialect, Phase, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.core.making import crd, manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config, deployment
from tests.unit.pipeline.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


def kustomization(name: str) -> AppId:
    return f"kustomization/flux-system/{name}"


def chain(shop: Shop) -> tuple[AppId, AppId, AppId]:
    """`a` depends on `b`, which depends on `c`; each is rung in just the wrong order."""
    return shop.add("a", kustomization("b")), shop.add("b", kustomization("c")), shop.add("c")


def began(shop: Shop) -> tuple[AppId, AppId, AppId]:
    apps = chain(shop)
    shop.write(a=config("a"), b=config("b"), c=config("c"))
    shop.work()
    assert shop.values("a", "b", "c") == ["1", "1", "1"]
    shop.wrote.clear()
    return apps


def test_a_chain_goes_up_in_its_order_each_ringing_the_next(shop: Shop) -> None:
    apps = chain(shop)
    shop.write(a=config("a"), b=config("b"), c=config("c"))
    before = shop.now

    shop.work()

    assert shop.wrote == ["c", "b", "a"]
    assert shop.now - before < 1.0
    assert [shop.status(app).sync for app in apps] == ["Synced"] * 3
    assert all(shop.state.load(WAITS, app) is None for app in apps)


def test_who_waits_says_for_whom_and_holds_no_slot(shop: Shop) -> None:
    a, b, c = shop.add("a", kustomization("b")), shop.add("b", kustomization("c")), shop.add("c", wait=True)
    shop.write(a=config("a"), b=config("b"), c=deployment("c", 0))

    shop.work()

    assert shop.status(b).message == f"Waiting for {c}: its sync is running."
    assert shop.status(a).message.startswith(f"Waiting for {b}: ")
    assert shop.status(a).sync is SyncStatus.OUT_OF_SYNC
    assert shop.queue.cluster_loads(["east"])["east"].in_flight == 0
    attempts = shop.queue.wanted(a)
    shop.work(300)
    assert shop.queue.wanted(a) == attempts, "nobody asks while nothing happens"
    assert shop.values("a", "b") == [None, None]
    shop.controllers_report()
    shop.work(5)
    assert shop.values("a", "b") == ["1", "1"]


def test_a_commit_that_touches_both_reaches_the_dependency_first(shop: Shop) -> None:
    began(shop)
    shop.write(a=config("a", "2"), b=config("b", "2"), c=config("c", "2"))
    shop.webhook()
    before = shop.now

    shop.work()

    assert shop.wrote == ["c", "b", "a"]
    assert shop.now - before < 1.0


@pytest.mark.parametrize("dialect", list(Dialect))
def test_who_looks_before_the_poll_has_its_dependency_look_too(shop: Shop, dialect: Dialect) -> None:
    """F26: the dependency's last state is that of the commit before, and it looks ready."""
    base = shop.add("base", dialect=dialect)
    top = shop.add("a", base)
    shop.write(a=config("a"), base=config("base"))
    shop.work()
    shop.wrote.clear()
    shop.write(a=config("a", "2"), base=config("base", "2"))

    shop.queue.request(top, "somebody asks", Urgency.MANUAL)
    shop.work()

    assert shop.wrote == ["base", "a"]


def test_a_commit_that_touches_nothing_of_the_dependency_holds_nobody_up(shop: Shop) -> None:
    _, b, _ = began(shop)
    looks = shop.queue.wanted(b)
    shop.write(a=config("a", "2"))
    shop.webhook()
    shop.work()
    assert shop.value("a") == "2"
    assert shop.queue.wanted(b) == looks, "the poll has said it already"

    shop.write(a=config("a", "3"))
    shop.queue.request("kustomization/flux-system/a", "somebody asks", Urgency.MANUAL)
    shop.work()
    assert shop.value("a") == "3"


def test_a_dependency_of_another_revision_is_not_measured_by_mine(shop: Shop) -> None:
    b = shop.add("b")
    a = shop.add("a", b)
    first = shop.write(a=config("a"), b=config("b"))
    shop.repository.refs["refs/heads/release"] = first
    revision = replace(shop.applications[b].source.revision, value="release")
    shop.applications[b] = replace(shop.applications[b], source=replace(shop.applications[b].source, revision=revision))
    shop.enroll()
    shop.work()
    second = shop.write(a=config("a", "2"), b=config("b", "2"))
    shop.webhook()
    shop.work()

    assert shop.values("a", "b") == ["2", "1"]
    assert (shop.status(a).revision, shop.status(b).revision) == (second, first)


def test_a_dependency_that_fails_is_waited_for_until_it_is_mended(shop: Shop) -> None:
    a, b, c = began(shop)
    shop.write(a=config("a", "2"), b=config("b", "2"), c=b"{")
    shop.webhook()
    shop.work(2)
    assert shop.values("a", "b", "c") == ["1", "1", "1"]
    assert shop.status(b).message == f"Waiting for {c}: its state is unknown now."

    shop.write(c=config("c", "2"))
    shop.webhook()
    shop.work(2)

    assert shop.values("a", "b", "c") == ["2", "2", "2"]
    assert shop.wrote == ["c", "b", "a"]
    assert [shop.status(app).sync for app in (a, b, c)] == ["Synced"] * 3


def test_health_counts_for_an_argo_cd_application(shop: Shop) -> None:
    base = shop.add("base", dialect=Dialect.ARGOCD)
    top = shop.add("top", base, dialect=Dialect.ARGOCD)
    shop.write(base=deployment("base", 0), top=config("top"))
    shop.work(10)
    assert shop.status(top).message in (
        f"Waiting for {base}: it is Progressing.",
        f"Waiting for {base}: its sync is running.",
    )

    shop.controllers_report()
    shop.work(60)

    assert shop.value("top") == "1"


def test_health_does_not_count_for_a_kustomization_without_wait(shop: Shop) -> None:
    base = shop.add("base")
    shop.add("top", base)
    shop.write(base=deployment("base", 0), top=config("top"))

    shop.work()

    assert shop.value("top") == "1"


def test_a_suspended_dependency_is_named_and_resuming_it_rings(shop: Shop) -> None:
    _, b, c = began(shop)
    shop.state.save(raw("override"), c, {"suspended": True})
    shop.queue.request(c, "suspended", Urgency.MANUAL)
    shop.work()
    shop.write(b=config("b", "2"))
    shop.webhook()
    shop.work(5)
    assert shop.status(b).message == f"Waiting for {c}: it is suspended: resume it or take the dependency out."
    assert shop.value("b") == "1"

    shop.state.save(raw("override"), c, {"suspended": False})
    shop.queue.request(c, "resumed", Urgency.MANUAL)
    shop.work()

    assert shop.value("b") == "2"


def test_who_has_nothing_to_apply_asks_nobody(shop: Shop) -> None:
    _, b, c = began(shop)
    shop.state.save(raw("override"), c, {"suspended": True})
    shop.queue.request(c, "suspended", Urgency.MANUAL)
    shop.queue.request(b, "somebody asks", Urgency.MANUAL)

    shop.work()

    assert shop.status(b).message == "In sync with Git."
    assert shop.state.load(WAITS, b) is None


def test_what_was_asked_by_hand_is_done_when_the_dependency_is_ready(shop: Shop) -> None:
    base = shop.add("base", wait=True)
    top = shop.add("top", base, dialect=Dialect.ARGOCD, automated=False)
    shop.write(base=deployment("base", 0), top=config("top"))
    shop.work()
    shop.ask(top)
    shop.work()
    assert "Waiting for" in shop.status(top).message

    shop.controllers_report()
    shop.work(10)

    assert shop.value("top") == "1"
    operation = shop.status(top).operation
    assert operation is not None
    assert operation.initiated_by == "ann"


def test_an_operation_that_a_waiting_commit_replaces_is_over(shop: Shop) -> None:
    c = shop.add("c")
    b = shop.add("b", c, wait=True)
    shop.write(b=deployment("b", 0), c=config("c"))
    shop.work()
    assert shop.status(b).operation.phase is Phase.RUNNING  # it was begun
    commit = shop.write(b=config("b", "2"), c=b"{")
    shop.webhook()
    shop.work(1)

    operation = shop.status(b).operation
    assert operation is not None
    assert (operation.phase, operation.message) == (Phase.FAILED, f"Replaced by commit {commit[:12]}, which waits.")
    shop.write(c=config("c", "2"))
    shop.webhook()
    shop.work(2)
    assert shop.value("b") == "2"


def test_what_comes_with_the_dependency_is_waited_for_and_no_failure(shop: Shop) -> None:
    base = shop.add("base", wait=True)
    top = shop.add("top", base)
    gadget = manifest("Gadget", "g", "x.io/v1", spec={"on": True})
    shop.write(base=deployment("base", 0), top=gadget)
    shop.work()
    assert shop.status(top).message == f"Waiting for {base}: its sync is running."
    assert "does not serve this kind" in shop.status(top).conditions[-1].message

    definition = crd("Gadget", "x.io")
    definition["spec"]["versions"] = [{"name": "v1"}]
    definition["spec"]["names"]["plural"] = "gadgets"
    shop.write(base=definition)
    shop.webhook()
    shop.work(10)

    assert ObjectKey("x.io", "Gadget", "shop", "g") in shop.cluster.objects()
    assert shop.status(top).conditions == ()


def test_a_refusal_of_ones_own_is_not_hidden_behind_a_dependency(shop: Shop) -> None:
    base = shop.add("base", wait=True)
    top = shop.add("top", base)
    shop.applications[top] = replace(shop.applications[top], refusal="spec.x: not done.")
    shop.enroll()
    shop.write(base=deployment("base", 0), top=config("top"))
    shop.queue.request(top, "its manifest changed", Urgency.POLL)

    shop.work()

    assert shop.status(top).message == "spec.x: not done."


def test_a_name_that_means_nobody_is_waited_for_and_named(shop: Shop) -> None:
    top = shop.add("top", Dependency("nobody", problem="no application has this name: add it or correct the name"))
    other = shop.add("other")
    shop.write(top=config("top"), other=config("other"))

    shop.work()

    assert "Waiting for nobody: no application has this name: add it" in shop.status(top).message
    assert (shop.value("top"), shop.status(other).sync) == (None, "Synced")


def test_a_lab_without_dependencies_keeps_no_notes() -> None:
    lab = Lab()
    app = lab.declare()
    lab.push(config("a"))
    lab.run()

    assert lab.status(app).sync is SyncStatus.SYNCED
    assert lab.state.load(WAITS, app) is None
