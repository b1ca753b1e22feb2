"""Frozen dataclasses as JSON data and back, for what is stored and read by another process or another release.

Whatever does not fit is a ValueError that names the field: nobody guesses what a stored value may have meant. What a
class does not know is ignored or refused, as the reader says. The readers are made once per type, for an attempt
decodes thousands of rows.

A dataclass is an object by the names of its fields (`stored_as` gives another name); one that derives from `Row` is a
list of its fields in their order, with the dataclasses and keys in it laid flat. A NamedTuple of texts is one text
joined by `|`, which no part of a Kubernetes identity can hold.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Read = Callable[[Any], Any]

_TEXT = {str}
_STORED_AS = "stored_as"


class Row:
    """A dataclass that is stored as a list: what an application of 5,000 objects has thousands of.

    Later releases add fields at the end. A dataclass or None stands at the end, and is left off when it is None.
    """

    __slots__ = ()


class Exact:
    """A dataclass in which an unknown field does not fit: it may be the better part of a person's will."""

    __slots__ = ()


class Unfit(ValueError):
    """A value that does not fit: where it stands, and what is wrong there."""

    def __init__(self, words: str, place: str = "") -> None:
        """`words` has one `{}` for the place, which is built on the way out of the readers."""
        super().__init__(words, place)
        self._words = words
        self._place = place

    def inside(self, part: str) -> Unfit:
        """The same, seen from one level further out; `part` is a field's name or `[index]`."""
        joint = "" if not self._place or self._place.startswith("[") else "."
        return Unfit(self._words, f"{part}{joint}{self._place}")

    def named(self, whole: str) -> Unfit:
        """The same, with a name for the value as a whole where that is what does not fit."""
        return self if self._place else Unfit(self._words, whole)

    def __str__(self) -> str:
        """One clause for people; a name of somebody else's making is cut short."""
        return self._words.format(self._place[:200])


def stored_as(name: str) -> dict[str, str]:
    """The metadata of a field that has another name in JSON."""
    return {_STORED_AS: name}


