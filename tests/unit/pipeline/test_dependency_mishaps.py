"""Workers that die, messages and notes that are lost: who waits goes on all the same."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.documents.kinds import DEPENDANTS, WAITS
from gitops_workers.core.documents.sets import Waits
from gitops_workers.core.model import AppId, SyncStatus
from gitops_workers.ports import TaskMessage, Urgency
from tests.unit.pipeline.hazards import Fate, Worker
from tests.unit.pipeline.moves import config, deployment
from tests.unit.pipeline.shop import HOUR, Shop

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def waiting_shop() -> tuple[Shop, AppId, TaskMessage]:
    """`top` waits; `base` has become ready and is about to find that out."""
    shop = Shop()
    base = shop.add("base", wait=True)
    top = shop.add("top", base)
    shop.write(base=deployment("base", 0), top=config("top"))
    shop.work()
    assert shop.value("top") is None
    shop.controllers_report()
    shop.queue.request(base, "its objects have changed", Urgency.SELF_HEAL)
    return shop, top, next(bell for bell in shop.queue.dispatch(10) if bell.id == base)


def requests_of_the_report() -> int:
    shop, _, bell = waiting_shop()
    return shop.answer(bell).requests


@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_a_dependency_killed_at_any_request_rings_all_the_same(fate: Fate) -> None:
    """Its lease runs out after 30 s, and whoever follows it reads the notes anew; the interval is an hour."""
    for at in range(1, requests_of_the_report() + 1):
        shop, top, bell = waiting_shop()
        shop.answer(bell, at=at, fate=fate)
        shop.work(120)
        assert (shop.value("top"), shop.status(top).sync) == ("1", "Synced"), f"killed at request {at}"


@pytest.mark.parametrize("fate", [Fate.KILL, Fate.KILL_AFTER])
def test_a_dependant_killed_at_any_request_goes_on(fate: Fate) -> None:
    for at in range(1, 60):
        shop = Shop()
        base = shop.add("base")
        top = shop.add("top", base)
        shop.write(base=config("base"), top=config("top"))
        (bell,) = [bell for bell in shop.queue.dispatch(10) if bell.id.startswith("repository/")]
        shop.answer(bell)
        bells = {bell.id: bell for bell in shop.queue.dispatch(10)}
        worker = shop.answer(bells[top], at=at, fate=fate)
        shop.answer(bells[base])
        shop.work(180)
        assert shop.value("top") == "1", f"killed at request {at}"
        if not worker.dead:
            return
    pytest.fail("the attempt never came to its end")


def test_a_dependency_that_becomes_ready_while_it_is_asked_is_not_missed() -> None:
    """Every moment at which the dependency's report may fall into the dependant's attempt."""
    for at in range(1, 60):
        shop = Shop()
        base = shop.add("base")
        top = shop.add("top", base)
        shop.write(base=config("base"), top=config("top"))
        (bell,) = [bell for bell in shop.queue.dispatch(10) if bell.id.startswith("repository/")]
        shop.answer(bell)
        bells = {bell.id: bell for bell in shop.queue.dispatch(10)}
        worker = shop.answer(bells[top], at=at, fate=Fate.FREEZE)
        shop.answer(bells[base])
        if not shop.frozen:
            assert worker.requests < at
            return
        shop.thaw()
        shop.work()
        assert shop.value("top") == "1", f"asleep at request {at}"
    pytest.fail("the attempt never came to its end")


def test_a_ring_that_is_lost_costs_one_interval(shop: Shop) -> None:
    base = shop.add("base", wait=True)
    top = shop.add("top", base)
    shop.write(base=deployment("base", 0), top=config("top"))
    shop.work()
    note = shop.state.load(WAITS, top)
    shop.state.discard(WAITS, top)
    shop.controllers_report()
    shop.work(10)
    assert note == Waits({base: ""})
    assert shop.status(base).sync is SyncStatus.SYNCED
    assert shop.value("top") is None

    shop.work(HOUR)

    assert shop.value("top") == "1"


def test_after_flushall_everybody_still_waits_and_then_goes_on(shop: Shop) -> None:
    base = shop.add("base", wait=True)
    top = shop.add("top", base)
    shop.write(base=deployment("base", 0), top=config("top"))
    shop.work()
    shop.flush()
    shop.work(5)
    assert shop.value("top") is None
    assert f"Waiting for {base}" in shop.status(top).message

    shop.controllers_report()
    shop.work(40)  # whoever wrote before may believe in his lease for so long

    assert shop.value("top") == "1"


def test_who_has_nothing_to_do_with_it_pays_nothing(shop: Shop) -> None:
    def asked(app: AppId) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        shop.queue.request(app, "somebody asks", Urgency.MANUAL)
        (bell,) = shop.queue.dispatch(10)
        worker = Worker(shop, bell)
        original = worker.through

        def through(port: str, name: str, call: Any, words: tuple[Any, ...]) -> Any:
            found.append((port, name))
            return original(port, name, call, words)

        worker.through = through  # type: ignore[method-assign]  # this very worker tells
        worker.run()
        worker.check()
        return found

    plain = shop.add("plain")
    base = shop.add("base")
    shop.add("top", base)
    shop.write(plain=config("plain"), base=config("base"), top=config("top"))
    shop.work()

    assert ("state", "load_many") not in asked(plain)
    assert ("state", "load") not in asked(plain)
    assert asked(base).count(("state", "load_many")) == 1
    assert shop.state.load(DEPENDANTS, plain) is None
