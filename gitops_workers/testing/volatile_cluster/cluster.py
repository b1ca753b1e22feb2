"""One cluster in memory."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gitops_workers.core.errors import GitOpsError, Incomplete, Retry, ServerFailed, Superseded
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, key_of
from gitops_workers.ports import Applied, Discovery, MetadataList, ObjectMeta
from gitops_workers.testing.volatile_cluster import fields
from gitops_workers.testing.volatile_cluster.fields import owners
from gitops_workers.testing.volatile_cluster.life import Fault, Life
from gitops_workers.testing.volatile_cluster.storage import Storage, Stored


class VolatileCluster:
    """One cluster in memory; safe for any number of threads."""

    def __init__(self, name: str = "volatile", life: Life | None = None) -> None:
        """Namespaces `default` and `kube-system` exist."""
        self.name = name
        self.before_write: Callable[[str, ObjectKey], None] | None = None
        """Called before each apply and delete with the verb and the object: tests race, count and crash here."""
        self.propagations: list[str] = []
        """How each delete was to treat dependents, of which there are none here."""
        self._life = life or Life()
        self._storage = Storage(name, self._life)

    # --- the port ------------------------------------------------------------------------------------------------
    def discovery(self, *, refresh: bool = False) -> Discovery:  # noqa: ARG002 - the port's
        """See the port. Never old, so `refresh` changes nothing."""
        with self._life.lock:
            self._life.enter("discovery")
            return self._storage.discovery()

    def list_metadata(self, kinds: Iterable[GroupKind], *, part_of: str = "") -> MetadataList:
        """See the port."""
        with self._life.lock:
            asked = sorted(set(kinds))
            seen: dict[ObjectKey, ObjectMeta] = {}
            unknown: dict[GroupKind, Retry] = {}
            for kind in asked:
                try:
                    self._life.enter("list")
                    seen.update(self._storage.listed(kind, part_of))
                except (Incomplete, ServerFailed) as error:
                    unknown[kind] = error
            if unknown and len(unknown) == len(asked):
                raise unknown[asked[0]]
            return MetadataList(seen, unknown)

    def get(self, key: ObjectKey, version: str = "") -> Manifest | None:  # noqa: ARG002 - one version fits all
        """See the port."""
        with self._life.lock:
            self._life.enter("get")
            self._storage.resource(key)
            stored = self._storage.objects.get(key)
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
            self._storage.check(manifest, key)
            held = self._storage.objects.get(key)
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
            result = self._storage.finished(key, merged, held)
            after = Stored(result, owned, others)
            if dry_run:
                if not held:
                    result["metadata"].pop("resourceVersion", None)
            else:
                self._storage.objects[key] = after
                self._storage.follow(key, result)
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
            self._storage.check(manifest, key)
            held = self._storage.objects.get(key)
            if held is None or held.manifest["metadata"]["resourceVersion"] != resource_version:
                raise Superseded(f"{key} in cluster {self.name} has changed since it was read")
            after = fields.replaced(held.manifest, manifest)
            owned, others = fields.owned_after_replace(held.owned, held.others, held.manifest, after)
            stored = Stored(self._storage.finished(key, after, held), owned, others)
            if not dry_run:
                self._storage.objects[key] = stored
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
            self._storage.check(manifest, key)
            if key in self._storage.objects:
                raise Superseded(f"{key} in cluster {self.name} exists already")
            made = fields.desired(manifest)
            owned, others = fields.owned_after_replace(frozenset(), {}, {}, made)
            stored = Stored(self._storage.finished(key, copy.deepcopy(made), None), owned, others)
            if not dry_run:
                self._storage.objects[key] = stored
                self._storage.follow(key, stored.manifest)
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
            held = self._storage.objects.get(key)
            if held is None or held.manifest["metadata"]["resourceVersion"] != resource_version:
                raise Superseded(f"{key} in cluster {self.name} has changed since it was read")
            owned, others = owners(fields)
            metadata = {**held.manifest["metadata"], "resourceVersion": self._life.tick()}
            self._storage.objects[key] = Stored({**held.manifest, "metadata": metadata}, owned, others)
            return str(metadata["resourceVersion"])

    def set_finalizers(
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
            held = self._storage.objects.get(key)
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
            self._storage.resource(key)
            held = self._storage.objects.get(key)
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
    def failed_groups(self) -> set[str]:
        """API groups whose discovery does not answer."""
        return self._storage.failed_groups

    @failed_groups.setter
    def failed_groups(self, groups: set[str]) -> None:
        self._storage.failed_groups = groups

    @property
    def requests(self) -> Counter[str]:
        """How many requests of each verb there were: list, get, apply, dry-run, delete, discovery, record-..."""
        return self._life.requests

    def objects(self) -> dict[ObjectKey, Manifest]:
        """Everything there is, as a copy."""
        with self._life.lock:
            return {key: copy.deepcopy(stored.manifest) for key, stored in self._storage.objects.items()}

    def edit(self, manifest: Manifest, manager: str = "") -> Manifest:
        """Somebody else writes these fields (and takes them over); returns the object.

        With a `manager` its ownership is remembered and shown.
        """
        with self._life.lock:
            return self._storage.edit(manifest, manager)

    def put_status(self, key: ObjectKey, status: Mapping[str, Any]) -> None:
        """A controller reports; the generation stays."""
        with self._life.lock:
            stored = self._storage.objects[key]
            metadata = {**stored.manifest["metadata"], "resourceVersion": self._life.tick()}
            stored.manifest = {**stored.manifest, "metadata": metadata, "status": copy.deepcopy(dict(status))}

    def remove(self, key: ObjectKey) -> None:
        """Somebody deletes the object; a namespace takes its content along, a CRD its objects."""
        with self._life.lock:
            self._storage.remove(key)

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
