"""Cron expressions and time zones as AppProjects write them (Argo CD: robfig/cron, standard parser)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS = 5
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def plain(schedule: str) -> str:
    """The five fields that a schedule stands for.

    >>> plain("@daily"), plain("0 22 ? * MON-FRI")
    ('0 0 * * *', '0 22 * * MON-FRI')
    """
    text = schedule.strip()
    return _MACROS.get(text.lower(), text).replace("?", "*")


def problem(schedule: str, time_zone: str) -> str:
    """What is wrong with a schedule or a time zone, "" when both can be used."""
    try:
        ZoneInfo(time_zone)
    except (ValueError, OSError, KeyError):
        return f"the time zone {time_zone[:50]!r} is unknown"
    text = plain(schedule)
    if len(text.split()) != FIELDS:
        return f"a schedule has {FIELDS} fields, or is @hourly, @daily, @weekly, @monthly or @yearly"
    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return str(error).lower()
    return ""
