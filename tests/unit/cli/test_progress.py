"""What `up` says while the first sync goes on."""

from __future__ import annotations

from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.status import OperationView, Status
from gitops_workers.local.progress import progress, unwell


def row(name: str, *, checked: bool = True, sync: SyncStatus = SyncStatus.SYNCED, **more: object) -> Status:
    at = "2026-11-23T12:00:00Z" if checked else ""
    return Status(
        f"application/argocd/{name}", "argocd", "default", "c", "n", "r", ".", sync, last_checked_at=at, **more
    )


RUNNING = OperationView(Phase.RUNNING, "", "", "2026-11-23T12:00:00Z")


def test_it_is_over_when_everything_was_looked_at_and_nothing_runs() -> None:
    assert not progress([row("a"), row("b", checked=False)], read=True).over
    assert not progress([row("a", operation=RUNNING)], read=True).over
    assert progress([row("a"), row("b", checked=False, suspended=True)], read=True).over


def test_a_failed_application_does_not_keep_it_from_being_over() -> None:
    found = progress([row("a"), row("b", sync=SyncStatus.UNKNOWN, message="no such path")], read=True)
    assert found.over
    assert "1 Synced, 1 Unknown" in found.line
    assert unwell([row("b", sync=SyncStatus.UNKNOWN, message="no such\npath \x1b[31m")]) == [
        "application/argocd/b: Unknown: no such path"
    ]


def test_an_empty_catalogue_is_told_from_one_that_was_not_read() -> None:
    assert not progress([], read=False).over
    assert progress([], read=True).over


def test_many_problems_are_counted_and_not_all_shown() -> None:
    lines = unwell([row(str(number), sync=SyncStatus.OUT_OF_SYNC) for number in range(25)])
    assert len(lines) == 11
    assert lines[-1].startswith("and 15 more")
