"""What an error comes to: a failed comparison that is tried again, a request that is not served, a defect of ours."""

from __future__ import annotations

from dataclasses import replace

import structlog

from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.errors import ClusterUnavailable, GitOpsError, Refused, Retry
from gitops_workers.core.explain.attempt_facts import FAILED_AT
from gitops_workers.core.model import Application, Condition, Phase, Resolved, SyncStatus
from gitops_workers.core.prune.deletion_request import DeletionRequest
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import finalize
from gitops_workers.pipeline.operation import delays, requests
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.reconcile import dependencies
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.report import release_attempt, report
from gitops_workers.pipeline.reconcile.revision import newest_of
from gitops_workers.pipeline.reconcile.trace import Trace
from gitops_workers.ports import Attempt

log = structlog.get_logger()


def outcome_of(
    context: Context,
    app: Application,
    leaving: DeletionRequest | None,
    attempt: Attempt,
    stored: StoredState,
    error: GitOpsError,
) -> Outcome | None:
    """What an error means: for a deletion that it goes on later, else that nothing could be compared."""
    if leaving is not None:
        outcome = finalize.failed(context, app, leaving, stored, error)
    elif (outcome := _unserved(context, app, stored, error)) is None:
        outcome = dependencies.excused(context, app, error, _failed(context, app, attempt, stored, error))
    if outcome is None or not isinstance(error, ClusterUnavailable):
        return outcome
    return replace(outcome, cluster_away=True)


def crashed(
    context: Context,
    app: Application,
    leaving: DeletionRequest | None,
    attempt: Attempt,
    stored: StoredState,
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
        outcome = outcome_of(context, app, leaving, attempt, stored, defect)
        if outcome is not None:
            report(context, app, attempt, stored, outcome)
    except Exception:
        log.exception("crash_not_reported")
        release_attempt(context, app, attempt)


def _failed(context: Context, app: Application, attempt: Attempt, stored: StoredState, error: GitOpsError) -> Outcome:
    """No comparison was possible: sync is Unknown, nothing was deleted, the last objects and health stay shown."""
    now = context.queue.now()
    cluster_health.failed(context, app, error, stamp(now))
    previous = stored.operation
    if previous is None:
        nothing = operations.begin(app, attempt.generation, Resolved(""), now, "", failures=0, consent=False)
        previous = replace(nothing, phase=Phase.ERROR)
    log.warning("attempt_failed", error=type(error).__name__, reason=str(error))
    tried, ref, listed_at = _tried(context, app, newest_of(attempt, stored))
    failures = operations.failures_at(previous, tried) + 1
    if previous.running:
        phase = Phase.ERROR if isinstance(error, Retry) else Phase.FAILED
        previous = operations.finish(previous, phase, str(error), now)
    operation = replace(previous, failures=failures, tried=tried or previous.tried)
    delay = cluster_health.again_in(error, delays.retry_delay(app, failures))
    return Outcome(
        message=str(error),
        sync=SyncStatus.UNKNOWN,
        operation=operation,
        tried=tried,
        tried_ref=ref,
        listed_at=listed_at,
        conditions=(*app.conditions, Condition("ComparisonError", str(error))),
        served=not isinstance(error, Retry),
        due_in=delay,
        trace=Trace(failed="Revision" if tried == str(error) else FAILED_AT.get(type(error).__name__, "")),
    )


def _unserved(context: Context, app: Application, stored: StoredState, error: GitOpsError) -> Outcome | None:
    """A refusal that is the answer to a special request, and no news of the application; None when it is not that."""
    previous = stored.operation
    asked = stored.asked
    if asked is None or not asked.is_partial or not isinstance(error, Refused):
        return None
    log.info("request_declined", by=asked.by, reason=str(error))
    return requests.declined(context, app, asked, previous, error)


def _tried(context: Context, app: Application, newest: float) -> tuple[str, str, float]:
    """What failed, for the polls: the commit or the refusal to find one; its ref; when the refs were listed."""
    listed_at = 0.0
    try:
        listing = context.sources.poll(app.source, not_before=newest)
        listed_at = listing.listed_at
        resolved = context.sources.resolve(app.source, listing)
    except Refused as error:
        return str(error), "", listed_at
    except GitOpsError:
        return "", "", listed_at
    return resolved.commit, resolved.ref, listed_at
