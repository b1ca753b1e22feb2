"""Frozen dataclasses as JSON data and back, for what is stored and read by another process or another release.

Whatever does not fit is a ValueError that names the field: nobody guesses what a stored value may have meant. What a
class does not know is ignored or refused, as the reader says.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from gitops_workers.core.documents.readers import reader
from gitops_workers.core.documents.shapes import Exact, Row, Unfit, stored_as
from gitops_workers.core.documents.writers import writer

__all__ = ["Exact", "Row", "dump", "load", "stored_as"]

T = TypeVar("T")


def dump(value: Any, *, whole: bool = False) -> Any:
    """JSON data: objects, lists, texts, numbers. Fields that have their default are left out unless `whole`.

    >>> from gitops_workers.core.model import Destination
    >>> dump(Destination(name="east"))
    {'name': 'east'}
    """
    kind: Any = type(value)
    return writer(kind, whole)(value)


def load(kind: type[T], value: Any, *, strict: bool = True) -> T:
    """The value of this type in JSON data. Raises ValueError; `strict`: also for a field that is unknown here."""
    try:
        found: T = reader(cast("Any", kind), strict)(value)
    except Unfit as error:
        raise error.named(getattr(kind, "__name__", "document")) from None
    return found
