"""Durations in manifests: Go's syntax with the units ms, s, m and h, bounded when they are read (T27)."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from gitops_workers.dialects.messages import shown, type_name, wrong

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_WHOLE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_TEXT = 32

YEAR = 366 * 24 * 3600.0
DAY = 24 * 3600.0


def parse_duration(text: str) -> float | None:
    """The duration in seconds, None when the text is none. No sign, no bare number, no other unit.

    >>> parse_duration("1h30m"), parse_duration("0.5s"), parse_duration("1xyz"), parse_duration("-1s")
    (5400.0, 0.5, None, None)
    """
    if len(text) > _LONGEST_TEXT or not _WHOLE.fullmatch(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def bounded(low: float, high: float, example: str, *, bare_seconds: bool = False) -> BeforeValidator:
    """A duration between these bounds in seconds. `bare_seconds`: Argo CD reads "5" as five seconds."""
    allowed = f"a duration such as {example}, from {_text(low)} to {_text(high)}"

    def read(value: Any) -> float:
        if not isinstance(value, str):
            number = shown(value) if isinstance(value, int) else type_name(value)
            raise PydanticCustomError("value", "{message}", {"message": f"found {number}, allowed is {allowed}."})
        bare = bare_seconds and value.isascii() and value.isdigit() and len(value) <= _LONGEST_TEXT
        seconds = float(value) if bare else parse_duration(value)
        if seconds is None or not low <= seconds <= high:
            raise wrong(value, allowed)
        return seconds

    return BeforeValidator(read)


def _text(seconds: float) -> str:
    for unit in ("h", "m"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:g}s"


Interval = Annotated[float, bounded(1.0, YEAR, "1m, 10m or 1h30m")]
"""Flux `interval` and `retryInterval`. Under a second is a mistake that would only load the Git server."""
Timeout = Annotated[float, bounded(1.0, DAY, "30s or 5m")]
"""Flux timeouts."""
Window = Annotated[float, bounded(1.0, YEAR, "1h or 90m")]
"""How long a sync window of an AppProject stays open."""
Backoff = Annotated[float, bounded(0.0, DAY, "5s or 3m", bare_seconds=True)]
"""Argo CD `retry.backoff`."""
