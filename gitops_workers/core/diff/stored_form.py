"""Manifests as an API server stores them, where it takes a field under one name and keeps it under another.

Server-side apply removes what a manifest no longer names by the fields that it named before. A field that was stored
elsewhere is not among them: its value would stay forever, and nobody would see a difference.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from gitops_workers.core.objects import GroupKind, Manifest

SECRET = GroupKind("", "Secret")

_POD_SPECS: Mapping[GroupKind, tuple[str, ...]] = {
    GroupKind("", "Pod"): ("spec",),
    GroupKind("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        (
            GroupKind("apps", "Deployment"),
            GroupKind("apps", "StatefulSet"),
            GroupKind("apps", "DaemonSet"),
            GroupKind("apps", "ReplicaSet"),
            GroupKind("", "ReplicationController"),
            GroupKind("batch", "Job"),
        ),
        ("spec", "template", "spec"),
    ),
}


def stored(kind: GroupKind, manifest: Manifest) -> Manifest:
    """The manifest with every field under the name by which the server keeps it."""
    if kind == SECRET:
        return stored_secret(manifest)
    path = _POD_SPECS.get(kind)
    return _at(manifest, path, _one_account) if path else manifest


def stored_secret(manifest: Manifest) -> Manifest:
    """A Secret's `stringData` in its `data`, where it wins. What is no text is left for the server to refuse."""
    texts, data = manifest.get("stringData"), manifest.get("data")
    if "stringData" not in manifest or not isinstance(texts or {}, dict) or not isinstance(data or {}, dict):
        return manifest
    if not all(isinstance(value, str) for value in (texts or {}).values()):
        return manifest
    # The server decodes everything before it lets a text win: what is hidden by one is refused as well.
    if any(key in (texts or {}) and not _decodes(value) for key, value in (data or {}).items()):
        return manifest
    coded = {name: base64.b64encode(value.encode()).decode() for name, value in (texts or {}).items()}
    rest = {name: value for name, value in manifest.items() if name != "stringData"}
    return {**rest, "data": {**(data or {}), **coded}} if coded or "data" in manifest else rest


def _decodes(value: Any) -> bool:
    """Whether a server takes this as a value of `data`: base64, in which line breaks do not count."""
    if value is None:
        return True
    try:
        base64.b64decode(value.replace("\r", "").replace("\n", ""), validate=True)
    except (AttributeError, ValueError):
        return False
    return True


def _one_account(spec: dict[str, Any]) -> dict[str, Any]:
    """A pod's service account under both of its names: the server fills in the older one from the newer one."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    return {**spec, "serviceAccountName": name, "serviceAccount": name} if name else spec


def _at(value: Any, path: tuple[str, ...], change: Any) -> Any:
    """The value with what stands at the path changed; as it is where nothing stands there."""
    if not isinstance(value, dict):
        return value
    if not path:
        return change(value)
    inner = value.get(path[0])
    found = _at(inner, path[1:], change)
    return value if found is inner else {**value, path[0]: found}
