"""Fields of objects in memory: who owns a leaf, how an apply merges, what it takes away."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_workers.core.diff import managed_fields
from gitops_workers.core.objects import Manifest

SERVERS_FIELDS = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
Path = tuple[str, ...]
IDENTITY = frozenset({("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")})
"""Leaves that nobody owns: they say which object it is."""


def desired(manifest: Manifest) -> Manifest:
    """A copy without what only a server may write."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in SERVERS_FIELDS}
    return copy.deepcopy({**manifest, "metadata": metadata})


def content(manifest: Manifest) -> Manifest:
    """What a generation counts."""
    return {name: value for name, value in manifest.items() if name not in ("metadata", "status")}


def leaves(value: Any, path: Path = ()) -> Iterable[Path]:
    """The paths of all values that are no maps; an empty map and a list are one value."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


def merge(target: Manifest, source: Manifest) -> None:
    """Lay the source over the target, map by map."""
    for name, value in source.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            merge(target[name], value)
        else:
            target[name] = value


def remove(target: Manifest, path: Path) -> None:
    """Remove a leaf, and the maps that it leaves empty."""
    inner = target.get(path[0])
    if len(path) > 1 and isinstance(inner, dict):
        remove(inner, path[1:])
        if inner:
            return
    target.pop(path[0], None)


def managed(api_version: str, owned: Iterable[Path], others: Mapping[str, Iterable[Path]]) -> list[dict[str, Any]]:
    """The managedFields of an object. Lists are leaves here."""
    entries = [_entry(api_version, managed_fields.MANAGER, "Apply", owned)]
    entries += [_entry(api_version, name, "Update", paths) for name, paths in sorted(others.items())]
    return [entry for entry in entries if entry["fieldsV1"]]


def owners(entries: Sequence[Mapping[str, Any]]) -> tuple[frozenset[Path], dict[str, frozenset[Path]]]:
    """The reverse: our leaves, and those of others by manager."""
    ours, others = frozenset[Path](), {}
    for entry in entries:
        paths = frozenset(
            tuple(word.removeprefix("f:") for word in trail) for trail in managed_fields.field_paths([entry])
        )
        if entry["operation"] == "Apply" and entry["manager"] == managed_fields.MANAGER:
            ours = paths
        else:
            others[str(entry["manager"])] = paths
    return ours, others


def replaced(live: Manifest, manifest: Manifest) -> Manifest:
    """The object after a replace: the manifest, with what only a server may write."""
    after = desired(manifest)
    kept = {name: value for name, value in live["metadata"].items() if name in SERVERS_FIELDS | {"deletionTimestamp"}}
    after["metadata"] |= kept
    return {**after, "status": live["status"]} if "status" in live else after


def owned_after_replace(
    ours: frozenset[Path], others: Mapping[str, frozenset[Path]], before: Manifest, after: Manifest
) -> tuple[frozenset[Path], dict[str, frozenset[Path]]]:
    """Which manager owns what then: what a replace changed belongs to our updates, what it removed to nobody."""
    there = frozenset(leaves(desired(after))) - IDENTITY
    changed = frozenset(path for path in there if _value(before, path) != _value(after, path))
    left = {name: (paths - changed) & there for name, paths in others.items()}
    left[managed_fields.MANAGER] = left.get(managed_fields.MANAGER, frozenset()) | changed
    return (ours & there) - changed | (ours & IDENTITY), {name: paths for name, paths in left.items() if paths}


def without_conflicts(
    others: Mapping[str, frozenset[Path]], live: Manifest, applied: Manifest
) -> dict[str, frozenset[Path]]:
    """What others still own when an apply with force has its way."""
    ours = set(leaves(applied))
    changed = {path for path in ours if _value(live, path) != _value(applied, path)}
    left = {name: paths - changed for name, paths in others.items()}
    return {name: paths for name, paths in left.items() if paths}


def _entry(api_version: str, manager: str, operation: str, paths: Iterable[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(set(paths) - IDENTITY):
        node = tree
        for name in path:
            node = node.setdefault(f"f:{name}", {})
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": tree,
    }


def _value(manifest: Manifest, path: Path) -> Any:
    value: Any = manifest
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
