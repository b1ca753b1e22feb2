"""One look at one application: lease, stages, at most one step of its operation, report.

Read `look` from top to bottom: it is the design's data flow. Each line takes the value of the line before; a refusal
or an outage leaves it as an error whose class says what happens next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

import structlog

from gitops_workers.core.diff import sync_baseline as agreements
from gitops_workers.core.diff.sync_baseline import Agreement
from gitops_workers.core.errors import Deferred, GitOpsError, Refused, Superseded
from gitops_workers.core.explain.explanation import KIND as EXPLANATION
from gitops_workers.core.model import AppId, Application, Dialect, Resolved, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.policy.policy import barred, check, noting
from gitops_workers.core.prune.candidates import candidates
from gitops_workers.core.prune.relocation import told
from gitops_workers.core.record.record import StoredRecord
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.core.settings.governing import seen
from gitops_workers.core.status.remarks import REPEATED_OBJECT, remarked
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync.hooks import warned
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Request
from gitops_workers.pipeline import announcements, metering, records
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.context import World
from gitops_workers.pipeline.deletion import finalize
from gitops_workers.pipeline.operation import namespaces, requests, step, termination
from gitops_workers.pipeline.reconcile import dependencies, failure, revision, settings_in_force, stages
from gitops_workers.pipeline.reconcile.decision import act
from gitops_workers.pipeline.reconcile.object_state import Observer
from gitops_workers.pipeline.reconcile.observation import Sight
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.report import abandon, report
from gitops_workers.pipeline.recovery import lost_records, repair_record
from gitops_workers.ports import Attempt, Discovery

log = structlog.get_logger()

DOCUMENTS = (
    "override",
    "agreement",
    "drift",
    requests.REQUEST,
    requests.ANSWER,
    "operation",
    "listed",
    records.KIND,
    relocation.KIND,
    refreshes.ASKED,
    refreshes.ANSWER,
    EXPLANATION,
)
"""What an attempt reads of its application, in one round trip."""
DEFERRED = 3.0
"""Seconds until an attempt begins again that would have waited for a Git host for which others wait already."""
NEWER = 1.0
"""Seconds until the commit is looked at that had to wait for an operation which has just ended."""


def reconcile(world: World, app_id: AppId) -> Status | None:
    """Serve the application's wanted generation, or the part of it that can be done without waiting.

    Returns the application's row as it is now; None when this attempt has found out nothing.
    """
    attempt = world.queue.begin(app_id, world.lease)
    if attempt is None:
        return None
    began = world.clock()
    announcements.bound(attempt)
    app = world.state.application(app_id)
    if app is None:
        world.queue.finish(attempt, done=True, due_in=None)
        return None
    with metering.attempt(world, app, began) as result:
        return _reconcile(world, app, attempt, result)


def _reconcile(world: World, app: Application, attempt: Attempt, result: metering.Result) -> Status | None:
    app_id = app.id
    kinds = (*DOCUMENTS, dependencies.WAITS) if app.depends_on else DOCUMENTS
    known = world.state.load_of(app_id, kinds, (settings_in_force.KIND,))
    app = told(app, known.get(relocation.KIND))
    leaving = finalize.wanted(world, app)
    try:
        if app.dialect is Dialect.ARGOCD:
            settings_in_force.check(world, known.get(settings_in_force.KIND))
            app = world.rules.governed(app)
        outcome = (
            look(world, app, attempt, known) if leaving is None else finalize.look(world, app, leaving, attempt, known)
        )
    except Superseded as error:
        result.word = metering.REQUEUE
        log.info("attempt_superseded", reason=str(error))
        world.queue.finish(attempt, done=False, due_in=1.0)
        return None
    except Deferred as error:
        log.info("attempt_deferred", reason=str(error))
        world.queue.finish(attempt, done=False, due_in=DEFERRED)
        return None
    except GitOpsError as error:
        result.word = metering.ERROR
        outcome = failure.outcome_of(world, app, leaving, attempt, known, error)
    except Exception as error:
        log.exception("attempt_crashed")
        failure.crashed(world, app, leaving, attempt, known, error)
        raise
    except BaseException:
        abandon(world, app, attempt)
        raise
    return None if outcome is None else report(world, app, attempt, known, outcome)


def look(world: World, app: Application, attempt: Attempt, known: Mapping[str, Any]) -> Outcome:
    """The data flow of one attempt. Raises core.errors."""
    previous = step.operation_from(known.get("operation"))
    asked = requests.of(known, previous)
    if asked is not None and asked.terminate:
        return termination.terminated(world, app, attempt, known, asked)
    if suspended(app, known.get("override")):
        return _idle(world, app, "Suspended: nothing is fetched, compared or applied until it is resumed.")
    if app.refusal:
        raise Refused(app.refusal)
    world.rules.check(app)
    cluster_name = world.clusters.resolve(app.destination.name, app.destination.server)
    cluster = world.clusters.open(cluster_name)
    refresh = refreshes.is_pending(known)
    if refresh:
        known = {**known, records.KIND: records.UNREAD}
    found = cluster.discovery(refresh=refresh)
    app = relocation.checked(world, app, cluster_name, known)

    stored, paused = repair_record.in_order(world, app, attempt, cluster_name, known, previous)
    app, commit = requests.aim(world, pauses.paused(app, paused), asked, previous, stored)
    identity = world.clusters.identity(cluster_name)
    check(app, (), identity)  # a repository that the project bars is not even fetched
    # Another worker's memory of the refs may be older than what has been written since.
    newest = max(revision.newest_of(attempt, known), stored.record.listed_at if stored else 0.0)
    chosen, listed_at = _chosen(world, app, found, asked, previous, commit, newest)
    rendered = chosen.rendered
    app, manifests = seen(app, rendered.objects, identity)
    wanted = stages.wanted(app, manifests, stages.scopes_for(cluster, found, manifests))
    app = remarked(remarked(warned(app, wanted.odd), rendered.remarks), rendered.repeated, REPEATED_OBJECT)
    stale = candidates(stored.record.inventory if stored else (), wanted.keys)
    in_git, everything = len(wanted.desired), wanted.keys
    wanted, stale = requests.narrowed(asked, wanted, stale)
    check(app, wanted.keys, identity)
    # It is neither compared nor pruned, and stays listed for the case that the project allows it again.
    stays = barred(app, (item.key for item in stale), identity)
    app = noting(app, stays)

    rules = world.rules.mark(app)
    agreement = _agreed(known, stored, rules)
    claimed = stages.claims(world, cluster_name)
    running = operations.continues(previous, chosen.resolved, rendered.digest, asked)
    observer = Observer(cluster, app, world.rules, claimed, previous.started_at if previous and running else inf)
    anew = refresh or (asked is not None and not operations.carries(previous, asked))
    moved = None if anew else _drifted(known)
    looks = stages.look_at(observer, wanted.desired, agreement, moved)
    if stored is None:
        lost_records.check(
            world, app, attempt, cluster_name, known.get(records.KIND), looks.values(), everything, agreement
        )
    namespace = None
    if asked is None or not asked.resources:
        namespace, app = namespaces.look(world, observer, cluster_name, wanted.desired)
    app = lost_records.noting(app, cluster_name, stored)
    sight = Sight(
        app=app,
        attempt=attempt,
        cluster_name=cluster_name,
        cluster=cluster,
        resolved=chosen.resolved,
        closure=chosen.closure.digest,
        rendered=rendered.digest,
        desired=wanted.desired,
        hooks=wanted.hooks,
        in_git=in_git,
        agreement=agreement,
        stored=stored,
        listed_at=listed_at,
        looks=looks,
        namespace=namespace,
        stale=stale,
        extra=stages.extraneous(cluster, app, (item for item in stale if item.key not in stays)) | stays.keys(),
        barred=frozenset(stays),
        rules=rules,
        previous=previous,
        asked=asked,
        paused=paused,
    )
    outcome = requests.told(world, sight, act(world, sight))
    outcome = replace(outcome, trail=replace(outcome.trail, chosen=chosen, stale=len(stale)))
    if chosen.newer and outcome.operation and not outcome.operation.running:
        return replace(outcome, served=False, due_in=NEWER)
    if known.get(relocation.KIND) and outcome.due_in is None:
        return replace(outcome, due_in=relocation.AGAIN)
    return outcome


def _agreed(known: Mapping[str, Any], stored: StoredRecord | None, rules: str) -> Agreement:
    """What is still true of the last agreement."""
    agreement = agreements.from_json(known.get("agreement"))
    if stored and agreement.token < stored.record.writer:
        # Somebody wrote after it and could not say what, or Redis was emptied.
        agreement = Agreement(synced=stored.record.synced)
    if agreement.rules != rules:
        agreement = replace(agreement, objects={})  # what agreed by other rules may differ by these
    return agreement


def suspended(app: Application, override: Mapping[str, Any] | None) -> bool:
    """Whether the application rests: what somebody said by hand goes before what its manifest says."""
    return bool(override["suspended"]) if override is not None else app.schedule.suspended


def _chosen(
    world: World,
    app: Application,
    found: Discovery,
    asked: Request | None,
    previous: Operation | None,
    commit: Resolved | None,
    newest: float,
) -> tuple[revision.Chosen, float]:
    """What this attempt looks at, and when the refs were listed: 0 where the commit was known without them."""
    if commit is not None:
        return revision.Chosen(commit, *stages.render_objects(world, app, commit, found)), 0.0
    refs = world.sources.refs(app.source, not_before=newest)
    going = previous if asked is None or operations.serves(previous, asked) else None
    return revision.choose(world, app, refs, found, going), refs.listed_at


def _drifted(known: Mapping[str, Any]) -> frozenset[ObjectKey]:
    """Objects that a cluster poll saw to have changed."""
    return frozenset(ObjectKey(*text.split("|")) for text in known.get("drift") or ())


def _idle(world: World, app: Application, message: str) -> Outcome:
    status = world.state.status(app.id)
    return Outcome(
        message=message,
        sync=status.sync if status else SyncStatus.UNKNOWN,
        conditions=app.conditions,
        suspended=True,
    )
