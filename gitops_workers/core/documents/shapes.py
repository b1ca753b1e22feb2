"""How a class says that it is stored otherwise than as an object of its fields, and what does not fit.

A dataclass is an object by the names of its fields (`stored_as` gives another name); one that derives from `Row` is a
list of its fields in their order, with the dataclasses and keys in it laid flat. A NamedTuple of texts is one text
joined by `|`, which no part of a Kubernetes identity can hold.
"""

from __future__ import annotations

import dataclasses
from typing import Any

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


def stored_name(item: dataclasses.Field[Any]) -> str:
    """The name of a field in JSON."""
    return str(item.metadata.get(_STORED_AS, item.name))


def is_key(kind: Any) -> bool:
    """Whether the type is a NamedTuple of texts."""
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
