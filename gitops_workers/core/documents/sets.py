"""Names that mean "all" when nobody can say which: what was seen to change is never less because it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_workers.core.documents import codec
from gitops_workers.core.model import AppId
from gitops_workers.core.objects import ObjectKey


@dataclass(frozen=True, slots=True)
class Applications:
    """Some applications; `every`: it is not known which, so it may be each."""

    ids: frozenset[AppId] = frozenset()
    every: bool = False

    def __contains__(self, app: AppId) -> bool:
        """Whether it may be this one."""
        return self.every or app in self.ids

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.every or bool(self.ids)


@dataclass(frozen=True, slots=True)
class DriftedObjects:
    """Objects of one application that a poll saw to have changed; `every`: it may be each."""

    keys: frozenset[ObjectKey] = frozenset()
    every: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """What an application waits for: "" where the built-in rule counts, else the digest of what its rule has seen.

    `every`: it is not known what it waits for, so anything may be news for it.
    """

    seen: Mapping[AppId, str] = field(default_factory=dict)
    every: bool = False


def applications(value: Any) -> Applications:
    """In JSON data. Raises ValueError."""
    return Applications(frozenset(codec.load(tuple[str, ...], value)))


def applications_unread(_value: Any, _reason: str) -> Applications:
    """Each of them."""
    return Applications(every=True)


def drifted(value: Any) -> DriftedObjects:
    """In JSON data. Raises ValueError."""
    return DriftedObjects(frozenset(codec.load(tuple[ObjectKey, ...], value)))


def drifted_unread(_value: Any, _reason: str) -> DriftedObjects:
    """Each of them."""
    return DriftedObjects(every=True)


def waits(value: Any) -> Waits:
    """In JSON data. Raises ValueError."""
    return Waits(codec.load(dict[str, str], value))


def waits_unread(_value: Any, _reason: str) -> Waits:
    """Anything."""
    return Waits(every=True)
