"""Fields of objects in memory: who owns a leaf, how an apply merges, what it takes away."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from gitops_workers.core.objects import Manifest

SERVERS_FIELDS = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
Path = tuple[str, ...]


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
