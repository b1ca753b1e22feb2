"""The reading stages of one attempt: each takes the values before it and returns the next one; none is changed later.

open_target    the destination cluster, and the application's record there
render         the commit, and the objects that its files mean
select         which of them are wanted, and which objects left Git; the project's policy over both
compare        the live objects beside the wanted ones
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents.sets import DriftedObjects
from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.policy.policy import check, denied_objects, with_denied_condition
from gitops_workers.core.prune.candidates import candidates
from gitops_workers.core.record.record import InventoryItem, StoredRecord
from gitops_workers.core.record.record_copy import RecordCopy
from gitops_workers.core.settings.governing import without_excluded
from gitops_workers.core.status.remarks import REPEATED_OBJECT, with_remarks_condition
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync.hooks import with_hook_conditions
from gitops_workers.core.sync.pause import Pause
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import namespaces, requests
from gitops_workers.pipeline.reconcile import stages
from gitops_workers.pipeline.reconcile.object_state import Inspector
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.revision import RenderedRevision, choose, newest_of
from gitops_workers.pipeline.reconcile.stages import DesiredState
from gitops_workers.pipeline.recovery import lost_records, repair_record
from gitops_workers.ports import Attempt, Cluster, Discovery


@dataclass(frozen=True, slots=True)
class Target:
    """The destination as an attempt finds it. `app` carries the conditions found so far, as in the later values."""

    app: Application
    attempt: Attempt
    known: StoredState
    name: str
    """The cluster's name in this installation."""
    cluster: Cluster
    identity: ClusterIdentity
    discovery: Discovery
    stored: StoredRecord | None
    paused: Pause | None
    commit: Resolved | None
    """The commit that a request names; None: the newest of the application's revision."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The commit and its objects. `app` is under the installation's settings now."""

    app: Application
    chosen: RenderedRevision
    listed_at: float
    """When the refs were listed, 0 where the commit was known without them."""
    manifests: tuple[Manifest, ...]
    """The objects without those that the installation excludes."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a sync may be about: the wanted objects and those that left Git, as far as request and policy allow."""

    app: Application
    wanted: DesiredState
    stale: tuple[InventoryItem, ...]
    denied: Mapping[ObjectKey, str]
    """Stale objects that the project does not allow, with the reason: neither compared nor pruned, and still listed."""
    in_git: int
    """How many objects Git has, also those that the request leaves out."""
    everything: tuple[ObjectKey, ...]


def open_target(context: Context, app: Application, attempt: Attempt, known: StoredState) -> Target:
    """Open the destination and read the record; a project that bars the repository or the place refuses here."""
    name = context.clusters.resolve(app.destination.name, app.destination.server)
    cluster = context.clusters.open(name)
    context.tracer.note(cluster=name)
    if known.refresh_pending:
        known = replace(known, record=RecordCopy())
    discovery = cluster.discovery(refresh=known.refresh_pending)
    app = relocation.with_leftovers(context, app, name, known.left_behind)
    stored, paused = repair_record.repaired_record(context, app, attempt, name, known)
    app = pauses.with_pause_condition(app, paused)
    app, commit = requests.resolve_request(context, app, known.asked, known.operation, stored)
    identity = context.clusters.identity(name)
    check(app, (), identity)  # a repository that the project bars is not even fetched
    return Target(app, attempt, known, name, cluster, identity, discovery, stored, paused, commit)


def render(context: Context, target: Target) -> Revision:
    """Resolve the revision, fetch it and render it."""
    chosen, listed_at = _chosen(context, target)
    context.tracer.note(commit=chosen.resolved.commit)
    app, manifests = without_excluded(target.app, chosen.rendered.objects, target.identity)
    return Revision(app, chosen, listed_at, tuple(manifests))


