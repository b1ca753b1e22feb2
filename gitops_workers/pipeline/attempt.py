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

from gitops_workers.core import agreement as agreements
from gitops_workers.core import operation as operations
from gitops_workers.core import pause as pauses
from gitops_workers.core.agreement import Agreement
from gitops_workers.core.errors import GitOpsError, Refused, Retry, Superseded, Throttled
from gitops_workers.core.facts import FAILED_AT
from gitops_workers.core.leaving import Leaving
from gitops_workers.core.model import AppId, Application, Condition, Phase, Resolved, SyncStatus
from gitops_workers.core.moments import stamp
from gitops_workers.core.moving import told
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.operation import Operation
from gitops_workers.core.policy import barred, check, noting
from gitops_workers.core.prune import candidates
from gitops_workers.core.record import StoredRecord
from gitops_workers.core.request import Request
from gitops_workers.pipeline import (
    asking,
    deletion,
    dependencies,
    loose_hooks,
    moving,
    namespaces,
    reach,
    records,
    revision,
    stages,
    step,
    termination,
)
from gitops_workers.pipeline.decision import act
from gitops_workers.pipeline.looks import Observer
from gitops_workers.pipeline.outcome import Outcome
from gitops_workers.pipeline.report import abandon, report
from gitops_workers.pipeline.sight import Sight
from gitops_workers.pipeline.trail import Trail
from gitops_workers.pipeline.world import World
from gitops_workers.pipeline.writes import Writer
from gitops_workers.ports import Attempt, Discovery

log = structlog.get_logger()

DOCUMENTS = (
    "override",
    "agreement",
    "drift",
    asking.REQUEST,
    asking.ANSWER,
    "operation",
    "listed",
    records.KIND,
    moving.KIND,
)
"""What an attempt reads of its application, in one round trip."""
NEWER = 1.0
"""Seconds until the commit is looked at that had to wait for an operation which has just ended."""


def reconcile(world: World, app_id: AppId) -> None:
    """Serve the application's wanted generation, or the part of it that can be done without waiting."""
    attempt = world.queue.begin(app_id, world.lease)
    if attempt is None:
        return
    app = world.state.application(app_id)
    if app is None:
        world.queue.finish(attempt, done=True, due_in=None)
        return
    known = world.state.load_of(app_id, (*DOCUMENTS, dependencies.WAITS) if app.depends_on else DOCUMENTS)
    app = told(app, known.get(moving.KIND))
    leaving = deletion.wanted(world, app)
    try:
        outcome = (
            look(world, app, attempt, known) if leaving is None else deletion.look(world, app, leaving, attempt, known)
        )
    except Superseded as error:
        log.info("attempt_superseded", app=app_id, generation=attempt.generation, reason=str(error))
        world.queue.finish(attempt, done=False, due_in=1.0)
        return
    except GitOpsError as error:
        outcome = _failure(world, app, leaving, attempt, known, error)
    except Exception as error:
        log.exception("attempt_crashed", app=app_id, generation=attempt.generation)
        _crashed(world, app, leaving, attempt, known, error)
        raise
    except BaseException:
        abandon(world, app, attempt)
        raise
    if outcome is not None:
        report(world, app, attempt, known, outcome)


