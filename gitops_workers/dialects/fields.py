"""Reading fields: shapes declare what is allowed, one reading collects every problem of a document.

A shape is a pydantic model in Kubernetes spelling. Over pydantic it adds three things: `null` means absent, as it does
for the API server; an unknown field is an error that names the nearest known one; a field that upstream knows and this
version does not do is marked `Unsupported` and becomes a condition or a refusal, never silence.
"""

from __future__ import annotations

import copy
import functools
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from gitops_workers.core.model import Condition, Problem
from gitops_workers.dialects.document import Document, Path, dotted
from gitops_workers.dialects.messages import of_pydantic, unknown

UNSUPPORTED = "UnsupportedField"
"""The condition type of a field that this version does not do; Argo CD has none that fits."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A field that upstream knows and this version does not do. Empty values and those in `same` need nothing done."""

    what: str
    """What the field asks for, as the subject of a sentence."""
    refuses: bool = False
    """Leaving the field out would change what is applied or deleted."""
    same: tuple[Any, ...] = ()


class ManifestModel(BaseModel):
    """A mapping with known fields; camelCase outside, snake_case inside."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


S = TypeVar("S", bound=ManifestModel)
Undone = tuple[str, Unsupported]


@dataclass(slots=True)
class ParseContext:
    """What is found while one document is read."""

    document: Document
    problems: list[Problem] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether there is a real error, not only fields for later."""
        return any(not problem.known for problem in self.problems)

    def wrong_at(self, path: Path) -> bool:
        """Whether an error was found at this path or below."""
        place = dotted((*self.document.prefix, *path))
        return any(not item.known and _is_below(item.path, place) for item in self.problems)

    def error(self, path: Path, message: str) -> None:
        """The value at this path is wrong."""
        self.problems.append(self.document.problem(path, message))

    def remark(self, path: Path, message: str) -> None:
        """Something people must know; the application works without it."""
        self.problems.append(self.document.problem(path, message, known=True))
        self.conditions.append(Condition(UNSUPPORTED, f"{dotted(path)}: {message}"))

    def refuse(self, path: Path, message: str) -> None:
        """The application is shown, and nothing of it is synced."""
        self.remark(path, message)
        self.refusals.append(f"{dotted(path)}: {message}")

    def later(self, path: Path, later: Unsupported) -> None:
        """A field for later is set."""
        if later.refuses:
            self.refuse(path, f"{later.what} is not done by this version: nothing is synced while the field is set.")
        else:
            self.remark(path, f"{later.what} is not done by this version: the field has no effect.")

    def shape(self, model: type[S]) -> S | None:
        """The document's value as this shape, with every error collected.

        Values that are wrong in themselves are taken out, so that the caller can go on and check the others against
        each other; it must ask `failed` in the end. None when not even that leaves enough.
        """
        self._examine(model, self.document.value, ())
        try:
            return model.model_validate(self.document.value)
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False)
        for found in errors:
            self.error(found["loc"], of_pydantic(found["type"], found["msg"], found.get("input")))
        try:
            return model.model_validate(_without(self.document.value, [found["loc"] for found in errors]))
        except ValidationError:
            return None

    def _examine(self, model: type[ManifestModel], value: Any, path: Path) -> None:
        if not isinstance(value, dict):
            return
        known = _known_fields(model)
        for key, item in value.items():
            if item is None:
                continue
            place = (*path, str(key))
            entry = known.get(key)
            if entry is None:
                self.error(place, unknown("field", str(key), known))
            elif entry.later is not None:
                if item not in ("", [], {}, False, *entry.later.same):
                    self.later(place, entry.later)
            elif entry.nested is not None and isinstance(item, list):
                for index, member in enumerate(item):
                    self._examine(entry.nested, member, (*place, index))
            elif entry.nested is not None:
                self._examine(entry.nested, item, place)


@dataclass(frozen=True, slots=True)
class _Known:
    later: Unsupported | None
    nested: type[ManifestModel] | None


@functools.cache
def _known_fields(model: type[ManifestModel]) -> Mapping[str, _Known]:
    return {
        info.alias or name: _Known(
            next((mark for mark in info.metadata if isinstance(mark, Unsupported)), None), _nested(info.annotation)
        )
        for name, info in model.model_fields.items()
    }


def later_fields(
    model: type[ManifestModel], prefix: str = "", seen: set[type[ManifestModel]] | None = None
) -> Iterator[Undone]:
    """(path, mark) of every field for later in a shape and those below it, each shape where it stands first."""
    seen = set() if seen is None else seen
    seen.add(model)
    for name, known in _known_fields(model).items():
        if known.later is not None:
            yield prefix + name, known.later
        elif known.nested is not None and known.nested not in seen:
            yield from later_fields(known.nested, f"{prefix}{name}.", seen)


def _nested(annotation: Any) -> type[ManifestModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, ManifestModel):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _nested(part))), None)


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}["))


def _without(value: Any, places: list[Path]) -> Any:
    """A copy in which the values at these places are absent; a list with a wrong member is absent as a whole."""
    value = copy.deepcopy(value)
    for place in places:
        parent, holder, key = value, None, None
        for part in place:
            if isinstance(parent, dict):
                holder, key = parent, part
                parent = parent.get(part)
            elif isinstance(parent, list) and isinstance(part, int) and part < len(parent):
                parent = parent[part]
        if isinstance(holder, dict) and key in holder:
            holder[key] = None
    return value


def pairs(mapping: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A mapping as the model keeps it: sorted, hashable."""
    return tuple(sorted(mapping.items()))
