"""What a full update sends where server-side apply cannot bring an object about.

Server-side apply merges lists by keys and keeps what nobody owns. So a port that was edited by hand meets its old self
(`Duplicate value`), an `env` that names a variable twice cannot be expressed, and defaults of a strategy outlive it.
A full update can do all of that, but takes everything away that it does not name. Therefore it is made from the live
object: Git's values over it, less what was ours and left Git; what others own, what a server assigned (clusterIP,
nodePort) and what controllers wrote stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from gitops_workers.core.diff import managed_fields
from gitops_workers.core.diff.managed_fields import FieldPath
from gitops_workers.core.objects import Manifest
from gitops_workers.core.text.json_path import MERGE_KEYS, NOTHING, Place

_UNIONS: Final = frozenset({("spec", "strategy"), ("spec", "updateStrategy")})
"""Places where the defaults of one choice are invalid beside another one: what nobody owns in them goes."""


def overwriting(
    desired: Manifest, live: Manifest, ours: Collection[FieldPath], others: Collection[FieldPath]
) -> Manifest:
    """The whole object for an update of `live`. `ours` and `others`: who owns what in it (core.absorption)."""
    gone = frozenset(managed_fields.places(frozenset(ours) - frozenset(others), live))
    theirs = frozenset(managed_fields.places(others, live))
    touched = frozenset(place[:length] for place in theirs for length in range(1, len(place) + 1))
    found: Manifest = _Overlay(gone, touched).over(desired, live, ())
    return found


@dataclass(frozen=True, slots=True)
class _Overlay:
    """`gone`: places in the live object that we alone own. `touched`: places at or above what others own."""

    gone: frozenset[Place]
    touched: frozenset[Place]

    def over(self, desired: Any, live: Any, place: Place) -> Any:
        """Git's value over the live one."""
        if isinstance(desired, dict) and isinstance(live, dict):
            kept = {
                key: left
                for key, value in live.items()
                if key not in desired and (left := self._left(value, (*place, key))) is not NOTHING
            }
            named = {
                key: self.over(value, live[key], (*place, key)) if key in live else value
                for key, value in desired.items()
            }
            return {**kept, **named}
        if isinstance(desired, list) and isinstance(live, list) and any(isinstance(item, dict) for item in desired):
            return self._items(desired, live, place)
        return desired

    def _items(self, desired: list[Any], live: list[Any], place: Place) -> list[Any]:
        """Git's items in Git's order, each over its live self; the items of others where they stand."""
        pairs = _pairs(desired, live)
        merged = iter(
            self.over(item, live[pairs[at]], (*place, pairs[at])) if at in pairs else item
            for at, item in enumerate(desired)
        )
        met, result = frozenset(pairs.values()), []
        for index, item in enumerate(live):
            if index in met:
                result.append(next(merged))
            elif (*place, index) in self.touched:
                result.append(self._left(item, (*place, index)))
        return [*result, *merged]

    def _left(self, value: Any, place: Place) -> Any:
        """What stays of a live value that Git does not name."""
        if place not in self.touched and (place in self.gone or place[:-1] in _UNIONS):
            return NOTHING
        if isinstance(value, dict) and value:
            kept = {
                key: left for key, item in value.items() if (left := self._left(item, (*place, key))) is not NOTHING
            }
            return kept or NOTHING
        if isinstance(value, list) and value:
            items = [left for at, item in enumerate(value) if (left := self._left(item, (*place, at))) is not NOTHING]
            return items or NOTHING
        return value


def _pairs(desired: list[Any], live: list[Any]) -> dict[int, int]:
    """Which item of Git is which live one: those that share a telling value with exactly one other."""
    found: dict[int, int] = {}
    for at, item in enumerate(desired):
        for key in MERGE_KEYS:
            if not isinstance(item, dict) or item.get(key) is None:
                continue
            twins = [other for other in desired if isinstance(other, dict) and other.get(key) == item[key]]
            there = [i for i, other in enumerate(live) if isinstance(other, dict) and other.get(key) == item[key]]
            if len(twins) == len(there) == 1 and there[0] not in found.values():
                found[at] = there[0]
                break
    return found
