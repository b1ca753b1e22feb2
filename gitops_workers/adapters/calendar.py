"""Port `Calendar`: cron expressions in time zones, by cronsim (the evaluator of healthchecks.io)."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from gitops_workers.core.policy.project import SyncWindow
from gitops_workers.dialects.schedules import plain


class CronCalendar:
    """See the port. A window is open from each start of its schedule on, for its duration, the end excluded."""

    def is_open(self, window: SyncWindow, now: float) -> bool:
        """See the port."""
        start = _next(window, now - window.duration)
        return start is not None and start <= now

    def next_change(self, window: SyncWindow, now: float) -> float | None:
        """See the port."""
        start = _next(window, now - window.duration)
        if start is None or start > now:
            return start
        return max(start, _last(window, now) or start) + window.duration


def _next(window: SyncWindow, after: float) -> float | None:
    """The first start later than this moment; both in epoch seconds."""
    # Whole seconds, downwards: a start within the cut-off fraction is still later than the moment.
    return _start(window, math.floor(after), back=False)


def _last(window: SyncWindow, now: float) -> float | None:
    """The last start that is not later. Going there start by start would take seconds where there are many."""
    return _start(window, math.floor(now) + 1, back=True)


def _start(window: SyncWindow, seconds: int, *, back: bool) -> float | None:
    moment = datetime.fromtimestamp(seconds, ZoneInfo(window.time_zone))
    try:
        found = next(CronSim(plain(window.schedule), moment, reverse=back), None)
    except (CronSimError, ValueError):
        return None
    return None if found is None else found.timestamp()