def select(target: Target, revision: Revision) -> Selection:
    """What is wanted and what left Git. Raises PolicyRefused for an object that the project does not allow."""
    asked, stored, rendered = target.known.asked, target.stored, revision.chosen.rendered
    scopes = stages.scopes_for(target.cluster, target.discovery, revision.manifests)
    wanted = stages.desired_state(revision.app, revision.manifests, scopes)
    app = with_hook_conditions(revision.app, wanted.odd)
    app = with_remarks_condition(app, rendered.remarks)
    app = with_remarks_condition(app, rendered.repeated, REPEATED_OBJECT)
    stale = candidates(stored.record.inventory if stored else (), wanted.keys)
    in_git, everything = len(wanted.desired), wanted.keys
    wanted, stale = requests.select_resources(asked, wanted, stale)
    check(app, wanted.keys, target.identity)
    denied = denied_objects(app, (item.key for item in stale), target.identity)
    return Selection(with_denied_condition(app, denied), wanted, stale, denied, in_git, everything)


def compare(context: Context, target: Target, revision: Revision, selection: Selection) -> Observation:
    """The live objects beside the wanted ones: everything that the decision is made by."""
    app, known, stored, wanted = selection.app, target.known, target.stored, selection.wanted
    previous, asked, rendered = known.operation, known.asked, revision.chosen.rendered
    rules = context.rules.mark(app)
    baseline = _agreed(known.baseline, stored, rules)
    running = operations.continues(previous, revision.chosen.resolved, rendered.digest, asked)
    since = previous.started_at if previous and running else inf
    inspector = Inspector(target.cluster, app, context.rules, stages.claims(context, target.name), since)
    anew = known.refresh_pending or (asked is not None and not operations.carries(previous, asked))
    states = stages.inspect_objects(inspector, wanted.desired, baseline, None if anew else _drifted(known.drift))
    if stored is None:
        lost_records.check_lost_record(
            context, app, target.attempt, target.name, known.record, states.values(), selection.everything, baseline
        )
    namespace = None
    if asked is None or not asked.resources:
        namespace, app = namespaces.inspect_namespace(context, inspector, target.name, wanted.desired)
    denied = selection.denied.keys()
    comparable = (item for item in selection.stale if item.key not in denied)
    return Observation(
        app=lost_records.with_rebuilt_condition(app, target.name, stored),
        attempt=target.attempt,
        cluster_name=target.name,
        cluster=target.cluster,
        resolved=revision.chosen.resolved,
        closure=revision.chosen.closure.digest,
        rendered=rendered.digest,
        desired=wanted.desired,
        hooks=wanted.hooks,
        in_git=selection.in_git,
        baseline=baseline,
        stored=stored,
        listed_at=revision.listed_at,
        states=states,
        namespace=namespace,
        stale=selection.stale,
        extra=stages.extraneous(target.cluster, app, comparable) | denied,
        denied=frozenset(denied),
        rules=rules,
        previous=previous,
        asked=asked,
        paused=target.paused,
    )


def _chosen(context: Context, target: Target) -> tuple[RenderedRevision, float]:
    """The commit of this attempt with its objects, and when the refs were listed."""
    app, known, discovery = target.app, target.known, target.discovery
    if target.commit is not None:
        return RenderedRevision(target.commit, *stages.render_objects(context, app, target.commit, discovery)), 0.0
    # Another worker's memory of the refs may be older than what has been written since.
    written_at = target.stored.record.listed_at if target.stored else 0.0
    newest = max(newest_of(target.attempt, known), written_at)
    with context.tracer.span("resolve"):
        listing = context.sources.poll(app.source, not_before=newest)
    previous, asked = known.operation, known.asked
    going = previous if asked is None or operations.serves(previous, asked) else None
    return choose(context, app, listing, discovery, going), listing.listed_at


def _agreed(baseline: SyncBaseline, stored: StoredRecord | None, rules: str) -> SyncBaseline:
    """What is still true of the last agreement."""
    if stored and baseline.token < stored.record.writer:
        # Somebody wrote after it and could not say what, or Redis was emptied.
        baseline = SyncBaseline(synced=stored.record.synced)
    if baseline.rules != rules:
        baseline = replace(baseline, objects={})  # what agreed by other rules may differ by these
    return baseline


def _drifted(drift: DriftedObjects | None) -> frozenset[ObjectKey] | None:
    """Objects that a cluster poll saw to have changed; None where it may be each of them."""
    if drift is None:
        return frozenset()
    return None if drift.every else drift.keys
