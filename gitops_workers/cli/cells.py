"""How single values are written in tables. Pure, the present moment is an argument."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def age(at: str | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits; "-" for no time.

    >>> age("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, 3, 20, tzinfo=UTC)), age("", datetime.now(UTC))
    ('3m', '-')
    """
    if not at:
        return "-"
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return at
    seconds = (now - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def short(revision: str) -> str:
    """A commit cut to eight digits, anything else as it is; "-" for none."""
    return (revision[:8] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", revision) else revision) or "-"


def shortened(text: str, room: int = 100) -> str:
    """The beginning of a text that is too long for a table; `-o wide` and `app get` show all of it.

    >>> shortened("a long reason", 8), shortened("short", 8)
    ('a long …', 'short')
    """
    return text if len(text) <= room else f"{text[: room - 1]}…"


def revision(ref: str, commit: str) -> str:
    """`main (1a2b3c4d)`, or the commit alone.

    >>> revision("main", "0" * 40), revision("", "")
    ('main (00000000)', '-')
    """
    return f"{ref} ({short(commit)})" if ref and commit and ref != commit else short(commit or ref)
