"""One look at one application: lease, stages, at most one step of its operation, report.

Read `run_stages` from top to bottom: it is the design's data flow. Each line takes the value of the line before; a
refusal or an outage leaves it as an error whose class says what happens next.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.documents.kinds import DELETION_ORDER, WAITS
from gitops_workers.core.documents.stored_state import OF_APPLICATION, SHARED, StoredState, stored_state
from gitops_workers.core.documents.wills import Override
from gitops_workers.core.errors import Deferred, GitOpsError, Refused, Superseded
from gitops_workers.core.model import AppId, Application, SyncStatus
from gitops_workers.core.prune.deletion import with_order_condition
from gitops_workers.core.prune.relocation import with_relocation_condition
from gitops_workers.core.status.rows import Status
from gitops_workers.pipeline import announcements, metering, tracing
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import finalize
from gitops_workers.pipeline.operation import requests, termination
from gitops_workers.pipeline.reconcile import failure, observe, settings_in_force
from gitops_workers.pipeline.reconcile.act import act
from gitops_workers.pipeline.reconcile.observe import Revision, Selection
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.report import release_attempt, report
from gitops_workers.ports import Attempt

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
    with tracing.attempt_span(context, app, attempt, known) as span:
        status = _serve(context, app, attempt, known, result)
        span.note(result=result.word)
    return status


def _serve(
    context: Context, app: Application, attempt: Attempt, known: StoredState, result: metering.Result
) -> Status | None:
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
    return stored_state(
        context.state.load_of(app.id, (*OF_APPLICATION, *waits, *order, *tracing.documents_read(context)), SHARED)
    )


def run_stages(context: Context, app: Application, attempt: Attempt, known: StoredState) -> Outcome:
    """The data flow of one attempt. Raises core.errors."""
    if known.asked is not None and known.asked.terminate:
        return termination.terminated(context, app, attempt, known, known.asked)
    if suspended(app, known.override):
        return _idle(context, app, known.override)
    if app.refusal:
        raise Refused(app.refusal)
    context.rules.check(app)
    target = observe.open_target(context, app, attempt, known)
    revision = observe.render(context, target)
    selection = observe.select(target, revision)
    with context.tracer.span("compare"):
        observation = observe.compare(context, target, revision, selection)
    outcome = requests.limited_to_request(context, observation, act(context, observation))
    return _finished(outcome, known, revision, selection)


def _finished(outcome: Outcome, known: StoredState, revision: Revision, selection: Selection) -> Outcome:
    """The outcome with what the reading stages found for it, and an earlier look where one is needed."""
    outcome = replace(outcome, trace=replace(outcome.trace, chosen=revision.chosen, stale=len(selection.stale)))
    if revision.chosen.newer and outcome.operation and not outcome.operation.running:
        return replace(outcome, served=False, due_in=RECHECK_NEWER_COMMIT_S)
    if known.left_behind and outcome.due_in is None:
        return replace(outcome, due_in=relocation.RECHECK_AFTER_S)
    return outcome


def suspended(app: Application, override: Override | None) -> bool:
    """Whether the application rests: what somebody said by hand goes before what its manifest says."""
    return override.suspended if override is not None else app.schedule.suspended


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
