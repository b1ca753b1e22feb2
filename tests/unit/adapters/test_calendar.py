"""When windows are open: cron in time zones, over changes of the clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gitops_workers.adapters.calendar import CronCalendar
from gitops_workers.core.project import SyncWindow, WindowKind
from gitops_workers.dialects.schedules import problem

HOUR = 3600.0


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def window(schedule: str, hours: float = 1.0, zone: str = "UTC") -> SyncWindow:
    return SyncWindow(WindowKind.ALLOW, schedule, hours * HOUR, zone)


@pytest.mark.parametrize(
    ("found", "moment", "is_open"),
    [
        (window("0 22 * * *"), at("2026-03-02 21:59:59"), False),
        (window("0 22 * * *"), at("2026-03-02 22:00:00"), True),
        (window("0 22 * * *"), at("2026-03-02 22:59:59.9"), True),
        (window("0 22 * * *"), at("2026-03-02 23:00:00"), False),
        (window("0 22 * * *", 24), at("2026-03-02 12:00:00"), True),
        (window("0 22 * * FRI", 48), at("2026-03-01 20:00:00"), True),  # a Sunday
        (window("0 22 * * FRI", 48), at("2026-03-02 20:00:00"), False),
        (window("@daily", 2), at("2026-03-02 01:00:00"), True),
        (window("0 22 ? * *"), at("2026-03-02 22:30:00"), True),
        (window("*/10 * * * *", 1 / 12), at("2026-03-02 22:07:00"), False),
        (window("0 22 * * *", 1, "Asia/Tokyo"), at("2026-03-02 13:30:00"), True),
        (window("0 22 * * *", 1, "Asia/Tokyo"), at("2026-03-02 22:30:00"), False),
        (window("0 9 * * *", 1, "Europe/Berlin"), at("2026-03-28 09:30", "Europe/Berlin"), True),
        (window("0 9 * * *", 1, "Europe/Berlin"), at("2026-03-29 09:30", "Europe/Berlin"), True),
        (window("0 0 30 2 *"), at("2026-03-02 00:00:00"), False),
    ],
)
def test_when_a_window_is_open(found: SyncWindow, moment: float, is_open: bool):
    assert CronCalendar().is_open(found, moment) is is_open


@pytest.mark.parametrize(
    ("found", "moment", "change"),
    [
        (window("0 22 * * *"), at("2026-03-02 12:00:00"), at("2026-03-02 22:00:00")),
        (window("0 22 * * *"), at("2026-03-02 22:30:00"), at("2026-03-02 23:00:00")),
        (window("0 * * * *", 1.5), at("2026-03-02 22:10:00"), at("2026-03-02 23:30:00")),
        (window("* * * * *", 24), at("2026-03-02 22:00:00"), at("2026-03-03 22:00:00")),
        (window("* * * * *", 24), at("2026-03-02 22:00:59.9"), at("2026-03-03 22:00:00")),
        (window("0 1 * * *", 48, "Europe/Berlin"), at("2026-03-29 12:00:00"), at("2026-03-31 00:00:00")),
        (window("30 2 * * *", 48, "Europe/Berlin"), at("2026-10-25 12:00:00"), at("2026-10-27 00:30:00")),
        (window("0 0 30 2 *"), at("2026-03-02 12:00:00"), None),
    ],
)
def test_when_that_changes(found: SyncWindow, moment: float, change: float | None):
    assert CronCalendar().next_change(found, moment) == change


@pytest.mark.parametrize(
    ("schedule", "zone", "said"),
    [
        ("0 22 * * *", "UTC", ""),
        ("@weekly", "Europe/Berlin", ""),
        ("0 25 * * *", "UTC", "bad hour"),
        ("0 22 * *", "UTC", "5 fields"),
        ("0 0 22 * * *", "UTC", "5 fields"),
        ("@every 1h", "UTC", "5 fields"),
        ("0 22 * * *", "Mars/Olympus", "time zone"),
        ("0 22 * * *", "../../etc/passwd", "time zone"),
    ],
)
def test_what_is_wrong_with_a_schedule(schedule: str, zone: str, said: str):
    assert said in problem(schedule, zone)
    assert bool(problem(schedule, zone)) is bool(said)