def dump(value: Any, *, whole: bool = False) -> Any:
    """JSON data: objects, lists, texts, numbers. Fields that have their default are left out unless `whole`.

    >>> from gitops_workers.core.model import Destination
    >>> dump(Destination(name="east"))
    {'name': 'east'}
    """
    if isinstance(value, str):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, Row):
        return [dump(item, whole=whole) for item in _flat(value)]
    if dataclasses.is_dataclass(value):
        pairs = ((item, getattr(value, item.name)) for item in dataclasses.fields(value))
        return {
            item.metadata.get(_STORED_AS, item.name): dump(found, whole=whole)
            for item, found in pairs
            if whole or not _is_default(item, found)
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return "|".join(value) if hasattr(value, "_fields") else [dump(item, whole=whole) for item in value]
    if isinstance(value, Mapping):
        return {dump(key): dump(item, whole=whole) for key, item in value.items()}
    return value


def load(kind: type[T], value: Any, *, strict: bool = True) -> T:
    """The value of this type in JSON data. Raises ValueError; `strict`: also for a field that is unknown here."""
    try:
        found: T = reader(cast("Any", kind), strict)(value)
    except Unfit as error:
        raise error.named(getattr(kind, "__name__", "document")) from None
    return found


@functools.cache
def reader(hint: Any, strict: bool) -> Read:
    """What reads JSON data as this type. It raises Unfit."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (kind,) = (item for item in get_args(hint) if item is not type(None))
        inner = reader(kind, strict)
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        return _tuple_reader(get_args(hint), strict)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key, item = get_args(hint)
        return _mapping_reader(reader(key, strict), reader(item, strict))
    if dataclasses.is_dataclass(hint):
        kind = cast("type", hint)
        return (
            _row_reader(kind, strict)
            if issubclass(kind, Row)
            else _object_reader(kind, strict or issubclass(kind, Exact))
        )
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum_reader(hint)
    if _is_key(hint):
        return _key_reader(hint)
    return _plain_reader(hint)


def _object_reader(kind: type, strict: bool) -> Read:
    hints = get_type_hints(kind)
    fields = [
        (item.metadata.get(_STORED_AS, item.name), item.name, reader(hints[item.name], strict))
        for item in dataclasses.fields(kind)
    ]
    names = frozenset(name for name, _, _ in fields)
    missing = tuple((attribute, name) for name, attribute, _ in fields)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _wrong(value)
        if strict and not value.keys() <= names:
            unknown = min(str(name) for name in value.keys() - names)
            raise Unfit("unknown field {}", unknown[:80])
        found = {}
        name = ""
        try:
            for name, attribute, inner in fields:
                if name in value:
                    found[attribute] = inner(value[name])
        except Unfit as error:
            raise error.inside(name) from None
        try:
            return kind(**found)
        except TypeError:
            absent = next((name for attribute, name in missing if attribute not in found), "")
            raise Unfit("field {} is missing", absent) from None

    return read


def _row_reader(kind: type, strict: bool) -> Read:
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    columns = [_columns(hints[item.name], strict) for item in fields]
    least = sum(len(inner) for item, (_, inner, _) in zip(fields, columns, strict=True) if not _has_default(item))
    most = sum(len(inner) for _, inner, _ in columns)

    def read(row: Any) -> Any:
        if type(row) is not list or len(row) < least or (strict and len(row) > most):
            raise _wrong(row)
        at, found, size = 0, [], len(row)
        for make, inner, optional in columns:
            if at >= size:
                break  # what follows was added by a later release, and has its default
            if make is None:
                found.append(_column(inner[0], row, at))
            elif optional and size < at + len(inner):
                break
            else:
                found.append(make(*[_column(read_it, row, at + place) for place, read_it in enumerate(inner)]))
            at += len(inner)
        return kind(*found)

    return read


def _column(inner: Read, row: list[Any], at: int) -> Any:
    try:
        return inner(row[at])
    except IndexError:
        raise _wrong(row) from None
    except Unfit as error:
        raise error.inside(f"[{at}]") from None


def _columns(hint: Any, strict: bool) -> tuple[Callable[..., Any] | None, list[Read], bool]:
    """(what makes the field's value of several columns, their readers, whether all of them may be left off)."""
    optional = get_origin(hint) in (Union, types.UnionType)
    kind = next(item for item in get_args(hint) if item is not type(None)) if optional else hint
    if _is_key(kind):
        return kind, [reader(str, strict)] * len(kind._fields), optional
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return (
            cast("Any", kind),
            [reader(hints[item.name], strict) for item in dataclasses.fields(cast("Any", kind))],
            optional,
        )
    return None, [reader(hint, strict)], False


def _flat(row: Any) -> list[Any]:
    found: list[Any] = []
    for item in dataclasses.fields(row):
        value = getattr(row, item.name)
        if dataclasses.is_dataclass(value):
            found += _flat(value)
        elif hasattr(value, "_fields"):
            found += value
        elif value is not None:
            found.append(value)
    return found


def _tuple_reader(kinds: tuple[Any, ...], strict: bool) -> Read:
    inner = [reader(kind, strict) for kind in kinds if kind is not ...]
    if kinds[-1] is not ...:

        def read_each(value: Any) -> Any:
            if type(value) is not list or len(value) < len(inner) or (strict and len(value) > len(inner)):
                raise _wrong(value)
            return tuple(_column(one, value, place) for place, one in enumerate(inner))

        return read_each

    one = inner[0]

    def read_all(value: Any) -> Any:
        if type(value) is not list:
            raise _wrong(value)
        if kinds[0] is str and set(map(type, value)) <= _TEXT:
            return tuple(value)
        return tuple(_column(one, value, place) for place in range(len(value)))

    return read_all


def _mapping_reader(read_key: Read, read_item: Read) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _wrong(value)
        key = ""
        try:
            return {read_key(key): read_item(item) for key, item in value.items()}
        except Unfit:
            for key, item in value.items():
                try:
                    read_key(key), read_item(item)
                except Unfit as error:
                    raise error.inside(key[:80]) from None
            raise

    return read


def _enum_reader(kind: type[enum.Enum]) -> Read:
    members = {item.value: item for item in kind}

    def read(value: Any) -> Any:
        if type(value) is str and value in members:
            return members[value]
        raise _wrong(value)

    return read


def _key_reader(kind: Any) -> Read:
    parts = len(kind._fields)

    def read(value: Any) -> Any:
        if type(value) is not str or value.count("|") != parts - 1:
            raise _wrong(value)
        return kind(*value.split("|"))

    return read


def _plain_reader(kind: Any) -> Read:
    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        raise _wrong(value)

    return read


def _is_key(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields")


def _has_default(item: dataclasses.Field[Any]) -> bool:
    return item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING


def _is_default(item: dataclasses.Field[Any], value: Any) -> bool:
    default = item.default
    if item.default_factory is not dataclasses.MISSING:
        default = item.default_factory()
    return default is not dataclasses.MISSING and bool(default == value)


def _wrong(value: Any) -> Unfit:
    return Unfit(f"{{}} is {type(value).__name__}, which does not fit")
