"""Differences to leave alone: which rule is for which object, and which fields it means there.

Argo CD `ignoreDifferences` (argocd.md 1.5) and Flux `ignore` (flux.md 1.2). Ignored fields are taken out of both sides
before they are compared. Where ignoring is respected by an apply too, an ignored field that Git names keeps its live
value; it is left out of the apply where another applier owns it, so that the two do not fight (Flux).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gitops_workers.core.diff import managed_fields
from gitops_workers.core.model import IgnoreRule
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.text.json_path import NOTHING, Place, at, counterpart, pointer, replaced, without

_REQUIREMENT = re.compile(r"\s*(!?)\s*([^\s!=()]+)\s*(?:(==?|!=)\s*([^\s,()]*)|\s(in|notin)\s*\(([^)]*)\))?\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Ignored:
    """What the rules mean in three versions of one object."""

    live: tuple[Place, ...] = ()
    would_be: tuple[Place, ...] = ()
    desired: tuple[Place, ...] = ()


def rules_for(rules: Iterable[IgnoreRule], key: ObjectKey, version: str, manifest: Manifest) -> tuple[IgnoreRule, ...]:
    """The rules that select this object."""
    return tuple(rule for rule in rules if _selects(rule, key, version, manifest))


def ignored(
    rules: Sequence[IgnoreRule],
    live: Manifest,
    would_be: Manifest,
    desired: Manifest,
    by_jq: Sequence[tuple[Place, ...]] = ((), (), ()),
) -> Ignored:
    """The places of all rules. `by_jq` are those of their jq expressions in live, would_be and desired."""
    pointers = tuple(pointer(text) for rule in rules for text in rule.pointers)
    managers = frozenset(name for rule in rules for name in rule.managers)
    theirs = managed_fields.field_paths(
        entry for entry in managed_fields.entries(live) if managers and entry.get("manager") in managers
    )
    sides = [
        (*pointers, *managed_fields.places(theirs, side), *found)
        for side, found in zip((live, would_be, desired), by_jq, strict=True)
    ]
    return Ignored(*sides)


def kept_alive(desired: Manifest, live: Manifest, places: Iterable[Place]) -> Manifest:
    """What to apply so that ignored fields stay as they are in the cluster. What Git does not name is not touched."""
    others = managed_fields.field_paths(
        entry
        for entry in managed_fields.entries(live)
        if entry.get("operation") == "Apply" and entry.get("manager") != managed_fields.MANAGER
    )
    foreign = set(managed_fields.places(others, live))
    result, dropped = desired, []
    for place in places:
        if at(desired, place) is NOTHING:
            continue
        there = counterpart(place, desired, live)
        if there is None or any(there == theirs[: len(there)] for theirs in foreign):
            dropped.append(place)
        else:
            result = replaced(result, place, at(live, there))
    return without(result, dropped)  # type: ignore[no-any-return]  # a map without some keys is a map


def _selects(rule: IgnoreRule, key: ObjectKey, version: str, manifest: Manifest) -> bool:
    if rule.target:
        return all(_fits(field, wanted, key, version, manifest) for field, wanted in rule.target)
    return (
        fnmatchcase(key.group, rule.group)
        and fnmatchcase(key.kind, rule.kind)
        and rule.name in ("", key.name)
        and rule.namespace in ("", key.namespace)
    )


def _fits(field: str, wanted: str, key: ObjectKey, version: str, manifest: Manifest) -> bool:
    metadata = manifest.get("metadata") or {}
    if field == "labelSelector":
        return _meets(wanted, metadata.get("labels") or {})
    if field == "annotationSelector":
        return _meets(wanted, metadata.get("annotations") or {})
    found = {"group": key.group, "version": version, "kind": key.kind, "name": key.name, "namespace": key.namespace}
    return re.fullmatch(wanted, found.get(field, "")) is not None


def _meets(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a label selector (`a=b,c!=d,e in (f,g),h,!i`); what cannot be read selects nothing."""
    rest = selector
    while rest.strip():
        found = _REQUIREMENT.match(rest)
        if found is None:
            return False
        absent, name, operator, value, word, values = found.groups()
        label = labels.get(name)
        if operator or word:
            allowed = [item.strip() for item in values.split(",")] if word else [value]
            if (label in allowed) is (operator == "!=" or word == "notin"):
                return False
        elif (label is None) is not bool(absent):
            return False
        rest = rest[found.end() :]
    return True
