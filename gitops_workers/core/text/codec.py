"""Frozen dataclasses as JSON data and back, for what is stored and read by another process or a later version.

Fields that have their default are left out, so that what is stored stays small and a field that is added later changes
nothing. Whatever does not fit is a ValueError that names the field: nobody guesses what a stored value may have meant.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def dump(value: Any) -> Any:
    """JSON data: objects, lists, texts, numbers.

    >>> from gitops_workers.core.model import Destination
    >>> dump(Destination(name="east"))
    {'name': 'east'}
    """
    if dataclasses.is_dataclass(value):
        pairs = ((item, getattr(value, item.name)) for item in dataclasses.fields(value))
        return {item.name: dump(found) for item, found in pairs if not _is_default(item, found)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [dump(item) for item in value]
    return value


def load(kind: type[T], value: Any, place: str = "") -> T:
    """The dataclass in JSON data. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise _wrong(place or kind.__name__, value)
    hints = _hints(cast("Any", kind))
    if unknown := sorted(map(str, set(value) - set(hints))):
        raise ValueError(f"unknown field {place + '.' if place else ''}{unknown[0][:80]}")
    found = {name: _read(hints[name], item, f"{place}.{name}" if place else name) for name, item in value.items()}
    try:
        return kind(**found)
    except TypeError:
        missing = next(item.name for item in dataclasses.fields(cast("Any", kind)) if item.name not in found)
        raise ValueError(f"field {place + '.' if place else ''}{missing} is missing") from None


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _is_default(item: dataclasses.Field[Any], value: Any) -> bool:
    default = item.default
    if item.default_factory is not dataclasses.MISSING:
        default = item.default_factory()
    return default is not dataclasses.MISSING and bool(default == value)


def _read(hint: Any, value: Any, place: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (kind,) = (item for item in get_args(hint) if item is not type(None))
        return None if value is None else _read(kind, value, place)
    if origin is tuple:
        return _tuple(get_args(hint), value, place)
    if dataclasses.is_dataclass(hint):
        return load(cast("type[Any]", hint), value, place)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        try:
            return hint(value)
        except ValueError:
            raise _wrong(place, value) from None
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise _wrong(place, value)
    return value


def _tuple(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(place, value)
    if kinds[-1] is ...:
        return tuple(_read(kinds[0], item, f"{place}[{number}]") for number, item in enumerate(value))
    if len(value) != len(kinds):
        raise _wrong(place, value)
    return tuple(
        _read(kind, item, f"{place}[{number}]") for number, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _wrong(place: str, value: Any) -> ValueError:
    return ValueError(f"{place} is {type(value).__name__}, which does not fit")
