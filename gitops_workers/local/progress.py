"""What `up` tells of applications: how far the first sync is, and who gets into trouble later. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitops_workers.core.model import AppId, Phase, SyncStatus
from gitops_workers.core.status.rows import Status
from gitops_workers.core.status.trouble import failing, reason
from gitops_workers.core.text.plural import amount
from gitops_workers.core.text.redact import scrub

SHOWN = 10
"""Applications named at once; the list command shows all."""


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
    if waiting or not read:
        line = f"{len(rows) - waiting} of {amount(len(rows), 'application')} dealt with: {words}"
        return Progress(line, over=False)
    return Progress(f"first sync over, {amount(len(rows), 'application')}: {words}", over=True)


def troubles(rows: Iterable[Status]) -> dict[AppId, str]:
    """Each application with which something is wrong, and why, in one line."""
    return {row.id: " ".join(scrub(reason(row)).split()) for row in rows if failing(row)}


def news(before: Mapping[AppId, str], now: Mapping[AppId, str]) -> list[str]:
    """What has changed among those in trouble: who is new or has another reason, and who is well again."""
    lines = [f"{app}: {why}" for app, why in now.items() if before.get(app) != why]
    lines += [f"{app}: well again" for app in before if app not in now]
    rest = len(lines) - SHOWN
    return lines[:SHOWN] + ([f"and {rest} more: gitops-workers app list --failing"] if rest > 0 else [])


def _dealt_with(row: Status) -> bool:
    """Whether an attempt of its own, or the catalogue, has said something of it, and nothing is under way.

    The moment of its last look says nothing: a quiet poll of its group moves that for applications that nobody has
    looked at yet.
    """
    running = row.operation is not None and row.operation.phase is Phase.RUNNING
    unknown = row.sync is SyncStatus.UNKNOWN and not row.message
    return row.suspended or not (running or unknown)


def _words(rows: Sequence[Status]) -> str:
    counted = Counter("Suspended" if row.suspended else row.sync.value for row in rows)
    return ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
