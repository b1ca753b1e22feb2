"""What was last agreed between Git and a cluster, object by object: the reason most looks need no request.

An object whose desired digest and live resourceVersion are those of the agreement cannot have changed. When only the
resourceVersion moved, the live object is read once and its content digest decides: a controller that writes status
moves the version all day without touching anything that Git speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitops_workers.core.diff.compare import meaningful
from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.documents.codec import Row
from gitops_workers.core.model import Health
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, digest, digest_of

CONTROLLER_ANNOTATIONS = frozenset({"deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"})
"""Annotations that built-in controllers write soon after every apply: no sign of a hand-made change."""


@dataclass(frozen=True, slots=True)
class ObjectBaseline(Row):
    """One object as last found in sync. `content` is the digest of the live object without status."""

    digest: str
    uid: str
    resource_version: str
    content: str
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class SyncBaseline:
    """The last look at an application. `synced` is the render digest of the last sync that ended well.

    `token` is the fencing token of the attempt that looked: an attempt that wrote later makes it worthless. `rules` is
    the word for the rules (ignored differences, health) by which it looked.
    """

    commit: str = ""
    closure: str = ""
    rendered: str = ""
    synced: str = ""
    objects: Mapping[ObjectKey, ObjectBaseline] = field(default_factory=dict)
    token: int = 0
    rules: str = ""

    @property
    def kinds(self) -> frozenset[GroupKind]:
        """The kinds a cluster has to be asked for."""
        return frozenset(key.group_kind for key in self.objects)

    @property
    def fingerprint(self) -> str:
        """One word for the identity and version of every agreed object; see `fingerprint`."""
        return fingerprint((key, item.uid, item.resource_version) for key, item in self.objects.items())


def fingerprint(seen: Iterable[tuple[ObjectKey, str, str]]) -> str:
    """One word for (key, uid, resourceVersion) of all objects, whatever their order."""
    return digest(*sorted("|".join((*key, uid, version)) for key, uid, version in seen))


def content_of(live: Manifest) -> str:
    """The digest of what Git could speak of in a live object."""
    body = meaningful(live)
    annotations = body["metadata"].get("annotations")
    if annotations:
        kept = {name: value for name, value in annotations.items() if name not in CONTROLLER_ANNOTATIONS}
        body["metadata"] = {name: value for name, value in body["metadata"].items() if name != "annotations"}
        if kept:
            body["metadata"]["annotations"] = kept
    return digest_of(body)


def is_baseline(desired: Desired, live: Manifest, health: Health | None) -> ObjectBaseline:
    """The agreement over one live object."""
    metadata = live.get("metadata") or {}
    return ObjectBaseline(
        desired.digest, metadata.get("uid", ""), metadata.get("resourceVersion", ""), content_of(live), health
    )
