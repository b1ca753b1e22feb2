"""One desired object beside the live one: what is asked of the cluster, and what comes of the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.compare import Compared, compared
from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.diff.field_manager_migration import migration, ownership
from gitops_workers.core.diff.ignoring import Ignored, ignored, kept_alive, rules_for
from gitops_workers.core.diff.overwriting import overwriting
from gitops_workers.core.diff.ownership import owned, owner, tracker, tracking_name
from gitops_workers.core.diff.sync_baseline import ObjectBaseline, content_of
from gitops_workers.core.errors import ApplyRefused, InvalidObject, Superseded
from gitops_workers.core.model import Application, Health, IgnoreRule
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.prune.candidates import Deletion, recreation
from gitops_workers.core.record.record import applyset_id
from gitops_workers.core.sync.options import Handling, Options, to_apply
from gitops_workers.ports import Cluster, Rules


@dataclass(frozen=True, slots=True)
class ObjectState:
    """One desired object as this attempt knows it: compared, and its health. `fresh` when it was asked for now."""

    compared: Compared
    health: Health | None
    fresh: bool
    agreed: ObjectBaseline | None = None
    recreate: Deletion | None = None
    """Set where the object cannot be changed into what Git says and may be deleted and created instead."""
    whole: bool = False
    """It is created or updated as a whole: server-side apply cannot bring it about, or shall not (Replace=true)."""
    unserved: bool = False
    """The cluster does not serve its kind, and it may wait for that until its turn (SkipDryRunOnMissingResource)."""
    pending: str = ""
    """What it waits for before it can be written: the end of its earlier self; itself, where its kind has just come."""


@dataclass(frozen=True, slots=True)
class Inspector:
    """Looks at one application's objects in one cluster."""

    cluster: Cluster
    app: Application
    rules: Rules
    claimed: Callable[[ObjectKey, str], str]
    """Whose an object with another mark than ours is, "" if nobody declares it."""
    since: float = inf
    """When the running operation began: an object that is created only once counts for its health from then on."""

    def look(self, item: Desired, known: ObjectBaseline | None) -> ObjectState | ApplyRefused:
        """The object compared, or the refusal of its dry-run. `known`: what was last agreed over it."""
        options = to_apply(self.app, item.manifest)
        if options.handling is Handling.NEVER:
            return self._left_alone(item, None, options)
        try:
            found = self._asked(item, known, options)
            return self._others(item, found) or found
        except ApplyRefused as error:
            return self._refused(item, options, error)

    def _asked(self, item: Desired, known: ObjectBaseline | None, options: Options) -> ObjectState:
        replaces = options.replace
        ignoring = self._rules_for(item)
        respected = bool(ignoring) and self.app.sync.respect_ignored
        same = known is not None and known.digest == item.digest
        if not (respected or same or replaces or options.handling is Handling.ONCE):
            answer = self.cluster.apply(item.manifest, dry_run=True, validate=options.validate)
            live = None if answer.created else self.cluster.get(item.key, item.version)
            return self._compared(item, live, answer.manifest, ignoring)
        live = self.cluster.get(item.key, item.version)
        if live is not None and (alone := to_apply(self.app, item.manifest, live)).handling is not Handling.APPLIED:
            return self._left_alone(item, live, alone)
        if known is not None and live is not None and same and content_of(live) == known.content:
            return self._same(item, live)
        payload = None
        if respected and live is not None:
            payload = kept_alive(item.manifest, live, self._ignored(item, live, live, ignoring).desired)
        if replaces and payload is None:
            return self._replaced(item, live, options, ignoring)
        would_be = self.cluster.apply(payload or item.manifest, dry_run=True, validate=options.validate).manifest
        return self._compared(item, live, would_be, ignoring, payload)

    def _same(self, item: Desired, live: Manifest) -> ObjectState:
        return ObjectState(existing(item, live), self.rules.health(self.app, live), fresh=True)

    def _left_alone(self, item: Desired, live: Manifest | None, options: Options) -> ObjectState:
        """An object that is not written. Its health does not count, except while the sync that created it runs."""
        if live is None:
            return ObjectState(Compared(item, exists=False, differs=False, left_alone=options.reason), None, fresh=True)
        new = options.handling is Handling.ONCE and self.since != inf and _created(live) >= int(self.since)
        health = self.rules.health(self.app, live) if new else None
        return ObjectState(existing(item, live, options.reason), health, fresh=True)

    def _compared(
        self,
        item: Desired,
        live: Manifest | None,
        would_be: Manifest,
        ignoring: Sequence[IgnoreRule],
        payload: Manifest | None = None,
    ) -> ObjectState:
        if live is None:
            return ObjectState(compared(item, None, would_be), None, fresh=True)
        options = to_apply(self.app, item.manifest, live)
        if options.handling is not Handling.APPLIED:
            return self._left_alone(item, live, options)
        result = compared(
            item,
            live,
            would_be,
            left_alone=self._ignored(item, live, would_be, ignoring) if ignoring else None,
            absorbed=migration(self.app.dialect, live, would_be, kubectl=options.absorb),
            payload=payload,
        )
        return ObjectState(result, self.rules.health(self.app, live), fresh=True)

    def _replaced(
        self, item: Desired, live: Manifest | None, options: Options, ignoring: Sequence[IgnoreRule]
    ) -> ObjectState:
        """An object that is never applied (Replace=true): tried as it would be written, by create or update.

        What only the live object has is no difference, but goes with the next one (Argo CD 3.5).
        """
        if live is None:
            return self._new(item, options)
        look = self._overwritten(item, live, options, ignoring)
        if not look.compared.differs:
            return look
        if options.force and owned(self.app, item.key, live):
            return self._recreated(item, live, options, look)
        version, body = look.compared.resource_version, replacement(item.manifest, live)
        self.cluster.replace(body, dry_run=True, resource_version=version, validate=options.validate)
        return look

    def _new(self, item: Desired, options: Options) -> ObjectState:
        would_be = self.cluster.create(item.manifest, dry_run=True, validate=options.validate).manifest
        return ObjectState(compared(item, None, would_be), None, fresh=True, whole=True)

    def _overwritten(
        self, item: Desired, live: Manifest, options: Options, ignoring: Sequence[IgnoreRule]
    ) -> ObjectState:
        """The object compared with what a full update would make of it."""
        payload = None
        if ignoring and self.app.sync.respect_ignored and not options.replace:
            payload = kept_alive(item.manifest, live, self._ignored(item, live, live, ignoring).desired)
        body = overwriting(payload or item.manifest, live, *ownership(self.app.dialect, live, kubectl=options.absorb))
        version = str(live["metadata"].get("resourceVersion", ""))
        answer = self.cluster.replace(body, dry_run=True, resource_version=version, validate=options.validate)
        left_alone = self._ignored(item, live, answer.manifest, ignoring) if ignoring else None
        result = compared(item, live, answer.manifest, left_alone=left_alone, payload=payload)
        return ObjectState(result, self.rules.health(self.app, live), fresh=True, whole=True)

    def _recreated(self, item: Desired, live: Manifest, options: Options, look: ObjectState) -> ObjectState:
        """Delete and create, if the server would take the new object. Raises ApplyRefused, PruneRefused."""
        deletion = recreation(self.app, item, live)
        with suppress(Superseded):  # it is valid, and only its name is taken
            self.cluster.create(unassigned(item.manifest), dry_run=True, validate=options.validate)
        return replace(look, recreate=deletion, whole=True)

    def _ignored(self, item: Desired, live: Manifest, would_be: Manifest, ignoring: Sequence[IgnoreRule]) -> Ignored:
        """The fields that the rules mean, those of their jq expressions included."""
        sides = (live, would_be, item.manifest)
        jq = [text for rule in ignoring for text in rule.jq]
        return ignored(ignoring, *sides, self.rules.paths(jq, sides) if jq else ((), (), ()))

    def _refused(self, item: Desired, options: Options, error: ApplyRefused) -> ObjectState | ApplyRefused:
        """What a refused dry-run comes to: left alone, written in another way, or the refusal.

        Server-side apply cannot express everything, and its merge with what others did may be invalid where Git's
        object is not. So whatever is ours is tried as a full update, and without an object as a create; with force any
        invalid change of ours may be answered by a new object, as Flux and kubectl do.
        """
        invalid = isinstance(error, InvalidObject)
        if not invalid and not policy_of(self.app.dialect).options.live_counts:
            return error
        try:
            live = self.cluster.get(item.key, item.version)
            if live is None:
                return self._new(item, options) if invalid and not options.replace else error
            options = to_apply(self.app, item.manifest, live)
            if options.handling is not Handling.APPLIED:
                return self._left_alone(item, live, options)
        except ApplyRefused:
            return error
        if not invalid or not (options.force or owned(self.app, item.key, live)):
            return error
        if not options.replace and owned(self.app, item.key, live):
            with suppress(ApplyRefused):
                return self._overwritten(item, live, options, self._rules_for(item))
        if not options.force:
            return error
        try:
            return self._recreated(
                item, live, options, ObjectState(compared(item, live, item.manifest), None, fresh=True)
            )
        except ApplyRefused as refusal:
            return refusal

    def _rules_for(self, item: Desired) -> Sequence[IgnoreRule]:
        return rules_for(self.rules.ignored(self.app), item.key, item.version, item.manifest)

    def _others(self, item: Desired, look: ObjectState) -> ApplyRefused | None:
        """The refusal to take an object that another application still declares: both would write it forever (F32)."""
        if look.compared.left_alone:
            return None
        live = look.compared.live or {}
        mark = owner(live)
        other = self.claimed(item.key, mark) if mark not in ("", applyset_id(self.app.id)) else ""
        if other:
            return ApplyRefused(
                f"{item.key} belongs to {other}, which declares it too: remove it from one of the two. "
                "It is taken over as soon as the other one has given it up."
            )
        if self.app.sync.fail_on_shared and (name := tracker(live)) not in ("", tracking_name(self.app)):
            return ApplyRefused(
                f"{item.key} is tracked by application {name}, and {self.app.id} may not share it "
                "(FailOnSharedResource=true): remove it from one of the two."
            )
        return None


