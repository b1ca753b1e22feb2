"""Whether what a row says may still be believed."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.status.listing import epoch
from gitops_workers.core.status.rows import Status

INTERVALS = 2
"""A look that is late by a whole interval did not come; one that is late by less is on its way."""
SHORTEST = 60.0
"""Seconds: below it, intervals are for tests, and a moment's queue is no news."""


def marked(status: Status, now: float) -> Status:
    """The row with `stale` as it is at `now` (epoch s of the store's clock)."""
    stale = is_stale(status, now)
    return status if status.stale == stale else replace(status, stale=stale)


def is_stale(status: Status, now: float) -> bool:
    """Whether nobody has looked for twice the interval. A suspended application is not looked at, and says so."""
    if status.suspended or not status.interval:
        return False
    return now - epoch(status.last_checked_at or status.changed_at) > max(SHORTEST, INTERVALS * status.interval)
