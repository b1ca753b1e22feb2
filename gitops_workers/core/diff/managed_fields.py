"""`metadata.managedFields`: who owns which field of a live object (Kubernetes docs, server-side apply).

A field set is a tree: `f:name` is a key of a map, `k:{...}` an item of a list by its keys, `v:...` an item by its
value, `.` the node itself. A trail is the way to a leaf in these words; a place is where it leads in one object's data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitops_workers.core.objects import Manifest
from gitops_workers.core.text.json_path import Place

FieldPath = tuple[str, ...]
MANAGER = "gitops-workers"
"""The field manager of everything we apply."""
SELF = "."


def entries(manifest: Manifest) -> list[dict[str, Any]]:
    """The entries of an object, without those about subresources such as status or scale."""
    found = (manifest.get("metadata") or {}).get("managedFields")
    if not isinstance(found, list):
        return []
    return [as_stored(manifest, entry) for entry in found if isinstance(entry, dict) and not entry.get("subresource")]


def as_stored(manifest: Manifest, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with the names under which values are stored: whoever applied a Secret's stringData owns it as that."""
    if not owns_texts(manifest, entry):
        return entry
    fields = dict(entry["fieldsV1"])
    texts = fields.pop("f:stringData")
    return {**entry, "fieldsV1": merged([{"fieldsV1": fields}, {"fieldsV1": {"f:data": texts}}])}


def owns_texts(manifest: Manifest, entry: Mapping[str, Any]) -> bool:
    """Whether the entry names a Secret's values as stringData, which the server never shows."""
    secret = (manifest.get("apiVersion"), manifest.get("kind")) == ("v1", "Secret")
    fields = entry.get("fieldsV1")
    return secret and isinstance(fields, dict) and isinstance(fields.get("f:stringData"), dict)


def field_paths(found: Iterable[Mapping[str, Any]]) -> frozenset[FieldPath]:
    """The leaves that these entries own, and the list items that they own as such."""
    return frozenset(trail for entry in found for trail in _trails(entry.get("fieldsV1") or {}, ()))


def places(owned: Iterable[FieldPath], value: Any) -> Iterator[Place]:
    """Where trails lead in an object; a trail that leads nowhere in it is left out."""
    for trail in owned:
        place = _place(trail, value)
        if place is not None:
            yield place


def merged(found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One field set with everything that these entries own."""
    result: dict[str, Any] = {}
    for entry in found:
        _merge(result, entry.get("fieldsV1") or {})
    return result


def _trails(fields: Mapping[str, Any], way: FieldPath) -> Iterator[FieldPath]:
    for name, inner in fields.items():
        if name == SELF:
            if way and way[-1][:2] in ("k:", "v:"):
                yield (*way, SELF)
        elif not isinstance(inner, dict) or not inner:
            yield (*way, name)
        else:
            yield from _trails(inner, (*way, name))


def _place(trail: FieldPath, value: Any) -> Place | None:
    place: list[str | int] = []
    for word in trail:
        if word == SELF:
            break
        kind, _, name = word.partition(":")
        step = name if kind == "f" and isinstance(value, dict) and name in value else None
        if step is not None:
            place.append(step)
            value = value[step]
            continue
        index = _item(kind, name, value)
        if index is None:
            return None
        place.append(index)
        value = value[index]
    return tuple(place)


def _item(kind: str, name: str, value: Any) -> int | None:
    if not isinstance(value, list) or kind not in ("k", "v", "i"):
        return None
    try:
        wanted = json.loads(name)
    except ValueError:
        return None
    if kind == "i":
        return wanted if isinstance(wanted, int) and wanted < len(value) else None
    for index, item in enumerate(value):
        if item == wanted if kind == "v" else _has(item, wanted):
            return index
    return None


def _has(item: Any, keys: Any) -> bool:
    """Whether a list's item has these keys. A key that was defaulted (protocol TCP) may be absent in what we send."""
    return isinstance(item, dict) and all(item.get(key, value) == value for key, value in keys.items())


def _merge(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    for name, inner in source.items():
        if isinstance(inner, dict):
            _merge(target.setdefault(name, {}), inner)
        else:
            target.setdefault(name, inner)
