"""What `up` says while the first sync goes on, and afterwards."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.model import Condition, HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import OperationView, Status
from gitops_workers.local.progress import news, progress, troubles


def row(name: str, *, sync: SyncStatus = SyncStatus.SYNCED, **more: Any) -> Status:
    at = "2026-11-23T12:00:00Z"
    return Status(
        f"application/argocd/{name}", "argocd", "default", "c", "n", "r", ".", sync, last_checked_at=at, **more
    )


def waiting(name: str, **more: object) -> Status:
    """As the catalogue enters it; a quiet poll of its cluster has moved the moment of its last look."""
    return row(name, sync=SyncStatus.UNKNOWN, **more)


RUNNING = OperationView(Phase.RUNNING, "", "", "2026-11-23T12:00:00Z")
FAILED = OperationView(Phase.FAILED, "Job shop/migrate failed", "", "2026-11-23T12:00:00Z")


def test_it_is_over_when_everything_was_looked_at_and_nothing_runs() -> None:
    assert not progress([row("a", operation=RUNNING)], read=True).over
    assert progress([row("a"), waiting("b", suspended=True)], read=True).over


def test_a_poll_of_its_cluster_is_no_look_at_an_application() -> None:
    found = progress([waiting(str(number)) for number in range(9)], read=True)
    assert not found.over
    assert found.line == "0 of 9 applications dealt with: 9 Unknown"
    assert not progress([row("a"), waiting("b")], read=True).over


def test_it_is_not_over_before_the_catalogue_has_been_read() -> None:
    assert not progress([row("a")], read=False).over


def test_a_failed_application_does_not_keep_it_from_being_over() -> None:
    failed = row("b", sync=SyncStatus.UNKNOWN, message="no such\npath \x1b[31m")
    found = progress([row("a"), failed], read=True)
    assert found.over
    assert found.line == "first sync over, 2 applications: 1 Synced, 1 Unknown"
    assert troubles([row("a"), failed]) == {"application/argocd/b": "no such path"}
    assert progress([row("a")], read=True).line == "first sync over, 1 application: 1 Synced"


def test_an_empty_catalogue_is_told_from_one_that_was_not_read() -> None:
    assert not progress([], read=False).over
    assert progress([], read=True).over


def test_trouble_names_the_failed_operation_then_the_condition_then_the_health() -> None:
    missing: dict[str, Any] = {
        "sync": SyncStatus.OUT_OF_SYNC,
        "health": HealthStatus.MISSING,
        "health_message": "none exists",
    }
    found = troubles(
        [
            row("a", operation=FAILED, **missing),
            row("b", conditions=(Condition("InvalidSpecError", "a.yaml:3: spec.source: missing"),), **missing),
            row("c", health=HealthStatus.DEGRADED, health_message="no progress"),
            row("d", **missing),
        ]
    )
    assert list(found.values()) == ["Job shop/migrate failed", "a.yaml:3: spec.source: missing", "no progress"]


def test_later_trouble_and_its_end_are_told_once() -> None:
    before = {"a": "refused", "b": "no such path"}
    assert news({}, before) == ["a: refused", "b: no such path"]
    assert news(before, before) == []
    assert news(before, {"a": "another reason"}) == ["a: another reason", "b: well again"]


def test_many_problems_are_counted_and_not_all_shown() -> None:
    lines = news({}, {str(number): "refused" for number in range(25)})
    assert len(lines) == 11
    assert lines[-1] == "and 15 more: gitops-workers app list --failing"
