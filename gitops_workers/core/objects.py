"""Kubernetes objects as plain dicts: identity, canonical JSON, digests."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

Manifest = dict[str, Any]
"""A Kubernetes object as JSON data; treated as frozen once a stage has returned it."""


class GroupKind(NamedTuple):
    """A kind without its version: what identity and discovery go by."""

    group: str
    kind: str

    def __str__(self) -> str:
        """`Deployment.apps`, as kubectl prints it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


class ObjectKey(NamedTuple):
    """The identity of an object in a cluster. The version is not part of it (Flux inventory, Argo CD tracking)."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def group_kind(self) -> GroupKind:
        """The kind this object is of."""
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        """`Deployment.apps shop/web` or `Namespace shop`, for messages."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.group_kind} {place}"


def group_of(api_version: str) -> str:
    """The group of an apiVersion: `apps` of `apps/v1`, empty for the core group.

    >>> group_of("apps/v1"), group_of("v1")
    ('apps', '')
    """
    return api_version.rpartition("/")[0]


def key_of(manifest: Manifest) -> ObjectKey:
    """The identity of a manifest, as written: an empty namespace stays empty."""
    metadata = manifest.get("metadata") or {}
    return ObjectKey(
        group_of(manifest.get("apiVersion", "")),
        manifest.get("kind", ""),
        metadata.get("namespace") or "",
        metadata.get("name") or "",
    )


def canonical(value: Any) -> bytes:
    """The one JSON spelling of a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(*parts: bytes | str) -> str:
    """A 32-hex-digit name for content; parts are length-prefixed so that no two lists collide.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "big"))
        state.update(data)
    return state.hexdigest()


def digest_of(value: Any) -> str:
    """The digest of a JSON value."""
    return digest(canonical(value))
