"""Writing frozen dataclasses as JSON data. A writer is made once per type."""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from gitops_workers.core.documents.shapes import Row, is_key, stored_name

Write = Callable[[Any], Any]

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types of JSON that are written as they are."""


@functools.cache
def writer(kind: Any, whole: bool) -> Write:
    """What writes values of this very type."""
    if kind in _PLAIN:
        return _same
    if issubclass(kind, enum.Enum):
        return attrgetter("value")
    if issubclass(kind, Row):
        return _row_writer(kind, whole)
    if dataclasses.is_dataclass(kind):
        return _object_writer(kind, whole)
    if is_key(kind):
        return "|".join
    if issubclass(kind, tuple):
        return lambda value: [_write(item, whole) for item in value]
    if issubclass(kind, Mapping):
        return lambda value: {_write(key, whole): _write(item, whole) for key, item in value.items()}
    return _same


def _write(value: Any, whole: bool) -> Any:
    kind: Any = type(value)
    return value if kind in _PLAIN else writer(kind, whole)(value)


def _same(value: Any) -> Any:
    return value


def _object_writer(kind: Any, whole: bool) -> Write:
    fields = [(item.name, stored_name(item), _default(item)) for item in dataclasses.fields(kind)]

    def write(value: Any) -> Any:
        found = {}
        for attribute, name, default in fields:
            item = getattr(value, attribute)
            if whole or default is dataclasses.MISSING or item != default:
                found[name] = _write(item, whole)
        return found

    return write


def _row_writer(kind: Any, whole: bool) -> Write:
    """Writes any dataclass as a list."""
    names = [item.name for item in dataclasses.fields(kind)]
    values_of: Callable[[Any], Any] = attrgetter(*names) if len(names) > 1 else lambda row: (getattr(row, names[0]),)

    inner: dict[Any, Callable[[list[Any], Any], None]] = {}

    def write(row: Any) -> list[Any]:
        found: list[Any] = []
        for item in values_of(row):
            column: Any = type(item)
            if column is str:
                found.append(item)
            elif item is not None:
                if column not in inner:
                    inner[column] = _flat_writer(column, whole)
                inner[column](found, item)
        return found

    return write


@functools.cache
def _flat_writer(kind: Any, whole: bool) -> Callable[[list[Any], Any], None]:
    """What adds a value of this type to the columns of a row."""
    if kind in _PLAIN:
        return list.append
    if is_key(kind):
        return list.extend
    if issubclass(kind, enum.Enum):
        texts = {item: item.value for item in kind}
        return lambda found, item: found.append(texts[item])
    if dataclasses.is_dataclass(kind):
        write = _row_writer(kind, whole)
        return lambda found, item: found.extend(write(item))
    return lambda found, item: found.append(writer(kind, whole)(item))


def _default(item: dataclasses.Field[Any]) -> Any:
    return item.default if item.default_factory is dataclasses.MISSING else item.default_factory()
