"""The operation: begins, waits, advances, ends; a new commit replaces an old one."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.model import Phase, Resolved
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Request, selector
from tests.unit.core.making import application

OLD, NEW = Resolved("a" * 40, "main"), Resolved("b" * 40, "main")


def begun(timeout: float = 0.0, failures: int = 0) -> Operation:
    app = application(timeout=timeout)
    return operations.begin(app, 4, OLD, 100.0, "automated sync", failures=failures, consent=False)


@pytest.mark.parametrize(
    ("operation", "resolved", "goes_on"),
    [
        (begun(), OLD, True),
        (begun(), NEW, False),
        (operations.finish(begun(), Phase.FAILED, "no", 101.0), OLD, False),
        (operations.waiting(begun(), ("x",), 101.0), OLD, True),
        (None, OLD, False),
    ],
)
def test_only_a_running_operation_of_the_same_commit_goes_on(
    operation: Operation | None, resolved: Resolved, goes_on: bool
) -> None:
    assert operations.continues(operation, resolved) is goes_on


def test_another_render_of_the_same_commit_is_another_operation() -> None:
    running = operations.begin(application(), 4, OLD, 100.0, "ann", failures=0, consent=False, rendered="one")
    assert operations.continues(running, OLD, "one")
    assert not operations.continues(running, OLD, "two")


def asked(number: str, **options: Any) -> Request:
    return Request(number, "ann", **options)


@pytest.mark.parametrize(
    ("going", "wanted", "goes_on"),
    [
        (None, None, True),
        (None, asked("1"), True),
        (None, asked("1", prune=True), False),
        (None, asked("1", revision="v1"), False),
        (asked("1"), None, True),
        (asked("1", rollback=3), asked("1", rollback=3), True),
        (asked("1"), asked("2"), True),
        (asked("1", prune=True), asked("2"), False),
        (asked("1", revision="v1"), asked("2"), False),
        (asked("1"), asked("2", force=True), False),
    ],
)
def test_a_request_goes_on_with_what_is_running_only_where_it_wants_no_more(
    going: Request | None, wanted: Request | None, goes_on: bool
) -> None:
    running = operations.begin(application(), 4, OLD, 100.0, "ann", failures=0, consent=False, request=going)
    assert operations.continues(running, OLD, asked=wanted) is goes_on


@pytest.mark.parametrize(
    ("going", "wanted", "commit"),
    [
        (None, asked("1", revision="main"), None),
        (asked("1", revision="main"), None, None),
        (asked("1", revision="main"), asked("1", revision="main"), OLD),
        (asked("1", revision="main"), asked("2", revision="main"), None),
        (asked("1"), asked("1"), None),
    ],
)
def test_a_named_revision_means_the_commit_that_it_meant_when_it_was_begun(
    going: Request | None, wanted: Request | None, commit: Resolved | None
) -> None:
    running = operations.begin(application(), 4, OLD, 100.0, "ann", failures=0, consent=False, request=going)
    for operation in (running, operations.finish(running, Phase.ERROR, "cluster away", 101.0)):
        assert operations.pinned_revision(operation, wanted) == commit
    assert operations.pinned_revision(None, wanted) is None


def test_selective_syncs_and_rollbacks_run_no_hooks() -> None:
    def hooks(request: Request | None) -> bool:
        begun = operations.begin(application(), 4, OLD, 1.0, "ann", failures=0, consent=False, request=request)
        return begun.hooks

    assert hooks(None)
    assert hooks(asked("1", revision="v1"))
    assert not hooks(asked("1", rollback=2))
    assert not hooks(asked("1", resources=(selector(":Service:web"),)))


def test_looks_at_a_shut_gate_grow_from_one_to_five_seconds() -> None:
    operation, waits = begun(), []
    for _ in range(8):
        operation = operations.waiting(operation, ("Deployment.apps shop/web",), 101.0)
        waits.append(operation.wait)
    assert waits[0] == operations.FIRST_WAIT
    assert waits == sorted(waits)
    assert waits[-1] == operations.LONGEST_WAIT


def test_the_next_stage_starts_with_quick_looks_again() -> None:
    waited = operations.waiting(operations.waiting(begun(), ("x",), 101.0), ("x",), 102.0)
    advanced = operations.advance(waited)
    assert (advanced.stage, advanced.looks, advanced.waiting_for) == (1, 0, ())


def test_the_deadline_ends_the_operation_and_names_what_it_waited_for() -> None:
    names = tuple(f"Deployment.apps shop/w{number}" for number in range(7))
    ended = operations.waiting(begun(timeout=30.0), names, 131.0)
    assert ended.phase is Phase.FAILED
    assert ended.message.startswith("Not healthy after 31 s: Deployment.apps shop/w0")
    assert ended.message.endswith("and 2 more.")


def test_failures_count_until_a_success() -> None:
    failed = operations.finish(begun(failures=2), Phase.FAILED, "no", 101.0)
    assert failed.failures == 3
    assert operations.finish(failed, Phase.SUCCEEDED, "yes", 102.0).failures == 0


@pytest.mark.parametrize("said", ["Job shop/migrate exceeded its deadline", "Job shop/migrate failed.", "Why?"])
def test_what_failed_and_what_happens_to_the_hooks_are_two_sentences(said: str) -> None:
    failing = operations.failing(begun(), said, 101.0)
    anew = operations.failed_anew(failing, said, 3, overdue=False)
    for message in (failing.message, anew.message):
        before, _, _ = message.partition(" The hooks' objects are being deleted.")
        assert before.endswith((".", "?"))
        assert not before.endswith("..")
