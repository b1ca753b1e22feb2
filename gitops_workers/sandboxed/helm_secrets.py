"""Values that no message may repeat: a chart's schema and `fail` quote what they dislike, passwords included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = re.compile(
    r"passw|passphrase|pass$|pwd|secret|token|credential|private|(?:api|access)_?key|auth$", re.IGNORECASE
)
_SHORTEST = 4
"""Characters: shorter ones stand in every message, and so does what is no secret (`true`)."""
_PLAIN = frozenset({"true", "false", "null", "none"})


def of_parameter(name: str, value: str) -> Iterator[str]:
    """The value of a parameter whose name says that it is secret."""
    if _NAMES.search(name) and _tells(value):
        yield value


def of_values(value: Any, *, named: bool = False) -> Iterator[str]:
    """All texts and numbers below a name that says so; `named`: this value stands below one."""
    if isinstance(value, Mapping):
        # The form of environment variables: {name: DB_PASSWORD, value: ...}.
        within = named or bool(_NAMES.search(str(value.get("name", ""))))
        for name, inner in value.items():
            yield from of_values(inner, named=bool(_NAMES.search(str(name))) or (within and name != "name"))
    elif isinstance(value, list):
        for inner in value:
            yield from of_values(inner, named=named)
    elif named and _tells(str(value)):
        yield str(value)


def _tells(value: str) -> bool:
    return len(value) >= _SHORTEST and value.lower() not in _PLAIN