def replacement(desired: Manifest, live: Manifest) -> Manifest:
    """What a replace sends: the manifest, with the live finalizers and owners where it names none.

    Without them an object would lose what its controllers still have to clean up, or be left behind by its owner.
    """
    metadata, there = desired["metadata"], live.get("metadata") or {}
    kept = {name: there[name] for name in ("finalizers", "ownerReferences") if name in there and name not in metadata}
    return {**desired, "metadata": {**metadata, **kept}} if kept else desired


def unassigned(manifest: Manifest) -> Manifest:
    """A Service to be tried as a new one, without the addresses that its live self still holds."""
    if (manifest.get("apiVersion"), manifest.get("kind")) != ("v1", "Service"):
        return manifest
    spec = {name: value for name, value in (manifest.get("spec") or {}).items() if name not in _ASSIGNED}
    if isinstance(ports := spec.get("ports"), list):
        spec["ports"] = [
            {name: value for name, value in port.items() if name != "nodePort"} if isinstance(port, dict) else port
            for port in ports
        ]
    return {**manifest, "spec": spec}


_ASSIGNED = frozenset({"clusterIP", "clusterIPs", "healthCheckNodePort"})


def existing(item: Desired, live: Manifest, left_alone: str = "") -> Compared:
    """A live object in which nothing is to be written."""
    metadata = live.get("metadata") or {}
    return Compared(
        item,
        exists=True,
        differs=False,
        uid=metadata.get("uid", ""),
        resource_version=metadata.get("resourceVersion", ""),
        live=live,
        left_alone=left_alone,
    )


def _created(live: Manifest) -> float:
    """When the object was created, epoch s; never, where that cannot be read."""
    try:
        return datetime.fromisoformat(str((live.get("metadata") or {}).get("creationTimestamp"))).timestamp()
    except ValueError:
        return -inf
