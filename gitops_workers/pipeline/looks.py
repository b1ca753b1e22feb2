"""One desired object beside the live one: what is asked of the cluster, and what comes of the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from gitops_workers.core.absorption import absorption
from gitops_workers.core.agreement import Agreed, content_of
from gitops_workers.core.compare import Compared, compared
from gitops_workers.core.desired import Desired
from gitops_workers.core.errors import ApplyRefused
from gitops_workers.core.ignoring import Ignored, ignored, kept_alive, rules_for
from gitops_workers.core.marks import owned, owner, tracker, tracking_name
from gitops_workers.core.model import Application, Dialect, Health, IgnoreRule
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.options import Handling, Options, to_apply
from gitops_workers.core.prune import Deletion, recreatable, recreation
from gitops_workers.core.record import applyset_id
from gitops_workers.ports import Cluster, Rules


@dataclass(frozen=True, slots=True)
class Look:
    """One desired object as this attempt knows it: compared, and its health. `fresh` when it was asked for now."""

    compared: Compared
    health: Health | None
    fresh: bool
    agreed: Agreed | None = None
    recreate: Deletion | None = None
    """Set where an immutable field changed and the application allows deleting and creating the object."""
    unserved: bool = False
    """The cluster does not serve its kind, and it may wait for that until its turn (SkipDryRunOnMissingResource)."""
    pending: str = ""
    """What it waits for before it can be written: the end of its earlier self; itself, where its kind has just come."""


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at one application's objects in one cluster."""

    cluster: Cluster
    app: Application
    rules: Rules
    claimed: Callable[[ObjectKey, str], str]
    """Whose an object with another mark than ours is, "" if nobody declares it."""
    since: float = inf
    """When the running operation began: an object that is created only once counts for its health from then on."""

    def look(self, item: Desired, known: Agreed | None) -> Look | ApplyRefused:
        """The object compared, or the refusal of its dry-run. `known`: what was last agreed over it."""
        options = to_apply(self.app, item.manifest)
        if options.handling is Handling.NEVER:
            return self._left_alone(item, None, options)
        try:
            found = self._asked(item, known, options)
            return self._others(item, found) or found
        except ApplyRefused as error:
            return self._refused(item, options, error)

    def _asked(self, item: Desired, known: Agreed | None, options: Options) -> Look:
        ignoring = rules_for(self.rules.ignored(self.app), item.key, item.version, item.manifest)
        respected = bool(ignoring) and self.app.sync.respect_ignored
        same = known is not None and known.digest == item.digest
        if not (respected or same or options.handling is Handling.ONCE):
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
        would_be = self.cluster.apply(payload or item.manifest, dry_run=True, validate=options.validate).manifest
        return self._compared(item, live, would_be, ignoring, payload)

    def _same(self, item: Desired, live: Manifest) -> Look:
        return Look(_existing(item, live), self.rules.health(self.app, live), fresh=True)

    def _left_alone(self, item: Desired, live: Manifest | None, options: Options) -> Look:
        """An object that is not written. Its health does not count, except while the sync that created it runs."""
        if live is None:
            return Look(Compared(item, exists=False, differs=False, left_alone=options.reason), None, fresh=True)
        new = options.handling is Handling.ONCE and self.since != inf and _created(live) >= int(self.since)
        health = self.rules.health(self.app, live) if new else None
        return Look(_existing(item, live, options.reason), health, fresh=True)

    def _compared(
        self,
        item: Desired,
        live: Manifest | None,
        would_be: Manifest,
        ignoring: Sequence[IgnoreRule],
        payload: Manifest | None = None,
    ) -> Look:
        if live is None:
            return Look(compared(item, None, would_be), None, fresh=True)
        options = to_apply(self.app, item.manifest, live)
        if options.handling is not Handling.APPLIED:
            return self._left_alone(item, live, options)
        result = compared(
            item,
            live,
            would_be,
            left_alone=self._ignored(item, live, would_be, ignoring) if ignoring else None,
            absorbed=absorption(self.app.dialect, live, would_be, kubectl=options.absorb),
            payload=payload,
        )
        health = self.rules.health(self.app, live)
        if options.replace and result.differs and payload is None:
            if options.force and owned(self.app, item.key, live):
                return Look(result, health, fresh=True, recreate=recreation(self.app, item, live))
            self.cluster.replace(
                replacement(item.manifest, live),
                dry_run=True,
                resource_version=result.resource_version,
                validate=options.validate,
            )
        return Look(result, health, fresh=True)

    def _ignored(self, item: Desired, live: Manifest, would_be: Manifest, ignoring: Sequence[IgnoreRule]) -> Ignored:
        """The fields that the rules mean, those of their jq expressions included."""
        sides = (live, would_be, item.manifest)
        jq = [text for rule in ignoring for text in rule.jq]
        return ignored(ignoring, *sides, self.rules.paths(jq, sides) if jq else ((), (), ()))

    def _refused(self, item: Desired, options: Options, error: ApplyRefused) -> Look | ApplyRefused:
        """What a refused dry-run comes to: left alone or replaced by a new object where a mark says so."""
        forced = recreatable(str(error)) and options.force
        if not forced and self.app.dialect is not Dialect.FLUX:
            return error
        try:
            live = self.cluster.get(item.key, item.version)
        except ApplyRefused:
            return error
        if live is None:
            return error
        options = to_apply(self.app, item.manifest, live)
        if options.handling is not Handling.APPLIED:
            return self._left_alone(item, live, options)
        if not (options.force and recreatable(str(error))):
            return error
        deletion = recreation(self.app, item, live)
        return Look(compared(item, live, item.manifest), None, fresh=True, recreate=deletion)

    def _others(self, item: Desired, look: Look) -> ApplyRefused | None:
        """The refusal to take an object that another application still declares: both would write it for ever (F32)."""
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


def _existing(item: Desired, live: Manifest, left_alone: str = "") -> Compared:
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
