"""A YAML or JSON document with the place of everything in it, and the one way to load files into documents.

The loader is passed in (in production it runs in the sandbox), so that nothing here ever parses bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitops_workers.core.errors import GitOpsError, Retry
from gitops_workers.core.model import Problem
from gitops_workers.core.objects import group_of

Path = tuple[str | int, ...]
"""Where a value stands in a document: keys of mappings, indexes of lists. The document itself is ()."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
"""Files that hold manifests: what `kubectl apply -f DIRECTORY` reads."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. `lines` maps paths to lines from 1; the value may be a Secret, so repr hides it."""

    file: str
    value: Any = field(repr=False)
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)
    prefix: Path = ()
    """Where `value` stands in the file's document: `("items", 3)` for a member of a List."""

    def line(self, path: Path = ()) -> int:
        """The line of the value at this path, else of its nearest ancestor; 0 when nothing is known."""
        place = (*self.prefix, *path)
        while place not in self.lines:
            if not place:
                return 0
            place = place[:-1]
        return self.lines[place]

    def problem(self, path: Path, message: str, *, known: bool = False) -> Problem:
        """A problem at this path."""
        return Problem(self.file, self.line(path), dotted((*self.prefix, *path)), message, known)

    def text(self, *path: str) -> str:
        """The text at this path; "" when there is none or it is something else."""
        value = self.value
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    @property
    def group(self) -> str:
        """The API group, "" for the core group."""
        return group_of(self.text("apiVersion"))

    @property
    def kind(self) -> str:
        """The kind as written."""
        return self.text("kind")

    @property
    def title(self) -> str:
        """The object for messages: `HelmRelease apps/podinfo`."""
        place = "/".join(part for part in (self.text("metadata", "namespace"), self.text("metadata", "name")) if part)
        return shown_name(f"{self.kind} {place}".strip())


class Placed(Protocol):
    """What a YAML loader returns for one document."""

    @property
    def value(self) -> Any:
        """The document as JSON data."""

    @property
    def lines(self) -> Mapping[Path, int]:
        """The line of every value."""


def documents(name: str, placed: Iterable[Placed]) -> list[Document]:
    """The documents of a file, from what a YAML loader returned for it."""
    return [Document(name, item.value, item.lines) for item in placed]


Load = Callable[[bytes, str], Sequence[Document]]
"""Bytes and the file's name to its documents. Raises GitOpsError for what is no YAML or goes over a limit."""


def dotted(path: Path) -> str:
    """The path as people write it.

    >>> dotted(("spec", "images", 0, "newTag")), dotted(("metadata", "labels", "a.b/c"))
    ('spec.images[0].newTag', "metadata.labels['a.b/c']")
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{part[:80]!r}]"
    return text


def shown_name(text: str) -> str:
    """A name out of a manifest, safe to print: no control or direction characters, at most 200 characters (T12)."""
    return "".join(char if char.isprintable() else "?" for char in text[:200])


def load_file(load: Load, data: bytes, name: str) -> tuple[list[Document], list[Problem]]:
    """The file's documents, or the one problem that keeps it from being read. Raises Retry when that is not its own."""
    try:
        return list(load(data, name)), []
    except Retry:
        raise
    except GitOpsError as error:
        line = getattr(error, "line", 0)
        return [], [Problem(name, line, "", str(error).removeprefix(f"line {line}: "))]


def flattened(found: Iterable[Document]) -> Iterator[Document]:
    """The documents with every List (and every List in a List) replaced by its members, in order."""
    waiting = list(found)[::-1]
    while waiting:
        document = waiting.pop()
        value = document.value
        if isinstance(value, dict) and document.kind.endswith("List") and isinstance(value.get("items"), list):
            waiting += [
                Document(document.file, item, document.lines, (*document.prefix, "items", index))
                for index, item in reversed(list(enumerate(value["items"])))
            ]
        elif value is not None:
            yield document
