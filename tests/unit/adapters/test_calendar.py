"""When windows are open: cron in time zones, over changes of the clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gitops_workers.adapters.calendar import CronCalendar
from gitops_workers.core.policy.project import SyncWindow, WindowKind
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


WEEK = "2026-06-0{} 12:00:00"
"""June 2026 begins on a Monday."""


@pytest.mark.parametrize(
    ("days", "open_on"),
    [
        # robfig/cron v3: alternatives, unless one of the two is a star in full.
        ("3 * 1", {1, 3}),
        ("3 * MON", {1, 3}),
        ("* * 1", {1}),
        ("? * 1", {1}),
        ("3 * *", {3}),
        ("3 * ?", {3}),
        ("*/2 * 2", {1, 2, 3, 5, 7}),
        ("?/2 * 2", {1, 2, 3, 5, 7}),
        ("*/1 * 2", {2}),
        ("2/3 * 1", {1, 2, 5}),
        ("1,* * 2", {2}),
        ("1-31 * 2", {1, 2, 3, 4, 5, 6, 7}),
        ("3 * 0-6", {1, 2, 3, 4, 5, 6, 7}),
        ("3 * */3", {3, 6, 7}),
        ("3 * sun,WED-Thu", {3, 4, 7}),
        ("3,,5 * *", {3, 5}),
        ("* JUN-aug 0", {7}),
        ("* 7 *", set()),
    ],
)
def test_days_of_month_and_week_are_alternatives_as_in_argo_cd(days: str, open_on: set[int]):
    found = window(f"0 0 {days}", 24)

    assert {day for day in range(1, 8) if CronCalendar().is_open(found, at(WEEK.format(day)))} == open_on


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [("0 */6 * * *", 4), ("0 0/6 * * *", 4), ("0 0-23/6 * * *", 4), ("0 ? * * *", 24), ("0 1,1-2 * * *", 2)],
)
def test_steps_and_ranges_of_hours(schedule: str, hours: int):
    found = window(schedule, 0.5)
    day = at("2026-06-01 00:15:00")

    assert sum(CronCalendar().is_open(found, day + hour * HOUR) for hour in range(24)) == hours


@pytest.mark.parametrize(
    ("schedule", "zone", "said"),
    [
        ("0 22 * * *", "UTC", ""),
        ("0 22 ? jan-MAR Mon,fri", "Europe/Berlin", ""),
        ("0/15 1-5/2 */2 * *", "UTC", ""),
        ("0 25 * * *", "UTC", "hour has '25', allowed is 0 to 23"),
        ("0 22 * * 7", "UTC", "0 or SUN is Sunday"),
        ("0 22 * * MON-7", "UTC", "0 or SUN is Sunday"),
        ("0 22 0 * *", "UTC", "day of the month has '0'"),
        ("0 22 * 13 *", "UTC", "month has '13'"),
        ("0 22 * * FRI-MON", "UTC", "ends before it begins"),
        ("*/0 22 * * *", "UTC", "step of 0"),
        ("1-2-3 22 * * *", "UTC", "no number, range or step"),
        ("1/2/3 22 * * *", "UTC", "no number, range or step"),
        ("-1 22 * * *", "UTC", "no number, range or step"),
        ("0 22 L * *", "UTC", "day of the month has 'L'"),
        ("0 22 * * MON#1", "UTC", "day of the week has 'MON#1'"),
        ("@daily", "UTC", "no descriptors: write '0 0 * * *'"),
        ("0 22 * *", "UTC", "5 fields"),
        ("0 0 22 * * *", "UTC", "5 fields"),
        ("@every 1h", "UTC", "no descriptors: write five fields"),
        ("0 22 * * *", "Mars/Olympus", "time zone"),
        ("0 22 * * *", "../../etc/passwd", "time zone"),
    ],
)
def test_what_is_wrong_with_a_schedule(schedule: str, zone: str, said: str):
    assert said in problem(schedule, zone)
    assert bool(problem(schedule, zone)) is bool(said)
