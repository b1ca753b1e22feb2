"""Places in JSON data: reading, removing, and finding the same place in another version of an object.

A place is a tuple of keys and list indexes. Items of lists are the same in two versions when they have the same name
(or key, port ...), as a strategic merge sees them; else when they stand at the same index.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

Place = tuple[str | int, ...]

MERGE_KEYS: Final = (
    "name",
    "key",
    "type",
    "containerPort",
    "port",
    "mountPath",
    "devicePath",
    "ip",
    "topologyKey",
    "uid",
)
"""What tells items of Kubernetes' lists apart, the most telling first."""


class _Nothing:
    """No value at this place: None is a value."""


NOTHING: Final = _Nothing()


def pointer(text: str) -> Place:
    """The place of a JSON pointer (RFC 6901). Digits stay text until they meet a list.

    >>> pointer("/metadata/annotations/a.b~1c")
    ('metadata', 'annotations', 'a.b/c')
    """
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def at(value: Any, place: Place) -> Any:
    """What stands there, or NOTHING."""
    for part in place:
        value = _child(value, part)
        if value is NOTHING:
            return NOTHING
    return value


def without(value: Any, places: Iterable[Place]) -> Any:
    """A copy in which nothing stands at these places; maps that this empties go with it. The rest is shared."""
    tree: dict[str | int, Any] = {}
    for place in places:
        if place:
            _grow(tree, place)
    return _pruned(value, tree) if tree else value


def replaced(value: Any, place: Place, new: Any) -> Any:
    """A copy with another value at a place that exists."""
    if not place:
        return new
    index = _index(value, place[0])
    if isinstance(value, list) and isinstance(index, int):
        return [replaced(item, place[1:], new) if at_ == index else item for at_, item in enumerate(value)]
    return {**value, index: replaced(value[index], place[1:], new)}


def counterpart(place: Place, here: Any, there: Any) -> Place | None:
    """The same place in another version of the object; None when there is none."""
    found: list[str | int] = []
    for part in place:
        index: str | int | None = _index(here, part)
        item = _child(here, part)
        if item is NOTHING:
            return None
        if isinstance(here, list):
            index = _same_item(item, here, there) if isinstance(there, list) else None
        if index is None or _child(there, index) is NOTHING:
            return None
        found.append(index)
        here, there = item, _child(there, index)
    return tuple(found)


def _grow(tree: dict[str | int, Any], place: Place) -> None:
    for part in place[:-1]:
        inner = tree.setdefault(part, {})
        if inner is None:
            return  # all of it goes
        tree = inner
    tree[place[-1]] = None


def _pruned(value: Any, tree: dict[str | int, Any]) -> Any:
    if isinstance(value, list):
        branches = {index: inner for part, inner in tree.items() if isinstance(index := _index(value, part), int)}
        return [
            _pruned(item, branches[index]) if branches.get(index) else item
            for index, item in enumerate(value)
            if index not in branches or branches[index] is not None
        ]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if key not in tree:
            kept[key] = item
        elif tree[key] is not None:
            left = _pruned(item, tree[key])
            if left or not item:
                kept[key] = left
    return kept


def _index(value: Any, part: str | int) -> str | int:
    """A list's index may be written as text in a pointer."""
    return int(part) if isinstance(value, list) and isinstance(part, str) and part.isdecimal() else part


def _child(value: Any, part: str | int) -> Any:
    index = _index(value, part)
    if isinstance(value, dict):
        return value.get(str(index), NOTHING)
    if isinstance(value, list) and isinstance(index, int) and 0 <= index < len(value):
        return value[index]
    return NOTHING


def _same_item(item: Any, here: list[Any], there: list[Any]) -> int | None:
    if not isinstance(item, dict):
        return there.index(item) if item in there else None
    for key in MERGE_KEYS:
        if key in item and sum(isinstance(other, dict) and other.get(key) == item[key] for other in here) == 1:
            fitting = [
                at_ for at_, other in enumerate(there) if isinstance(other, dict) and other.get(key) == item[key]
            ]
            return fitting[0] if fitting else None
    index = next(at_ for at_, other in enumerate(here) if other is item)
    return index if index < len(there) else None
