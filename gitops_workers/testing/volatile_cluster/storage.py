"""What an API server in memory stores and serves: objects with their owners, kinds, and what it does by itself."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops_workers.core.errors import ApplyRefused, Incomplete
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, key_of
from gitops_workers.core.record.record import PART_OF
from gitops_workers.ports import Discovery, ObjectMeta, Resource
from gitops_workers.testing.volatile_cluster import fields
from gitops_workers.testing.volatile_cluster.built_in import built_in
from gitops_workers.testing.volatile_cluster.life import Life

NAMESPACE_KIND = GroupKind("", "Namespace")
CRD_KIND = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")

_WITHOUT_GENERATION = frozenset({"Namespace", "Service", "PersistentVolumeClaim"})


@dataclass(slots=True)
class Stored:
    """An object, and who owns its fields."""

    manifest: Manifest
    owned: frozenset[fields.Path] = frozenset()
    """The leaves that our field manager applied last."""
    others: Mapping[str, frozenset[fields.Path]] = field(default_factory=dict)
    """The leaves of other managers, where the test named them."""

    def shown(self) -> Manifest:
        """A copy as the API server shows it: with managedFields where anybody's are known."""
        manifest = copy.deepcopy(self.manifest)
        if self.owned or self.others:
            manifest["metadata"]["managedFields"] = fields.managed(manifest["apiVersion"], self.owned, self.others)
        return manifest


class Storage:
    """The objects and kinds of one cluster. The caller holds the lock of its life."""

    def __init__(self, name: str, life: Life) -> None:
        """Namespaces `default` and `kube-system` exist."""
        self.name = name
        self.objects: dict[ObjectKey, Stored] = {}
        self.failed_groups: set[str] = set()
        """API groups whose discovery does not answer."""
        self._life = life
        self._resources = built_in()
        for namespace in ("default", "kube-system"):
            self.edit({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    def discovery(self) -> Discovery:
        """What is served now."""
        known = {kind: item for kind, item in self._resources.items() if kind.group not in self.failed_groups}
        versions = dict.fromkeys(_api_version(item, name) for item in known.values() for name in item.versions)
        kinds = [f"{_api_version(item, name)}/{item.kind}" for item in known.values() for name in item.versions]
        return Discovery(known, "v1.37.0", (*versions, *kinds), frozenset(self.failed_groups))

    def listed(self, kind: GroupKind, owner: str) -> dict[ObjectKey, ObjectMeta]:
        """The members of that set, or of any with an empty `owner`. Raises Incomplete for a group that is silent."""
        if kind.group in self.failed_groups:
            raise Incomplete(f"cluster {self.name} does not say now what is in API group {kind.group}")
        seen = {}
        for key, stored in self.objects.items():
            metadata = stored.manifest["metadata"]
            part_of = (metadata.get("labels") or {}).get(PART_OF)
            if key.group_kind == kind and part_of is not None and owner in ("", part_of):
                seen[key] = ObjectMeta(
                    metadata["uid"], metadata["resourceVersion"], metadata.get("generation", 0), part_of
                )
        return seen

    def resource(self, key: ObjectKey) -> Resource:
        """How the object's kind is served. Raises ApplyRefused where it is not, Incomplete in doubt."""
        if key.group in self.failed_groups:
            raise Incomplete(f"cluster {self.name} does not say now what is in API group {key.group}")
        resource = self._resources.get(key.group_kind)
        if resource is None:
            raise ApplyRefused(
                f"{key}: the kind {key.group_kind} is not served by cluster {self.name}; "
                "apply its CustomResourceDefinition first, or correct apiVersion and kind"
            )
        if resource.namespaced and not key.namespace:
            raise ValueError(f"{key} has no namespace: the desired stage fills it in")
        return resource

    def check(self, manifest: Manifest, key: ObjectKey) -> None:
        """Raise ApplyRefused for a version that is not served, and for a namespace that is missing."""
        resource = self.resource(key)
        version = manifest["apiVersion"].rpartition("/")[2]
        if version not in resource.versions:
            raise ApplyRefused(
                f"{key} is written in version {version}, which cluster {self.name} does not serve; "
                f"it serves {', '.join(resource.versions)}"
            )
        if resource.namespaced and ObjectKey("", "Namespace", "", key.namespace) not in self.objects:
            raise ApplyRefused(
                f"{key} in cluster {self.name} has no namespace {key.namespace}: create it, or set the sync option "
                "CreateNamespace=true"
            )

    def finished(self, key: ObjectKey, merged: Manifest, held: Stored | None) -> Manifest:
        """The object with the server's own fields; the old one when nothing changed."""
        before = held.manifest if held else None
        if before is not None and merged == before:
            return before
        metadata = merged["metadata"]
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        if "spec" in merged and key.kind not in _WITHOUT_GENERATION:
            changed = before is None or fields.content(before) != fields.content(merged)
            metadata["generation"] = metadata.get("generation", 0) + changed
        metadata["resourceVersion"] = self._life.tick()
        return merged

    def follow(self, key: ObjectKey, manifest: Manifest) -> None:
        """What a server does at once by itself: a namespace is active, a CRD's kind is served."""
        if key.group_kind == NAMESPACE_KIND:
            manifest.setdefault("status", {"phase": "Active"})
        elif key.group_kind == CRD_KIND:
            spec = manifest["spec"]
            served = tuple(item["name"] for item in spec["versions"] if item.get("served", True))
            names = spec["names"]
            manifest["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
            self._resources[GroupKind(spec["group"], names["kind"])] = Resource(
                spec["group"], served[0], names["kind"], names["plural"], spec["scope"] == "Namespaced", served
            )

    def edit(self, manifest: Manifest, manager: str = "") -> Manifest:
        """Write these fields for somebody else (`manager`, where its ownership is to be shown); returns the object."""
        key = key_of(manifest)
        held = self.objects.get(key)
        merged = copy.deepcopy(held.manifest) if held else {}
        fields.merge(merged, fields.desired(manifest))
        result = self.finished(key, merged, held)
        others = dict(held.others) if held else {}
        if manager:
            written = frozenset(fields.leaves(fields.desired(manifest))) - fields.IDENTITY
            others[manager] = others.get(manager, frozenset()) | written
        self.objects[key] = Stored(result, held.owned if held else frozenset(), others)
        self.follow(key, result)
        if "deletionTimestamp" in result["metadata"] and not result["metadata"].get("finalizers"):
            self.remove(key)
        return copy.deepcopy(result)

    def remove(self, key: ObjectKey) -> None:
        """Delete the object; a namespace takes its content along, a CRD its objects."""
        gone = self.objects.pop(key, None)
        inside = [other for other in self.objects if other.namespace == key.name]
        if gone and key.group_kind == CRD_KIND:
            kind = GroupKind(gone.manifest["spec"]["group"], gone.manifest["spec"]["names"]["kind"])
            self._resources.pop(kind, None)
            inside = [other for other in self.objects if other.group_kind == kind]
        for other in inside if key.group_kind in (NAMESPACE_KIND, CRD_KIND) else ():
            del self.objects[other]


def _api_version(resource: Resource, version: str) -> str:
    return f"{resource.group}/{version}" if resource.group else version
