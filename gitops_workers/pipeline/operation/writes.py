"""The only place that changes a cluster: fence, deletes, applies, gates.

Before the first write of every step the record is compare-and-swapped: our generation, our fencing token, and the union
of the inventory. An attempt that finds a later generation or another record than the one it read stops (F05): what it
has compared is no longer true. What a crash leaves behind is in the inventory and compares as in sync, so the next step
goes on where this one stopped (F31). Between two writes the lease is renewed; a lost lease ends the step. A frozen
worker can still send the one request it was about to send: each names the resourceVersion that was compared, which
refuses most of those.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.diff.field_manager_migration import after_replace, ownership
from gitops_workers.core.diff.overwriting import overwriting
from gitops_workers.core.diff.ownership import hook_owned
from gitops_workers.core.errors import ApplyRefused, GitOpsError, Incomplete, InvalidObject, Superseded
from gitops_workers.core.health.argocd import HOOK_FINALIZER
from gitops_workers.core.model import Health
from gitops_workers.core.objects import Manifest, ObjectKey, key_of
from gitops_workers.core.prune.candidates import Deletion, end_of
from gitops_workers.core.sync.options import Options, to_apply
from gitops_workers.pipeline.operation.fence import Fence
from gitops_workers.pipeline.reconcile.object_state import ObjectState, existing, replacement

MOST_CONFLICTS = 3
"""So often an object may change under one write before the attempt is given up: a controller writing status."""


@dataclass(slots=True)
class Writer(Fence):
    """One attempt's right to change one cluster. Created per step; not shared between threads."""

    applied: int = 0
    hooks_run: int = 0
    deleted: set[ObjectKey] = field(default_factory=set)

    def write(self, item: Desired, states: dict[ObjectKey, ObjectState]) -> None:
        """Apply one object where it differs; `states` is brought up to date with the server's answer."""
        if not states[item.key].compared.in_sync:
            with self.context.tracer.span("apply", object=item.key):
                states[item.key] = self._apply(item, states[item.key])

    def prune(self, deletions: Iterable[Deletion]) -> None:
        """Delete what left Git, alone or with its application."""
        for doomed in deletions:
            if self._delete(doomed):
                self.deleted.add(doomed.key)

    def run_hook(self, item: Desired) -> Manifest:
        """Create the object of a hook run, or put this run's mark on the one that is there."""
        self.fence()
        self.lease.keep()
        self.hooks_run += 1
        with self.context.tracer.span("hook", object=item.key):
            live = self._run(item)
        try:
            self.lease.keep()
        except Superseded:
            self._let_go(item, live)
            raise
        return live

    def _run(self, item: Desired) -> Manifest:
        try:
            return self.cluster.apply(item.manifest, dry_run=False).manifest
        except InvalidObject as error:
            try:  # an apply cannot express everything that a create takes
                return self.cluster.create(item.manifest, dry_run=False).manifest
            except Superseded:
                raise error from None

    def remove(self, deletion: Deletion) -> None:
        """Delete the object of a hook run."""
        self._delete(deletion)

    def release(self, key: ObjectKey, live: Manifest, version: str) -> None:
        """Take our finalizer off the object of a hook run."""
        self.fence()
        self.lease.keep()
        self._free(key, live, version)

    def owns(self, key: ObjectKey, live: Manifest) -> bool:
        """Whether the object of a hook run is this application's."""
        return hook_owned(self.app, key, live)

    def apply_namespace(self, manifest: Manifest) -> None:
        """CreateNamespace=true: the namespace, unowned, so that it is never pruned with the application."""
        self.fence()
        with self.context.tracer.span("apply", object=key_of(manifest)):
            self.cluster.apply(manifest, dry_run=False)
        self.applied += 1

    def _let_go(self, item: Desired, live: Manifest) -> None:
        """A hook that was created too late, by a worker that stood still: whoever has taken over may not know of it.

        The one thing that is done without the lease: only this very version, which nobody but us has written, is freed.
        """
        with contextlib.suppress(GitOpsError):
            self._free(item.key, live, item.version)

    def _free(self, key: ObjectKey, live: Manifest, version: str) -> None:
        metadata = live["metadata"]
        others = [name for name in metadata.get("finalizers") or () if name != HOOK_FINALIZER]
        with self.context.tracer.span("release", object=key):
            self.cluster.set_finalizers(key, others, resource_version=metadata["resourceVersion"], version=version)

    def _apply(self, item: Desired, look: ObjectState) -> ObjectState:
        self.fence()
        options = to_apply(self.app, item.manifest)
        if look.unserved and self._just_served(item):
            return replace(look, pending=str(item.key))
        if look.recreate and (left := self._remove_first(item, look.recreate)):
            return replace(look, pending=left)
        version = "" if look.recreate else look.compared.resource_version
        live = look.compared.live or {}
        if look.compared.absorption is not None and version and not look.whole:
            self.lease.keep()
            fields = look.compared.absorption.fields
            version = self.cluster.set_managed_fields(item.key, fields, resource_version=version, version=item.version)
        payload = look.compared.payload or item.manifest
        for _ in range(MOST_CONFLICTS):
            self.lease.keep()
            try:
                if look.whole:
                    body = self._whole(payload, live, options) if version else payload
                    found = self._replace(item, body, version, validate=options.validate)
                else:
                    answer = self.cluster.apply(
                        payload, dry_run=False, resource_version=version, validate=options.validate
                    )
                    found = answer.manifest
            except Superseded:
                live = self._moved(item)
                version = str((live.get("metadata") or {}).get("resourceVersion", ""))
                continue
            self.applied += 1
            self.deleted.discard(item.key)
            return applied(item, found, self.context.rules.health(self.app, found))
        raise Superseded(
            f"{item.key} changed {MOST_CONFLICTS} times while it was being written; it is looked at again."
        )

    def _whole(self, payload: Manifest, live: Manifest, options: Options) -> Manifest:
        if options.replace:
            return replacement(payload, live)
        return overwriting(payload, live, *ownership(self.app.dialect, live, kubectl=options.absorb))

    def _replace(self, item: Desired, body: Manifest, version: str, *, validate: bool) -> Manifest:
        """Update this version of the object as a whole, or create it where there is none.

        What that made ours is then ours as by an apply, so that it goes when it leaves Git.
        """
        if version:
            answer = self.cluster.replace(body, dry_run=False, resource_version=version, validate=validate).manifest
        else:
            answer = self.cluster.create(body, dry_run=False, validate=validate).manifest
        found: Manifest | None = answer
        for _ in range(MOST_CONFLICTS):
            fields = after_replace(self.app.dialect, found) if found else ()
            if not found or not fields:
                break
            self.lease.keep()
            version = found["metadata"]["resourceVersion"]
            try:
                version = self.cluster.set_managed_fields(
                    item.key, fields, resource_version=version, version=item.version
                )
            except Superseded:  # a controller has written meanwhile
                found = self.cluster.get(item.key, item.version)
                continue
            if found is answer:
                return {**answer, "metadata": {**answer["metadata"], "resourceVersion": version}}
            break
        return answer  # of a version that is no more, where others wrote: the next poll has their write looked at

    def _just_served(self, item: Desired) -> bool:
        """True when the cluster serves the kind now: the next step knows its scope and can try the object first."""
        found = self.cluster.discovery(refresh=True)
        if item.key.group_kind in found.resources:
            return True
        if item.key.group in found.failed:
            raise Incomplete(f"{item.key}: the cluster does not say now what is in API group {item.key.group}")
        raise ApplyRefused(
            f"{item.key}: its turn has come, and the cluster does not serve this kind yet. "
            "Apply its CustomResourceDefinition in an earlier wave, or correct apiVersion and kind."
        )

    def _remove_first(self, item: Desired, deletion: Deletion) -> str:
        """Delete an object that is created anew; what to wait for while its finalizers or its grace period keep it."""
        self._delete(deletion)
        left = self.cluster.get(item.key, item.version)
        return end_of(item.key, left) if left is not None and left["metadata"]["uid"] == deletion.uid else ""

    def _moved(self, item: Desired) -> Manifest:
        """The object changed since it was compared: ours to write still, if the record says so. Empty if it is gone."""
        self.lease.prove()
        stored = self.context.clusters.records(self.cluster_name).load(self.app.id)
        if stored is None or stored.record.writer != self.attempt.token:
            raise Superseded(f"{self.app.id}: another attempt writes now.")
        return self.cluster.get(item.key, item.version) or {}

    def _delete(self, doomed: Deletion) -> bool:
        self.fence()
        self.lease.keep()
        with self.context.tracer.span("delete", object=doomed.key):
            return self.cluster.delete(
                doomed.key, uid=doomed.uid, version=doomed.version, propagation=doomed.propagation
            )


def applied(item: Desired, live: Manifest, health: Health | None) -> ObjectState:
    """What is known of an object right after its write."""
    return ObjectState(existing(item, live), health, fresh=True)
