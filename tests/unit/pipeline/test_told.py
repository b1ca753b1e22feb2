"""What an attempt leaves in the log and in the event stream: once each, and under the same identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.contextvars import clear_contextvars, merge_contextvars
from structlog.testing import capture_logs

from gitops_workers.core.errors import ApplyRefused
from gitops_workers.core.model import AppId, Dialect
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.core.status.rows import Event
from gitops_workers.ports import Rendered
from gitops_workers.testing.volatile_rendering import VolatileRenderer
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.leaving import LeavingLab, app_id, argo
from tests.unit.pipeline.moves import config, deployment
from tests.unit.pipeline.test_waiting import READY

Lines = list[Any]
WEB = ObjectKey("apps", "Deployment", "shop", "web")


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def lines() -> Iterator[Lines]:
    clear_contextvars()
    with capture_logs(processors=[merge_contextvars]) as found:
        yield found
    clear_contextvars()


def told(lab: Lab, app: AppId, *reasons: str) -> Sequence[Event]:
    """Oldest first."""
    return [event for event in reversed(lab.state.events(app, 1000)) if event.reason in reasons]


def meddle(lab: Lab, value: str = "by hand") -> None:
    lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"v": value}))


def test_each_of_three_syncs_with_the_same_words_is_an_event(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(automated=False)
    lab.run()
    for number in range(3):
        meddle(lab, f"by hand {number}")
        lab.ask(app)
        lab.run()
    ended = told(lab, app, "OperationSucceeded")
    assert [event.message for event in ended] == ["1 object applied."] * 3
    assert len({event.operation for event in ended}) == 3
    assert [event.request for event in ended] == ["request-1", "request-2", "request-3"]
    assert {event.by for event in ended} == {"ann"}
    assert len({event.id for event in lab.state.events(app)}) == len(lab.state.events(app))


def test_an_operation_bears_one_id_from_its_beginning_to_its_end(lab: Lab, lines: Lines) -> None:
    lab.push(deployment("web", wave=0), config("a", wave=1))
    app = lab.declare()
    lab.run()
    lab.cluster.put_status(WEB, READY)
    lab.run(6.0)
    status = lab.status(app)
    assert status.operation is not None
    identity = status.operation.id
    assert identity
    assert {event.operation for event in told(lab, app, "OperationRunning", "OperationSucceeded")} == {identity}
    (began,) = [line for line in lines if line["event"] == "operation_began"]
    assert (began["operation"], began["application"], began["generation"]) == (identity, app, 1)
    assert began["attempt"] > 0


def test_the_end_of_an_operation_is_logged_as_it_is_told(lab: Lab, lines: Lines) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    (event,) = told(lab, app, "OperationSucceeded")
    (line,) = [line for line in lines if line["event"] == "operation_succeeded"]
    assert {name: line[name] for name in ("operation", "revision", "message", "by", "log_level")} == {
        "operation": event.operation,
        "revision": event.revision,
        "message": "1 object applied.",
        "by": "automated sync",
        "log_level": "info",
    }


def test_a_failed_operation_is_a_warning_in_both(lab: Lab, lines: Lines) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.cluster.fail_next(ApplyRefused("no room for it"), verb="apply")
    lab.run()
    (event, *_) = told(lab, app, "OperationFailed")
    assert event.type == "Warning"
    assert "no room for it" in event.message
    assert [line["log_level"] for line in lines if line["event"] == "operation_failed"][:1] == ["warning"]


def test_a_self_heal_says_what_was_changed_and_is_a_warning_once_it_is_a_fight(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    for _ in range(2):
        meddle(lab)
        lab.poll_cluster()
        lab.run(10.0)
    first, second = told(lab, app, "SelfHeal")
    assert (first.type, second.type) == ("Normal", "Warning")
    assert "Somebody changed ConfigMap shop/a in the cluster" in first.message
    assert "2 times in a row" in second.message


def test_a_change_to_degraded_is_a_warning_and_the_way_back_is_not(lab: Lab) -> None:
    lab.push(deployment("web", wave=0))
    app = lab.declare()
    lab.run()
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}
    for status in (READY, {**READY, "conditions": [late]}, READY):
        lab.cluster.put_status(WEB, status)
        lab.poll_cluster()
        lab.run(5.0)
    changes = [(event.type, event.message.partition(":")[0]) for event in told(lab, app, "HealthChanged")]
    assert changes[-2:] == [("Warning", "Healthy -> Degraded"), ("Normal", "Degraded -> Healthy")]


def test_a_refused_application_is_told_by_the_reason_and_again_when_the_reason_changes(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    for broken in (b"{", b"["):
        lab.push(broken=broken)
        lab.poll_repository()
        lab.run(600.0)
    first, second = told(lab, app, "ComparisonError", "SyncStatusChanged")[-2:]
    assert {first.type, second.type} == {"Warning"}
    assert first.message != second.message


def test_a_quiet_application_says_nothing(lab: Lab, lines: Lines) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    events, said = len(lab.state.events(app)), len(lines)
    for _ in range(5):
        lab.poll_repository()
        lab.poll_cluster()
        lab.run(300.0)
    assert len(lab.state.events(app)) == events
    assert lines[said:] == []


def test_a_deletion_is_told_from_its_beginning_to_its_end_and_what_holds_it_up_is_a_warning(lines: Lines) -> None:
    lab = LeavingLab()
    lab.push(config("a"))
    lab.begin(argo())
    app = app_id(Dialect.ARGOCD)
    lab.declare_all()
    lab.cluster.fail_next(ApplyRefused("the object may not be deleted"), verb="delete")
    lab.settle_down(120)
    began, removed = told(lab, app, "DeletionStarted", "Removed")
    assert (began.type, removed.type) == ("Normal", "Normal")
    (held_up,) = [event for event in lab.state.events(app) if event.type == "Warning"]
    assert "the object may not be deleted" in held_up.message
    (operation,) = {event.operation for event in told(lab, app, "OperationRunning")}
    assert {line["operation"] for line in lines if line["event"] == "deletion_failed"} == {operation}


def test_a_refresh_of_the_catalogue_says_nothing_in_an_applications_name(lines: Lines) -> None:
    lab = LeavingLab()
    lab.push(config("a"))
    lab.begin(argo())
    lab.declare_all()
    lab.settle_down(120)
    read = [line for line in lines if line["event"] == "catalogue_read"]
    assert read
    assert {line["group"] for line in read} == {CATALOGUE}
    assert not any("attempt" in line for line in read)


def test_an_attempt_that_a_later_one_has_overtaken_says_so_and_tells_nothing_else(lab: Lab, lines: Lines) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    lab.state.save_status(lab.status(app), token=10**18)
    events, said = lab.state.events(app), len(lines)
    lab.ask(app)
    (bell,) = [bell for bell in lab.queue.dispatch(100) if bell.id == app]
    lab.serve(lab.context, bell)
    (line,) = [line for line in lines[said:] if line["event"] == "attempt_superseded"]
    assert (line["application"], line["log_level"]) == (app, "info")
    assert line["attempt"] > 0
    assert lab.state.events(app) == events


class Interrupted(VolatileRenderer):
    """While it renders the worker is told to end."""

    def render(self, *_: Any, **__: Any) -> Rendered:
        raise KeyboardInterrupt


def test_an_attempt_that_the_end_of_the_worker_interrupts_says_so(lab: Lab, lines: Lines) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.context = replace(lab.context, renderer=Interrupted(lab.sources))
    with pytest.raises(KeyboardInterrupt):
        lab.run()
    (line,) = [line for line in lines if line["event"] == "attempt_interrupted"]
    assert (line["application"], line["error"]) == (app, "KeyboardInterrupt")


def test_an_event_names_the_attempt_and_the_operation_in_whose_course_it_happened(lab: Lab, lines: Lines) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    lab.push(config("a"), config("b"))
    lab.poll_repository()
    status = lab.status(app)
    assert status.operation is not None
    course = [event for event in lab.state.events(app) if event.operation == status.operation.id]
    assert "OperationSucceeded" in {event.reason for event in course}
    assert {event.attempt for event in course} <= {line["attempt"] for line in lines if "attempt" in line}
    assert max(event.attempt for event in course) == status.attempt
