"""The operation: begins, waits, advances, ends; a new commit replaces an old one."""

from __future__ import annotations

import pytest

from gitops_workers.core import operation as operations
from gitops_workers.core.model import Phase, Resolved
from gitops_workers.core.operation import Operation
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
