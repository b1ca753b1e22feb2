"""Fields of a mapping as Go's JSON decoder finds them: whatever their case is (`Resources`, `FILES`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_workers.core.errors import RenderFailed, UnsafeContent


def canonical(content: Mapping[str, Any], names: Iterable[str], place: str) -> dict[str, Any]:
    """Return the mapping with its known fields in their usual spelling. Raises UnsafeContent for one in two of them."""
    known = {name.casefold(): name for name in names}
    result: dict[str, Any] = {}
    for key, value in content.items():
        name = known.get(key.casefold(), key)
        if name in result:
            raise UnsafeContent(f"{place}: {name} is there in two spellings; keep one")
        result[name] = value
    return result


def field(content: Mapping[str, Any], name: str, place: str) -> Any:
    """The value of a field, None where it is missing."""
    return canonical(content, (name,), place).get(name)


def text(content: Mapping[str, Any], name: str, place: str) -> str:
    """The text of a field, "" where it is missing or null."""
    value = field(content, name, place) or ""
    if not isinstance(value, str):
        raise RenderFailed(f"{place}: {name} must be a text")
    return value


def texts(content: Mapping[str, Any], name: str, place: str) -> list[str]:
    """The texts of a list."""
    values = field(content, name, place) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RenderFailed(f"{place}: {name} must be a list of texts")
    return values


def mappings(content: Mapping[str, Any], name: str, place: str) -> list[dict[str, Any]]:
    """The mappings of a list."""
    values = field(content, name, place) or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise RenderFailed(f"{place}: {name} must be a list of mappings")
    return values
