"""One cluster in memory."""

from __future__ import annotations

import copy
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_workers.core.errors import ApplyRefused, GitOpsError, Incomplete, Retry, ServerFailed, Superseded
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, key_of
from gitops_workers.core.record.record import PART_OF
from gitops_workers.ports import Applied, Discovery, MetadataList, ObjectMeta, Resource
from gitops_workers.testing.volatile_cluster import fields
from gitops_workers.testing.volatile_cluster.built_in import built_in
from gitops_workers.testing.volatile_cluster.fields import owners
from gitops_workers.testing.volatile_cluster.life import Fault, Life

NAMESPACE_KIND = GroupKind("", "Namespace")
CRD_KIND = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")

_WITHOUT_GENERATION = frozenset({"Namespace", "Service", "PersistentVolumeClaim"})


@dataclass(slots=True)
class _Stored:
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


class VolatileCluster:
    """One cluster in memory; safe for any number of threads."""

    def __init__(self, name: str = "volatile", life: Life | None = None) -> None:
        """Namespaces `default` and `kube-system` exist."""
        self.name = name
        self.before_write: Callable[[str, ObjectKey], None] | None = None
        """Called before each apply and delete with the verb and the object: tests race, count and crash here."""
        self.propagations: list[str] = []
        """How each delete was to treat dependents, of which there are none here."""
        self.failed_groups: set[str] = set()
        """API groups whose discovery does not answer."""
        self._life = life or Life()
        self._objects: dict[ObjectKey, _Stored] = {}
        self._resources = built_in()
        for namespace in ("default", "kube-system"):
            self.edit({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    # --- the port ------------------------------------------------------------------------------------------------
    def discovery(self, *, refresh: bool = False) -> Discovery:  # noqa: ARG002 - the port's
        """See the port. Never old, so `refresh` changes nothing."""
        with self._life.lock:
            self._life.enter("discovery")
            known = {kind: item for kind, item in self._resources.items() if kind.group not in self.failed_groups}
            versions = dict.fromkeys(_api_version(item, name) for item in known.values() for name in item.versions)
            kinds = [f"{_api_version(item, name)}/{item.kind}" for item in known.values() for name in item.versions]
            return Discovery(known, "v1.37.0", (*versions, *kinds), frozenset(self.failed_groups))

    def list_metadata(self, kinds: Iterable[GroupKind], *, part_of: str = "") -> MetadataList:
        """See the port."""
        with self._life.lock:
            asked = sorted(set(kinds))
            seen: dict[ObjectKey, ObjectMeta] = {}
            unknown: dict[GroupKind, Retry] = {}
            for kind in asked:
                try:
                    seen.update(self._listed(kind, part_of))
                except (Incomplete, ServerFailed) as error:
                    unknown[kind] = error
            if unknown and len(unknown) == len(asked):
                raise unknown[asked[0]]
            return MetadataList(seen, unknown)

    def get(self, key: ObjectKey, version: str = "") -> Manifest | None:  # noqa: ARG002 - one version fits all
        """See the port."""
        with self._life.lock:
            self._life.enter("get")
            self._resource(key)
            stored = self._objects.get(key)
            return stored.shown() if stored else None

    def apply(
        self,
        manifest: Manifest,
        *,
        dry_run: bool,
        resource_version: str = "",
        validate: bool = True,  # noqa: ARG002 - there are no schemas
    ) -> Applied:
        """See the port."""
        key = key_of(manifest)
        if self.before_write and not dry_run:
            self.before_write("apply", key)
        with self._life.lock:
            self._life.enter("dry-run" if dry_run else "apply")
            self._check(manifest, key)
            held = self._objects.get(key)
            if resource_version and held and held.manifest["metadata"]["resourceVersion"] != resource_version:
                raise Superseded(f"{key} in cluster {self.name} has changed since it was read")
            if resource_version and not held and dry_run:
                raise Superseded(f"{key} in cluster {self.name} has changed since it was read")
            desired = fields.desired(manifest)
            owned = frozenset(fields.leaves(desired))
            merged = copy.deepcopy(held.manifest) if held else {}
            others = fields.without_conflicts(held.others, merged, desired) if held else {}
            theirs = frozenset[fields.Path]().union(*others.values())
            for path in (held.owned if held else frozenset()) - owned - theirs:
                fields.remove(merged, path)
            fields.merge(merged, desired)
            result = self._finished(key, merged, held)
            after = _Stored(result, owned, others)
            if dry_run:
                if not held:
                    result["metadata"].pop("resourceVersion", None)
            else:
                self._objects[key] = after
                self._follow(key, result)
            return Applied(after.shown(), created=held is None)

    def replace(
        self,
        manifest: Manifest,
        *,
        dry_run: bool,
        resource_version: str,
        validate: bool = True,  # noqa: ARG002 - there are no schemas
    ) -> Applied:
        """See the port."""
        key = key_of(manifest)
        if self.before_write and not dry_run:
            self.before_write("replace", key)
        with self._life.lock:
            self._life.enter("dry-run" if dry_run else "replace")
            self._check(manifest, key)
            held = self._objects.get(key)
            if held is None or held.manifest["metadata"]["resourceVersion"] != resource_version:
                raise Superseded(f"{key} in cluster {self.name} has changed since it was read")
            after = fields.replaced(held.manifest, manifest)
            owned, others = fields.owned_after_replace(held.owned, held.others, held.manifest, after)
            stored = _Stored(self._finished(key, after, held), owned, others)
            if not dry_run:
                self._objects[key] = stored
            return Applied(stored.shown(), created=False)

    def create(
        self,
        manifest: Manifest,
        *,
        dry_run: bool,
        validate: bool = True,  # noqa: ARG002 - there are no schemas
    ) -> Applied:
        """See the port."""
        key = key_of(manifest)
        if self.before_write and not dry_run:
            self.before_write("create", key)
        with self._life.lock:
            self._life.enter("dry-run" if dry_run else "create")
            self._check(manifest, key)
            if key in self._objects:
                raise Superseded(f"{key} in cluster {self.name} exists already")
            made = fields.desired(manifest)
            owned, others = fields.owned_after_replace(frozenset(), {}, {}, made)
            stored = _Stored(self._finished(key, copy.deepcopy(made), None), owned, others)
            if not dry_run:
                self._objects[key] = stored
                self._follow(key, stored.manifest)
            return Applied(stored.shown(), created=True)

    def set_managed_fields(
        self,
        key: ObjectKey,
        fields: Sequence[Mapping[str, Any]],
        *,
        resource_version: str,
        version: str = "",  # noqa: ARG002 - one version fits all
    ) -> str:
        """See the port."""
        if self.before_write:
            self.before_write("hand-over", key)
        with self._life.lock:
            self._life.enter("hand-over")
            held = self._objects.get(key)
            if held is None or held.manifest["metadata"]["resourceVersion"] != resource_version:
                raise Superseded(f"{key} in cluster {self.name} has changed since it was read")
            owned, others = owners(fields)
            metadata = {**held.manifest["metadata"], "resourceVersion": self._life.tick()}
            self._objects[key] = _Stored({**held.manifest, "metadata": metadata}, owned, others)
            return str(metadata["resourceVersion"])

    def release(
        self,
        key: ObjectKey,
        finalizers: Sequence[str],
        *,
        resource_version: str,
        version: str = "",  # noqa: ARG002 - one version fits all
    ) -> None:
        """See the port."""
        if self.before_write:
            self.before_write("release", key)
        with self._life.lock:
            self._life.enter("release")
            held = self._objects.get(key)
            if held is None:
                return
            if held.manifest["metadata"]["resourceVersion"] != resource_version:
                raise Superseded(f"{key} in cluster {self.name} has changed since it was read")
            metadata = {**held.manifest["metadata"], "resourceVersion": self._life.tick()}
            metadata["finalizers"] = list(finalizers)
            held.manifest = {**held.manifest, "metadata": metadata}
            if metadata.get("deletionTimestamp") and not finalizers:
                self.remove(key)

    def delete(
        self,
        key: ObjectKey,
        *,
        uid: str,
        version: str = "",  # noqa: ARG002 - one version fits all
        propagation: str = "Background",
    ) -> bool:
        """See the port."""
        if self.before_write:
            self.before_write("delete", key)
        with self._life.lock:
            self._life.enter("delete")
            self._resource(key)
            held = self._objects.get(key)
            if held is None or held.manifest["metadata"]["uid"] != uid:
                return False
            self.propagations.append(propagation)
            metadata = held.manifest["metadata"]
            if metadata.get("finalizers"):
                stamp = metadata.get("deletionTimestamp") or "2026-01-01T00:00:00Z"
                changed = {**metadata, "deletionTimestamp": stamp, "resourceVersion": self._life.tick()}
                held.manifest = {**held.manifest, "metadata": changed}
            else:
                self.remove(key)
            return True

    # --- other hands, and bad luck -------------------------------------------------------------------------------
    @property
    def requests(self) -> Counter[str]:
        """How many requests of each verb there were: list, get, apply, dry-run, delete, discovery, record-..."""
        return self._life.requests

    def objects(self) -> dict[ObjectKey, Manifest]:
        """Everything there is, as a copy."""
        with self._life.lock:
            return {key: copy.deepcopy(stored.manifest) for key, stored in self._objects.items()}

    def edit(self, manifest: Manifest, manager: str = "") -> Manifest:
        """Somebody else writes these fields (and takes them over); returns the object.

        With a `manager` its ownership is remembered and shown.
        """
        key = key_of(manifest)
        with self._life.lock:
            held = self._objects.get(key)
            merged = copy.deepcopy(held.manifest) if held else {}
            fields.merge(merged, fields.desired(manifest))
            result = self._finished(key, merged, held)
            others = dict(held.others) if held else {}
            if manager:
                written = frozenset(fields.leaves(fields.desired(manifest))) - fields.IDENTITY
                others[manager] = others.get(manager, frozenset()) | written
            self._objects[key] = _Stored(result, held.owned if held else frozenset(), others)
            self._follow(key, result)
            if "deletionTimestamp" in result["metadata"] and not result["metadata"].get("finalizers"):
                self.remove(key)
            return copy.deepcopy(result)

    def put_status(self, key: ObjectKey, status: Mapping[str, Any]) -> None:
        """A controller reports; the generation stays."""
        with self._life.lock:
            stored = self._objects[key]
            metadata = {**stored.manifest["metadata"], "resourceVersion": self._life.tick()}
            stored.manifest = {**stored.manifest, "metadata": metadata, "status": copy.deepcopy(dict(status))}

    def remove(self, key: ObjectKey) -> None:
        """Somebody deletes the object; a namespace takes its content along, a CRD its objects."""
        with self._life.lock:
            gone = self._objects.pop(key, None)
            inside = [other for other in self._objects if other.namespace == key.name]
            if gone and key.group_kind == CRD_KIND:
                kind = GroupKind(gone.manifest["spec"]["group"], gone.manifest["spec"]["names"]["kind"])
                self._resources.pop(kind, None)
                inside = [other for other in self._objects if other.group_kind == kind]
            for other in inside if key.group_kind in (NAMESPACE_KIND, CRD_KIND) else ():
                del self._objects[other]

    def fail_next(self, error: GitOpsError, times: int = 1, verb: str = "") -> None:
        """The next requests (of one verb, or any) raise this error without doing anything."""
        with self._life.lock:
            self._life.faults.extend(Fault(error, verb) for _ in range(times))

    def end_faults(self) -> None:
        """Forget the faults that `fail_next` announced and that no request has met."""
        with self._life.lock:
            self._life.faults.clear()

    def cut_lists(self, times: int = 1) -> None:
        """The next listings come without their last page."""
        self.fail_next(Incomplete(f"cluster {self.name} cut a list short; its objects are unknown"), times, "list")

    def _listed(self, kind: GroupKind, owner: str) -> dict[ObjectKey, ObjectMeta]:
        self._life.enter("list")
        if kind.group in self.failed_groups:
            raise Incomplete(f"cluster {self.name} does not say now what is in API group {kind.group}")
        seen = {}
        for key, stored in self._objects.items():
            metadata = stored.manifest["metadata"]
            part_of = (metadata.get("labels") or {}).get(PART_OF)
            if key.group_kind == kind and part_of is not None and owner in ("", part_of):
                seen[key] = ObjectMeta(
                    metadata["uid"], metadata["resourceVersion"], metadata.get("generation", 0), part_of
                )
        return seen

    def _resource(self, key: ObjectKey) -> Resource:
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

    def _check(self, manifest: Manifest, key: ObjectKey) -> None:
        resource = self._resource(key)
        version = manifest["apiVersion"].rpartition("/")[2]
        if version not in resource.versions:
            raise ApplyRefused(
                f"{key} is written in version {version}, which cluster {self.name} does not serve; "
                f"it serves {', '.join(resource.versions)}"
            )
        if resource.namespaced and ObjectKey("", "Namespace", "", key.namespace) not in self._objects:
            raise ApplyRefused(
                f"{key} in cluster {self.name} has no namespace {key.namespace}: create it, or set the sync option "
                "CreateNamespace=true"
            )

    def _finished(self, key: ObjectKey, merged: Manifest, held: _Stored | None) -> Manifest:
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

    def _follow(self, key: ObjectKey, manifest: Manifest) -> None:
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


def _api_version(resource: Resource, version: str) -> str:
    return f"{resource.group}/{version}" if resource.group else version
