"""Paths and templates, by which health rules read an object.

Objects come from API servers of any quality, so reading never fails: what is not there, or of another shape, is None.

A path is dot-separated keys (`status.phase`); a key with dots stands in quotes
(`metadata.annotations.'cnpg.io/hibernation'`), a number is a list index, and `@Ready.message` reads the first condition
of that type. A template holds paths: `{status.phase}`, `{a|b?text}` for the first path that is not empty.
"""

from __future__ import annotations

import functools
import re
from typing import Any

_KEYS = re.compile(r"@?'[^']*'|[^.]+")
_HOLE = re.compile(r"\{([^{}]+)\}")


@functools.lru_cache(maxsize=4096)
def _keys(path: str) -> tuple[str, ...]:
    return tuple(key.replace("'", "") for key in _KEYS.findall(path))


def read(value: Any, path: str) -> Any:
    """What stands at the path, or None.

    >>> read({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, "@Ready.status")
    'True'
    """
    for key in _keys(path):
        if key.startswith("@"):
            value = condition(value, key[1:])
        elif isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value


def items(value: Any, path: str) -> list[dict[str, Any]]:
    """The objects of the list at the path; everything else in it is ignored."""
    found = read(value, path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def condition(obj: Any, kind: str) -> dict[str, Any] | None:
    """The first condition of the type."""
    return next((item for item in items(obj, "status.conditions") if item.get("type") == kind), None)


def number(value: Any, path: str, default: float = 0) -> int | float:
    """The number at the path; what is no number counts as the default."""
    found = read(value, path)
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else default


def text(value: Any, path: str, default: str = "") -> str:
    """The value at the path as Argo CD's rules print it; nothing and an empty text give the default."""
    found = read(value, path)
    if found is None or found == "":
        return default
    if isinstance(found, bool):
        return "true" if found else "false"
    return f"{found:.14g}" if isinstance(found, float) else str(found)


def fill(template: str, value: Any) -> str:
    """The template with its holes filled from the value."""
    return _HOLE.sub(lambda hole: _hole(hole.group(1), value), template)


def _hole(hole: str, value: Any) -> str:
    paths, _, default = hole.partition("?")
    return next((found for found in (text(value, path) for path in paths.split("|")) if found), default)
