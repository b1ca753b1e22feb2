"""One look at one application: lease, stages, at most one step of its operation, report.

Read `look` from top to bottom: it is the design's data flow. Each line takes the value of the line before; a refusal
or an outage leaves it as an error whose class says what happens next.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import structlog

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents.kinds import DELETION_ORDER, WAITS
from gitops_workers.core.documents.sets import DriftedObjects
from gitops_workers.core.documents.stored_state import OF_APPLICATION, SHARED, StoredState, stored_state
from gitops_workers.core.documents.wills import Override
from gitops_workers.core.errors import Deferred, GitOpsError, Refused, Superseded
from gitops_workers.core.model import AppId, Application, Resolved, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.policy.policy import check, denied_objects, with_denied_condition
from gitops_workers.core.prune.candidates import candidates
from gitops_workers.core.prune.deletion import with_order_condition
from gitops_workers.core.prune.relocation import with_relocation_condition
from gitops_workers.core.record.record import StoredRecord
from gitops_workers.core.record.record_copy import RecordCopy
from gitops_workers.core.settings.governing import without_excluded
from gitops_workers.core.status.remarks import REPEATED_OBJECT, with_remarks_condition
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync.hooks import with_hook_conditions
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Request
from gitops_workers.pipeline import announcements, metering
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import finalize
from gitops_workers.pipeline.operation import namespaces, requests, termination
from gitops_workers.pipeline.reconcile import failure, revision, settings_in_force, stages
from gitops_workers.pipeline.reconcile.act import act
from gitops_workers.pipeline.reconcile.object_state import Inspector
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.report import release_attempt, report
from gitops_workers.pipeline.recovery import lost_records, repair_record
from gitops_workers.ports import Attempt, Discovery

log = structlog.get_logger()

RETRY_AFTER_DEFERRED_S = 3.0
"""Seconds until an attempt begins again that would have waited for a Git host for which others wait already."""
RECHECK_NEWER_COMMIT_S = 1.0
"""Seconds until the commit is looked at that had to wait for an operation which has just ended."""


def reconcile(context: Context, app_id: AppId) -> Status | None:
    """Serve the application's wanted generation, or the part of it that can be done without waiting.

    Returns the application's row as it is now; None when this attempt has found out nothing.
    """
    attempt = context.queue.begin(app_id, context.lease)
    if attempt is None:
        return None
    began = context.clock()
    announcements.bind_attempt(attempt)
    app = context.state.application(app_id)
    if app is None:
        context.queue.finish(attempt, done=True, due_in=None)
        return None
    with metering.attempt(context, app, began) as result:
        return _reconcile(context, app, attempt, result)


def _reconcile(context: Context, app: Application, attempt: Attempt, result: metering.Result) -> Status | None:
    known = _read(context, app)
    app = with_relocation_condition(app, known.left_behind)
    leaving = finalize.deletion_request(app, known.deletion_order)
    app = with_order_condition(app, known.deletion_order)
    try:
        if policy_of(app.dialect).governed:
            settings_in_force.check(context, known.settings)
            app = context.rules.governed(app)
        outcome = (
            run_stages(context, app, attempt, known)
            if leaving is None
            else finalize.run_deletion(context, app, leaving, attempt, known)
        )
    except Superseded as error:
        result.word = metering.REQUEUE
        log.info("attempt_superseded", reason=str(error))
        context.queue.finish(attempt, done=False, due_in=1.0)
        return None
    except Deferred as error:
        log.info("attempt_deferred", reason=str(error))
        context.queue.finish(attempt, done=False, due_in=RETRY_AFTER_DEFERRED_S)
        return None
    except GitOpsError as error:
        result.word = metering.ERROR
        outcome = failure.outcome_of(context, app, leaving, attempt, known, error)
    except Exception as error:
        log.exception("attempt_crashed")
        failure.crashed(context, app, leaving, attempt, known, error)
        raise
    except BaseException as error:
        log.warning("attempt_interrupted", error=type(error).__name__)
        release_attempt(context, app, attempt)
        raise
    return None if outcome is None else report(context, app, attempt, known, outcome)


def _read(context: Context, app: Application) -> StoredState:
    """Everything that is stored of an application, in one round trip."""
    waits = (WAITS,) if app.depends_on else ()
    order = (DELETION_ORDER,) if app.leaving is not None else ()
    return stored_state(context.state.load_of(app.id, (*OF_APPLICATION, *waits, *order), SHARED))


def run_stages(context: Context, app: Application, attempt: Attempt, known: StoredState) -> Outcome:
    """The data flow of one attempt. Raises core.errors."""
    previous, asked = known.operation, known.asked
    if asked is not None and asked.terminate:
        return termination.terminated(context, app, attempt, known, asked)
    if suspended(app, known.override):
        return _idle(context, app, known.override)
    if app.refusal:
        raise Refused(app.refusal)
    context.rules.check(app)
    cluster_name = context.clusters.resolve(app.destination.name, app.destination.server)
    cluster = context.clusters.open(cluster_name)
    refresh = known.refresh_pending
    if refresh:
        known = replace(known, record=RecordCopy())
    found = cluster.discovery(refresh=refresh)
    app = relocation.with_leftovers(context, app, cluster_name, known.left_behind)

    stored, paused = repair_record.repaired_record(context, app, attempt, cluster_name, known)
    app, commit = requests.resolve_request(context, pauses.with_pause_condition(app, paused), asked, previous, stored)
    identity = context.clusters.identity(cluster_name)
    check(app, (), identity)  # a repository that the project bars is not even fetched
    # Another worker's memory of the refs may be older than what has been written since.
    newest = max(revision.newest_of(attempt, known), stored.record.listed_at if stored else 0.0)
    chosen, listed_at = _chosen(context, app, found, asked, previous, commit, newest)
    rendered = chosen.rendered
    app, manifests = without_excluded(app, rendered.objects, identity)
    wanted = stages.desired_state(app, manifests, stages.scopes_for(cluster, found, manifests))
    app = with_remarks_condition(
        with_remarks_condition(with_hook_conditions(app, wanted.odd), rendered.remarks),
        rendered.repeated,
        REPEATED_OBJECT,
    )
    stale = candidates(stored.record.inventory if stored else (), wanted.keys)
    in_git, everything = len(wanted.desired), wanted.keys
    wanted, stale = requests.select_resources(asked, wanted, stale)
    check(app, wanted.keys, identity)
    # It is neither compared nor pruned, and stays listed for the case that the project allows it again.
    stays = denied_objects(app, (item.key for item in stale), identity)
    app = with_denied_condition(app, stays)

    rules = context.rules.mark(app)
    baseline = _agreed(known.baseline, stored, rules)
    claimed = stages.claims(context, cluster_name)
    running = operations.continues(previous, chosen.resolved, rendered.digest, asked)
    observer = Inspector(cluster, app, context.rules, claimed, previous.started_at if previous and running else inf)
    anew = refresh or (asked is not None and not operations.carries(previous, asked))
    moved = None if anew else _drifted(known.drift)
    states = stages.inspect_objects(observer, wanted.desired, baseline, moved)
    if stored is None:
        lost_records.check_lost_record(
            context, app, attempt, cluster_name, known.record, states.values(), everything, baseline
        )
    namespace = None
    if asked is None or not asked.resources:
        namespace, app = namespaces.inspect_namespace(context, observer, cluster_name, wanted.desired)
    app = lost_records.with_rebuilt_condition(app, cluster_name, stored)
    observation = Observation(
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
        baseline=baseline,
        stored=stored,
        listed_at=listed_at,
        states=states,
        namespace=namespace,
        stale=stale,
        extra=stages.extraneous(cluster, app, (item for item in stale if item.key not in stays)) | stays.keys(),
        denied=frozenset(stays),
        rules=rules,
        previous=previous,
        asked=asked,
        paused=paused,
    )
    outcome = requests.limited_to_request(context, observation, act(context, observation))
    outcome = replace(outcome, trace=replace(outcome.trace, chosen=chosen, stale=len(stale)))
    if chosen.newer and outcome.operation and not outcome.operation.running:
        return replace(outcome, served=False, due_in=RECHECK_NEWER_COMMIT_S)
    if known.left_behind and outcome.due_in is None:
        return replace(outcome, due_in=relocation.RECHECK_AFTER_S)
    return outcome


def _agreed(baseline: SyncBaseline, stored: StoredRecord | None, rules: str) -> SyncBaseline:
    """What is still true of the last agreement."""
    if stored and baseline.token < stored.record.writer:
        # Somebody wrote after it and could not say what, or Redis was emptied.
        baseline = SyncBaseline(synced=stored.record.synced)
    if baseline.rules != rules:
        baseline = replace(baseline, objects={})  # what agreed by other rules may differ by these
    return baseline


def suspended(app: Application, override: Override | None) -> bool:
    """Whether the application rests: what somebody said by hand goes before what its manifest says."""
    return override.suspended if override is not None else app.schedule.suspended


def _chosen(
    context: Context,
    app: Application,
    found: Discovery,
    asked: Request | None,
    previous: Operation | None,
    commit: Resolved | None,
    newest: float,
) -> tuple[revision.RenderedRevision, float]:
    """What this attempt looks at, and when the refs were listed: 0 where the commit was known without them."""
    if commit is not None:
        return revision.RenderedRevision(commit, *stages.render_objects(context, app, commit, found)), 0.0
    listing = context.sources.poll(app.source, not_before=newest)
    going = previous if asked is None or operations.serves(previous, asked) else None
    return revision.choose(context, app, listing, found, going), listing.listed_at


def _drifted(drift: DriftedObjects | None) -> frozenset[ObjectKey] | None:
    """Objects that a cluster poll saw to have changed; None where it may be each of them."""
    if drift is None:
        return frozenset()
    return None if drift.every else drift.keys


def _idle(context: Context, app: Application, override: Override | None) -> Outcome:
    message = "Suspended: nothing is fetched, compared or applied until it is resumed."
    if override is not None and override.problem:
        message = (
            f"Suspended, because what somebody said by hand cannot be read ({override.problem}): "
            f"say it again with `gitops-workers app suspend {app.id}` or `app resume {app.id}`."
        )
    status = context.state.status(app.id)
    return Outcome(
        message=message,
        sync=status.sync if status else SyncStatus.UNKNOWN,
        conditions=app.conditions,
        suspended=True,
    )
