"""How far the first sync is, in one line. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.redact import scrub
from gitops_workers.core.status import Status

SHOWN = 10
"""Applications named at the end of the first sync; the list command shows all."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One look: a line for people, and whether every application has been dealt with."""

    line: str
    over: bool


def progress(rows: Sequence[Status], *, read: bool) -> Progress:
    """Where the first sync stands; `read`: whether the catalogue has been read."""
    if not rows:
        line = "the catalogue declares no application yet; it is looked at again every few seconds"
        return Progress(line, over=True) if read else Progress("reading the catalogue", over=False)
    waiting = sum(not _dealt_with(row) for row in rows)
    words = _words(rows)
    if waiting:
        return Progress(f"{len(rows) - waiting} of {len(rows)} applications dealt with: {words}", over=False)
    return Progress(f"first sync over, {len(rows)} applications: {words}", over=True)


def unwell(rows: Sequence[Status]) -> list[str]:
    """One line per application that is not in sync, at most SHOWN of them."""
    lines = [
        f"{row.id}: {row.sync.value}: {' '.join(scrub(row.message).split())}"
        for row in rows
        if row.sync is not SyncStatus.SYNCED and not row.suspended
    ]
    rest = len(lines) - SHOWN
    return lines[:SHOWN] + ([f"and {rest} more: gitops-workers app list --sort sync"] if rest > 0 else [])


def _dealt_with(row: Status) -> bool:
    running = row.operation is not None and row.operation.phase is Phase.RUNNING
    return row.suspended or (bool(row.last_checked_at) and not running)


def _words(rows: Sequence[Status]) -> str:
    counted = Counter("Suspended" if row.suspended else row.sync.value for row in rows)
    return ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
