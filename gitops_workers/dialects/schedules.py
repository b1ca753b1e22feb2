"""Cron expressions and time zones as AppProjects write them.

The grammar is that of Argo CD 3.5 (robfig/cron v3, five fields, no descriptors), which is not Debian's: the days of the
month and of the week are alternatives unless one of them is `*` or `?` in full, so `*/2` is no star. What is evaluated
is the same schedule spelled out for cronsim.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_STARS = ("*", "?")
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}


@dataclass(frozen=True, slots=True)
class _Field:
    title: str
    least: int
    most: int
    names: tuple[tuple[str, int], ...] = ()


_MINUTE, _HOUR = _Field("minute", 0, 59), _Field("hour", 0, 23)
_DAY, _MONTH = _Field("day of the month", 1, 31), _Field("month", 1, 12, tuple(_MONTHS.items()))
_WEEKDAY = _Field("day of the week", 0, 6, tuple(_DAYS.items()))
_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


@lru_cache(maxsize=1024)
def plain(schedule: str) -> str:
    """The schedule for cronsim: five fields, each a star, a star with a step, or a list of numbers.

    Raises ValueError that says what is wrong. `@daily` and its like are read for the sake of projects that are stored.

    >>> plain("0 22 ? * MON-FRI"), plain("0 0 1,15 * 1"), plain("0 */6 */10 * 1")
    ('0 22 * * 1,2,3,4,5', '0 0 1,15 * 1', '0 */6 1,11,21,31 * 1')
    """
    text = schedule.strip()
    parts = _MACROS.get(text.lower(), text).split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            f"a schedule has {len(_FIELDS)} fields: minute, hour, day of the month, month, day of the week"
        )
    return " ".join(_spelled(field, part) for field, part in zip(_FIELDS, parts, strict=True))


def problem(schedule: str, time_zone: str) -> str:
    """What is wrong with a schedule or a time zone, "" when both can be used."""
    try:
        ZoneInfo(time_zone)
    except (ValueError, OSError, KeyError):
        return f"the time zone {time_zone[:50]!r} is unknown"
    text = schedule.strip()
    if text.startswith("@"):
        meant = _MACROS.get(text.lower())
        return "Argo CD knows no descriptors" + (f": write {meant!r}" if meant else ": write five fields")
    try:
        CronSim(plain(schedule), datetime(2026, 1, 1, tzinfo=UTC))
    except ValueError as error:
        return str(error)
    except CronSimError:
        return "no month that it names has such a day, so it never comes"
    return ""


def _spelled(field: _Field, text: str) -> str:
    values: set[int] = set()
    star = False
    terms = [term for term in text.split(",") if term]
    for term in terms:
        found, whole = _term(field, term)
        values |= found
        star = star or whole
    if not values:
        raise ValueError(f"the {field.title} {text[:20]!r} is empty")
    if star or (field not in (_DAY, _WEEKDAY) and len(values) > field.most - field.least):
        return "*"
    if len(terms) == 1 and terms[0][0] in _STARS and field in (_MINUTE, _HOUR):
        # cronsim keeps to the clock on the wall, as Argo CD does, for what begins with a star.
        return "*" + terms[0].lstrip("*?")
    return ",".join(map(str, sorted(values)))


def _term(field: _Field, term: str) -> tuple[set[int], bool]:
    """The values of one term of a list, and whether it is a star in full."""
    found = re.fullmatch(r"([^/-]+)(?:-([^/-]+))?(?:/([0-9]+))?", term)
    if found is None:
        raise ValueError(f"the {field.title} has {term[:20]!r}, which is no number, range or step")
    first, last, step = found[1], found[2], int(found[3] or 1)
    if step == 0:
        raise ValueError(f"the {field.title} has a step of 0")
    if first in _STARS:
        return set(range(field.least, field.most + 1, step)), step == 1
    start = _number(field, first)
    end = _number(field, last) if last else start
    if last is None and found[3]:
        end = field.most
    if start > end:
        raise ValueError(f"the {field.title} has {term[:20]!r}, which ends before it begins")
    return set(range(start, end + 1, step)), False


def _number(field: _Field, text: str) -> int:
    named = dict(field.names).get(text.lower())
    if named is not None:
        return named
    if not text.isascii() or not text.isdigit() or not field.least <= int(text[:9]) <= field.most:
        hint = " (0 or SUN is Sunday)" if field is _WEEKDAY and text == "7" else ""
        raise ValueError(f"the {field.title} has {text[:20]!r}, allowed is {field.least} to {field.most}{hint}")
    return int(text)