def look(world: World, app: Application, attempt: Attempt, known: Mapping[str, Any]) -> Outcome:
    """The data flow of one attempt. Raises core.errors."""
    previous = step.operation_from(known.get("operation"))
    asked = asking.of(known, previous)
    if asked is not None and asked.terminate:
        return termination.terminated(world, app, attempt, known, asked)
    if suspended(app, known.get("override")):
        return _idle(world, app, "Suspended: nothing is fetched, compared or applied until it is resumed.")
    if app.refusal:
        raise Refused(app.refusal)
    world.rules.check(app)
    cluster_name = world.clusters.resolve(app.destination.name, app.destination.server)
    cluster = world.clusters.open(cluster_name)
    found = cluster.discovery()
    app = moving.checked(world, app, cluster_name, known)

    stored = records.load(world, cluster_name, app.id, known.get(records.KIND))
    _wait_out(world, known, stored)
    stored = deletion.returned(world, app, attempt, cluster_name, stored)
    stored = loose_hooks.let_go(world, app, attempt, cluster_name, stored, previous)
    paused = pauses.in_force(stored.record.paused if stored else None, known.get("override"))
    if stored and stored.record.paused != paused:
        stored = Writer(world, app, attempt, cluster_name, cluster, stored, (), 0.0, paused=paused).mend_pause()
    app, commit = asking.aim(pauses.paused(app, paused), asked, previous, stored)
    # Another worker's memory of the refs may be older than what has been written since.
    newest = max(_newest(attempt, known), stored.record.listed_at if stored else 0.0)
    chosen, listed_at = _chosen(world, app, found, asked, previous, commit, newest)
    rendered = chosen.rendered
    wanted = stages.wanted(app, rendered.objects, stages.scopes_for(cluster, found, rendered.objects))
    stale = candidates(stored.record.inventory if stored else (), wanted.keys)
    in_git = len(wanted.desired)
    wanted, stale = asking.narrowed(asked, wanted, stale)
    server = world.clusters.server(cluster_name)
    check(app, wanted.keys, cluster_name, server)
    # It is neither compared nor pruned, and stays listed for the case that the project allows it again.
    stays = barred(app, (item.key for item in stale), cluster_name, server)
    app = noting(app, stays)

    agreement = agreements.from_json(known.get("agreement"))
    if stored and agreement.token < stored.record.writer:
        # Somebody wrote after it and could not say what, or Redis was emptied.
        agreement = Agreement(synced=stored.record.synced)
    rules = world.rules.mark(app)
    if agreement.rules != rules:
        agreement = replace(agreement, objects={})  # what agreed by other rules may differ by these
    claimed = stages.claims(world, cluster_name)
    running = operations.continues(previous, chosen.resolved, rendered.digest, asked)
    observer = Observer(cluster, app, world.rules, claimed, previous.started_at if previous and running else inf)
    moved = _moved(known, new=asked is not None and not operations.carries(previous, asked))
    looks = stages.look_at(observer, wanted.desired, agreement, moved)
    namespace = None
    if asked is None or not asked.resources:
        namespace, app = namespaces.look(world, observer, cluster_name, wanted.desired)
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
    outcome = asking.told(world, sight, act(world, sight))
    outcome = replace(outcome, trail=replace(outcome.trail, chosen=chosen, stale=len(stale)))
    if chosen.newer and outcome.operation and not outcome.operation.running:
        return replace(outcome, served=False, due_in=NEWER)
    if known.get(moving.KIND) and outcome.due_in is None:
        return replace(outcome, due_in=moving.AGAIN)
    return outcome


def _wait_out(world: World, known: Mapping[str, Any], stored: StoredRecord | None) -> None:
    """Redis was emptied in the middle of a sync: whoever wrote then may still believe in his lease until it would end.

    A token is the moment when its attempt began, in microseconds; one from the future says that a clock went back.
    Raises Superseded.
    """
    if stored is None or not stored.record.open or known.get("operation"):
        return
    left = stored.record.writer / 1e6 + world.lease - world.queue.now()
    if 0 < left <= world.lease:
        raise Superseded(f"{stored.record.app}: another attempt may be writing still; it has {left:.0f} s at most.")


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


def _moved(known: Mapping[str, Any], *, new: bool) -> frozenset[ObjectKey] | None:
    """Objects that a cluster poll saw to have changed; None when every object has to be asked for: a `new` request."""
    if new:
        return None
    return frozenset(ObjectKey(*text.split("|")) for text in known.get("drift") or ())


def _idle(world: World, app: Application, message: str) -> Outcome:
    status = world.state.status(app.id)
    return Outcome(
        message=message,
        sync=status.sync if status else SyncStatus.UNKNOWN,
        conditions=app.conditions,
        suspended=True,
    )


