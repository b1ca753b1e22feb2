"""Reading JSON data as frozen dataclasses. A reader is made once per type: an attempt decodes thousands of rows."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from gitops_workers.core.documents.shapes import Exact, Row, Unfit, is_key, stored_name

Read = Callable[[Any], Any]

_TEXT = {str}


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
    if is_key(hint):
        return _key_reader(hint)
    return _plain_reader(hint)


def _object_reader(kind: type, strict: bool) -> Read:
    hints = get_type_hints(kind)
    fields = [(stored_name(item), item.name, reader(hints[item.name], strict)) for item in dataclasses.fields(kind)]
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
    texts = _leading(hints[item.name] is str for item in fields)
    # A key and then texts, as inventories have thousands; texts and then a dataclass or None, as baselines have.
    key: Any = hints[fields[0].name]
    parts = len(key._fields) if is_key(key) else 0
    simple = parts and all(hints[item.name] is str for item in fields[1:])
    make_last, last, optional_last = columns[-1]
    ending = make_last if optional_last and texts == len(fields) - 1 else None

    def read(row: Any) -> Any:
        if type(row) is not list or len(row) < least or (strict and len(row) > most):
            raise _wrong(row)
        size = len(row)
        if simple and size == most and set(map(type, row)) == _TEXT:
            return kind(key(*row[:parts]), *row[parts:])
        found: list[Any] = []
        if texts and size >= texts and set(map(type, row[:texts])) == _TEXT:
            found = row[:texts]
            if ending is not None and size == texts:
                return kind(*found)
            if ending is not None and size == most:
                return kind(*found, ending(*_some(last, row, texts)))
        at = len(found)
        for make, inner, optional in columns[at:]:
            if at >= size:
                break  # what follows was added by a later release, and has its default
            if make is None:
                found.append(_column(inner[0], row, at))
            elif optional and size < at + len(inner):
                break
            else:
                found.append(make(*_some(inner, row, at)))
            at += len(inner)
        return kind(*found)

    return read


def _leading(truths: Iterable[bool]) -> int:
    """How many are true before the first that is not."""
    return sum(1 for _ in takewhile(bool, truths))


def _some(inner: list[Read], row: list[Any], at: int) -> list[Any]:
    """The columns from this place on, as many as there are readers."""
    try:
        return [read(row[at + place]) for place, read in enumerate(inner)]
    except (Unfit, IndexError):
        return [_column(read, row, at + place) for place, read in enumerate(inner)]  # raises with the place


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
    if is_key(kind):
        return kind, [reader(str, strict)] * len(kind._fields), optional
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return (
            cast("Any", kind),
            [reader(hints[item.name], strict) for item in dataclasses.fields(cast("Any", kind))],
            optional,
        )
    return None, [reader(hint, strict)], False


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
        if type(value) is not str or (found := members.get(value)) is None:
            raise _wrong(value)
        return found

    return read


def _key_reader(kind: Any) -> Read:
    parts = len(kind._fields)

    def read(value: Any) -> Any:
        if type(value) is not str or len(found := value.split("|")) != parts:
            raise _wrong(value)
        return kind(*found)

    return read


def _plain_reader(kind: Any) -> Read:
    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        raise _wrong(value)

    return read


def _has_default(item: dataclasses.Field[Any]) -> bool:
    return item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING


def _wrong(value: Any) -> Unfit:
    return Unfit(f"{{}} is {type(value).__name__}, which does not fit")
