"""How moments and spans are written: in statuses and events, and in sentences for people."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def utc(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, whole seconds.

    >>> utc(1_800_000_000.7)
    '2027-01-15T08:00:00Z'
    """
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def stamp(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, with milliseconds; 0 is no time.

    >>> stamp(1_800_000_000.7)
    '2027-01-15T08:00:00.700Z'
    """
    if not seconds:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(seconds: float) -> str:
    """A length of time, cut to its largest unit.

    >>> span(0.4), span(42), span(3_700)
    ('0 s', '42 s', '1 h')
    """
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def since(moment: float, now: float) -> str:
    """`2027-01-15T08:00:00Z, 42 s ago`; `in 42 s` for what is to come."""
    distance = f"{span(now - moment)} ago" if moment <= now else f"in {span(moment - now)}"
    return f"{utc(moment)}, {distance}"
