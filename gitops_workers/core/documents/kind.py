"""A kind of stored document: everything about it that is not its content."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gitops_workers.core.documents import codec

T = TypeVar("T")

VERSION = "version"
"""The field with which a document says what its reader must understand; a document without it is of version 1."""
WHOLE = ""
"""The key to give for a kind of which there is one document in an installation."""


class _Damaged:
    def __repr__(self) -> str:
        return "damaged"


DAMAGED = _Damaged()
"""What a store gives to `Kind.read` for a document that is there and no JSON, or not what this installation wrote."""


APPLICATION = "an application's id"
CLUSTER = "a cluster's name"
GROUP = "a poll group"
INSTALLATION = "one word: there is one for the installation"
REPOSITORY = "a repository's normalised URL"
ADDRESS = "the hash in a webhook's address"


class Owner(enum.StrEnum):
    """The only writer of a kind. What is unreadable is written anew by it."""

    PERSON = "a person, through command line or API"
    ATTEMPT = "the attempts of the application, each with its report"
    POLL = "the polls of repositories and clusters"
    PUSH = "the web process that a Git server tells of a push"
    CATALOGUE = "the refresh of the catalogue"
    RECORDS = "whoever reads or writes records in a cluster"
    DELIVERY = "the worker whose turn it is to bring events to the sink"
    SETTINGS = "the worker that has read the newest settings"


@dataclass(frozen=True, slots=True, eq=False)
class Kind(Generic[T]):
    """One kind, by `name` and by what its `key` is in each document: the id of an application, a cluster's name.

    There is one document of the kind in an installation where `at` names its key.

    `content` is the type that the codec reads and writes, unless `decode` and `encode` say otherwise; `decode` raises
    ValueError for what does not fit.
    """

    name: str
    key: str
    owner: Owner
    content: Any = None
    at: str | None = None
    version: int = 1
    whole: bool = True
    """Fields with their defaults are written, too: releases before the codec was tolerant ask for them."""
    unreadable: Callable[[Any, str], T] | None = None
    """What an unreadable document, for this reason, reads as; None: as if there were none."""
    decode: Callable[[Any], T] | None = None
    encode: Callable[[T], Any] | None = None

    def place(self, key: str) -> str:
        """The key under which the document is stored."""
        return key if self.at is None else self.at

    def read(self, value: Any, complain: Callable[[str], None]) -> T | None:
        """The document in JSON data. `complain` is told why where it cannot be read."""
        try:
            return self.loads(value)
        except ValueError as error:
            complain(str(error))
            return self.unreadable(value, str(error)) if self.unreadable is not None else None

    def loads(self, value: Any) -> T:
        """The document in JSON data. Raises ValueError with the reason."""
        if value is DAMAGED:
            raise ValueError("it is damaged, or was written with another key")
        if isinstance(value, Mapping) and type(version := value.get(VERSION)) is int and version > self.version:
            raise ValueError(f"its version is {version}, and this release reads {self.version} at most")
        found: T = self.decode(value) if self.decode else codec.load(self.content, value, strict=False)
        return found

    def dumps(self, value: T) -> Any:
        """JSON data of the document."""
        found = self.encode(value) if self.encode else codec.dump(value, whole=self.whole)
        return found if self.version == 1 else {VERSION: self.version, **found}


class Documents:
    """What was loaded of several kinds in one round trip."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[Kind[Any], Any] | None = None) -> None:
        """`found`: the documents that exist and can be read."""
        self._found = found or {}

    def get(self, kind: Kind[T]) -> T | None:
        """The document of this kind; None when there is none."""
        value: T | None = self._found.get(kind)
        return value
