"""A defect of ours that one application meets every time: it backs off, says so, and nobody else notices (F29)."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from gitops_workers.core.model import AppId, SyncStatus
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.pipeline.polling.poll import poll
from gitops_workers.pipeline.reconcile.attempt import reconcile
from gitops_workers.ports import Urgency
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import as_json, config, values

SECRET = "hunter2"


class Poison:
    """Renders and closures that die of one application."""

    def __init__(self, lab: Lab, app: str, *, port: str) -> None:
        self.lab, self.app, self.cured = lab, app, False
        self.attempts: list[float] = []
        if port == "renderer":
            self.original: Any = lab.renderer.render
            lab.renderer.render = self.render  # type: ignore[method-assign]
        else:
            self.original = lab.context.closures.closure
            lab.context.closures.closure = self.closure  # type: ignore[method-assign, assignment]

    def render(self, source: Any, render: Any, closure: Any, context: Any) -> Any:
        self.die(context.app_name)
        return self.original(source, render, closure, context)

    def closure(self, source: Any, render: Any, resolved: Any, app_name: str, permits: Any) -> Any:
        self.die(app_name)
        return self.original(source, render, resolved, app_name, permits)

    def die(self, app: str) -> None:
        if app == self.app and not self.cured:
            self.attempts.append(self.lab.now)
            raise RuntimeError(SECRET)


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """Tracebacks are drawn at leisure; these tests make dozens."""
    with capture_logs(processors=[merge_contextvars]) as found:
        yield found


def commit(lab: Lab, value: str) -> str:
    return lab.repository.commit({f"{name}/0.json": as_json(config(name, value)) for name in ("bad", "good")})


def declared(lab: Lab) -> tuple[AppId, AppId]:
    return lab.declare(name="bad", path="bad", self_heal=True), lab.declare(name="good", path="good", self_heal=True)


def live_on(lab: Lab, seconds: int) -> None:
    """Time passes, and somebody has the repository polled every second."""
    group = repository_group(next(iter(lab.applications.values())))
    for _ in range(seconds):
        lab.now += 1.0
        lab.queue.request_poll(group, Urgency.WEBHOOK)
        work(lab)


def work(lab: Lab) -> None:
    """What is due, with the attempts that die: Celery logs those, and the other messages are answered all the same."""
    while bells := lab.queue.dispatch(100):
        for bell in bells:
            with contextlib.suppress(RuntimeError):
                (poll if bell.task == "poll" else reconcile)(lab.context, bell.id)


def test_it_backs_off_to_the_longest_pause_however_often_its_repository_is_polled(lab: Lab) -> None:
    commit(lab, "1")
    poison = Poison(lab, "bad", port="renderer")
    bad, good = declared(lab)
    live_on(lab, 900)
    pauses = [round(later - earlier) for earlier, later in itertools.pairwise(poison.attempts)]
    assert pauses == [5, 10, 20, 40, 80, 180, 180, 180, 180]
    assert (lab.status(bad).sync, lab.status(good).sync) == (SyncStatus.UNKNOWN, SyncStatus.SYNCED)
    assert values(lab) == {"good": "1"}


@pytest.mark.parametrize("port", ["renderer", "closures"])
def test_the_next_commit_is_tried_at_once_and_the_others_of_the_repository_get_it_too(lab: Lab, port: str) -> None:
    commit(lab, "1")
    bad, good = declared(lab)
    lab.run()
    poison = Poison(lab, "bad", port=port)
    commit(lab, "2")
    live_on(lab, 3)
    seen = {"renderer": 1, "closures": 2}[port]  # the poll looks at inputs, too
    assert len(poison.attempts) == seen
    assert values(lab) == {"bad": "1", "good": "2"}
    commit(lab, "3")
    poison.cured = True
    live_on(lab, 1)
    assert values(lab) == {"bad": "3", "good": "3"}
    assert (lab.status(bad).sync, lab.status(good).sync) == (SyncStatus.SYNCED, SyncStatus.SYNCED)


def test_the_status_names_the_defect_and_never_its_text(lab: Lab, logs: list[Any]) -> None:
    commit(lab, "1")
    Poison(lab, "bad", port="renderer")
    bad, _ = declared(lab)
    work(lab)
    assert [entry["application"] for entry in logs if entry["event"] == "attempt_crashed"] == [bad]
    status = lab.status(bad)
    assert "RuntimeError in gitops-workers itself" in status.message
    assert [condition.type for condition in status.conditions] == ["ComparisonError"]
    assert SECRET not in str(status.to_json())
    assert SECRET not in str(lab.state.events(bad))


def test_what_a_human_asked_for_is_not_lost_with_the_attempt_that_died_of_it(lab: Lab) -> None:
    commit(lab, "1")
    poison = Poison(lab, "bad", port="renderer")
    bad = lab.declare(name="bad", path="bad", automated=False)
    work(lab)
    lab.ask(bad)
    work(lab)
    poison.cured = True
    lab.run(30)
    assert values(lab) == {"bad": "1"}
    stored = lab.clusters.records("east").load(bad)
    assert stored is not None
    assert stored.record.history[-1].initiated_by == "ann"


def test_a_crash_that_cannot_even_be_told_gives_its_lease_back(lab: Lab) -> None:
    commit(lab, "1")
    bad, _ = declared(lab)
    lab.run()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(SECRET)

    original, lab.sources.refs = lab.sources.refs, broken  # type: ignore[method-assign]
    lab.queue.request(bad, "look", Urgency.MANUAL)
    work(lab)
    assert lab.queue.begin(bad, 30.0) is not None
    lab.sources.refs = original  # type: ignore[method-assign]