def _unserved(world: World, app: Application, known: Mapping[str, Any], error: GitOpsError) -> Outcome | None:
    """A refusal that is the answer to a special request, and no news of the application; None when it is not that."""
    previous = step.operation_from(known.get("operation"))
    asked = asking.of(known, previous)
    if asked is None or not asked.special or not isinstance(error, Refused):
        return None
    log.info("request_declined", app=app.id, by=asked.by, reason=str(error))
    return asking.declined(world, app, asked, previous, error)


def _failed(world: World, app: Application, attempt: Attempt, known: Mapping[str, Any], error: GitOpsError) -> Outcome:
    """No comparison was possible: sync is Unknown, nothing was deleted, the last objects and health stay shown."""
    now = world.queue.now()
    reach.failed(world, app, error, stamp(now))
    previous = step.operation_from(known.get("operation"))
    if previous is None:
        nothing = operations.begin(app, attempt.generation, Resolved(""), now, "", failures=0, consent=False)
        previous = replace(nothing, phase=Phase.ERROR)
    log.warning("attempt_failed", app=app.id, error=type(error).__name__, reason=str(error))
    tried, listed_at = _tried(world, app, _newest(attempt, known))
    failures = operations.failures_at(previous, tried) + 1
    if previous.running:
        phase = Phase.ERROR if isinstance(error, Retry) else Phase.FAILED
        previous = operations.finish(previous, phase, str(error), now)
    operation = replace(previous, failures=failures, tried=tried or previous.tried)
    delay = error.retry_after if isinstance(error, Throttled) else step.retry_delay(app, failures)
    return Outcome(
        message=str(error),
        sync=SyncStatus.UNKNOWN,
        operation=operation,
        tried=tried,
        listed_at=listed_at,
        conditions=(*app.conditions, Condition("ComparisonError", str(error))),
        served=not isinstance(error, Retry),
        due_in=delay,
        trail=Trail(failed="Revision" if tried == str(error) else FAILED_AT.get(type(error).__name__, "")),
    )


def _failure(
    world: World,
    app: Application,
    leaving: Leaving | None,
    attempt: Attempt,
    known: Mapping[str, Any],
    error: GitOpsError,
) -> Outcome | None:
    """What an error means: for a deletion that it goes on later, else that nothing could be compared."""
    if leaving is not None:
        return deletion.failed(world, app, leaving, known, error)
    if (declined := _unserved(world, app, known, error)) is not None:
        return declined
    return dependencies.excused(world, app, error, _failed(world, app, attempt, known, error))


def _crashed(
    world: World,
    app: Application,
    leaving: Leaving | None,
    attempt: Attempt,
    known: Mapping[str, Any],
    error: Exception,
) -> None:
    """A defect of ours is a failure like another: shown, backed off, and left alone by polls (F29).

    The error's own text may hold anything, so only its class is told.
    """
    defect = Retry(
        f"{type(error).__name__} in gitops-workers itself while it looked at {app.id}; the worker's log has the "
        "traceback. Please report it; it is tried again ever more slowly, and at once with the next commit."
    )
    try:
        outcome = _failure(world, app, leaving, attempt, known, defect)
        if outcome is not None:
            report(world, app, attempt, known, outcome)
    except Exception:
        log.exception("crash_not_reported", app=app.id)
        abandon(world, app, attempt)


def _newest(attempt: Attempt, known: Mapping[str, Any]) -> float:
    """Refs listed before this moment are too old: for the request, or because a later attempt has seen newer ones."""
    return max(attempt.not_before, float(known.get("listed") or 0.0))


def _tried(world: World, app: Application, newest: float) -> tuple[str, float]:
    """What failed, so that polls leave it to the backoff: the commit or the refusal to find one; when it was listed."""
    listed_at = 0.0
    try:
        refs = world.sources.refs(app.source, not_before=newest)
        listed_at = refs.listed_at
        return stages.resolve_revision(world, app, refs).commit, listed_at
    except Refused as error:
        return str(error), listed_at
    except GitOpsError:
        return "", listed_at
