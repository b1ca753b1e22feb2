"""From outcome to what is stored: the only writer of statuses, agreements, events and next due times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents import kinds
from gitops_workers.core.documents.kind import Kind
from gitops_workers.core.documents.polls import HistoryRow, PollFingerprint
from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.documents.wills import RefreshAnswer
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import AppId, Application, Condition, SyncStatus
from gitops_workers.core.record.record import HistoryEntry
from gitops_workers.core.scheduling.poll_groups import cluster_group
from gitops_workers.core.source.snapshot import is_exact
from gitops_workers.core.status.changes import changes
from gitops_workers.core.status.rows import Event, OperationView, Status
from gitops_workers.core.status.sync_error import with_sync_error
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import metering, records, tracing
from gitops_workers.pipeline.announcements import announce
from gitops_workers.pipeline.catalogue import wake_dependents
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import requests
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.reconcile import explanation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.ports import Attempt

log = structlog.get_logger()


def report(
    context: Context, app: Application, attempt: Attempt, stored: StoredState, outcome: Outcome
) -> Status | None:
    """Store everything an outcome says and give the lease back. `stored`: the documents that the attempt has read.

    Returns the row as it is stored now; None when a later attempt was faster.
    """
    now = context.queue.now()
    state = context.state
    before = state.status(app.id)
    after = replace(_status(context, app, outcome, before, now), attempt=attempt.token)
    documents = _documents(context, attempt, stored, outcome)
    documents.update(tracing.documents_written(context, app.id, attempt, stored, outcome))
    if (found := explanation.save_facts(context, app, attempt, stored, outcome)) is not None:
        documents[kinds.FACTS] = found
    if not state.save_status(after, attempt.token, documents):
        log.info("attempt_superseded", reason=f"{app.id}: a later attempt has reported already.")
        _look_again(context, app, stored, outcome)
        context.queue.finish(attempt, done=False, due_in=None)
        return None
    if outcome.resources is not None:
        state.save_resources(app.id, outcome.resources)
    if stored.refresh_pending and (reason := _not_compared(stored, outcome)) is not None:
        # After the rows: whoever waits for the answer reads them next.
        state.save(kinds.REFRESHED, app.id, RefreshAnswer(attempt.token / 1e6, reason))
    metering.ended(context, app, before, after)
    announce(state, changes(app.id, before, after, outcome.operation, outcome.answer, stamp(now)))
    if outcome.waits_since:
        context.queue.hasten_poll(after.group, watch_in(now - outcome.waits_since, app.schedule.interval))
    if app.needed:
        wake_dependents.wake(context, app, after)
    answered = not outcome.cluster_away and cluster_health.heard(context, after.cluster, attempt, now)
    if not context.queue.finish(attempt, done=outcome.served, due_in=outcome.due_in, answered=answered):
        log.info("attempt_outlived_lease")
        _look_again(context, app, stored, outcome)
    return after


def _look_again(context: Context, app: Application, stored: StoredState, outcome: Outcome) -> None:
    """The lease was lost, perhaps with all of Redis: then nobody knows when this application is due.

    By its fingerprint the polls would take it for one that waits for nothing; without one they ask for a first look.
    The worker that holds the lease by now may have copied the record before our write.
    """
    if outcome.record is not None and outcome.record != stored.record:
        records.invalidate(context, outcome.record.cluster, app.id)
    context.state.discard(kinds.FINGERPRINT, app.id)


def watch_in(waited: float, longest: float) -> float:
    """Seconds until a cluster in which something has been awaited so long is looked at again.

    A tenth of it: what takes minutes is not worth a listing every second, and what never comes costs next to nothing.
    """
    return min(max(1.0, waited / 10), longest)


def report_outage(context: Context, unknown: Mapping[AppId, GitOpsError]) -> None:
    """A repository or cluster does not answer: its applications say so, and keep what they last knew."""
    now = stamp(context.queue.now())
    for app, error in unknown.items():
        condition = Condition("ComparisonError", str(error))
        status = context.state.status(app)
        if status is None or condition in status.conditions:
            continue
        others = tuple(item for item in status.conditions if item.type != condition.type)
        after = replace(
            status,
            sync=SyncStatus.UNKNOWN,
            message=str(error),
            conditions=(*others, condition),
            last_checked_at=now,
            changed_at=now if status.sync is not SyncStatus.UNKNOWN else status.changed_at,
        )
        context.state.save_status(after)
        announce(context.state, [Event(now, app, "Warning", type(error).__name__, str(error))])


def release_attempt(context: Context, app: Application, attempt: Attempt) -> None:
    """An attempt died and could say nothing: give everything back and come again later, so that nothing spins."""
    context.queue.finish(attempt, done=False, due_in=app.schedule.retry_interval)


def new_status(context: Context, app: Application, cluster: str) -> Status:
    """The row of an application that nobody has looked at yet."""
    return Status(
        id=app.id,
        dialect=app.dialect.value,
        project=app.project,
        cluster=cluster,
        namespace=app.destination.namespace,
        repository=app.source.shown,
        path=app.source.path,
        conditions=app.conditions,
        suspended=app.schedule.suspended,
        group=cluster_group(cluster),
        changed_at=stamp(context.queue.now()),
        interval=longest_pause(app),
    )


def longest_pause(app: Application) -> float:
    """Seconds between two looks at an application that nothing happens to."""
    return app.schedule.interval + app.schedule.jitter


def _status(context: Context, app: Application, outcome: Outcome, before: Status | None, now: float) -> Status:
    base = before or new_status(context, app, app.destination.name or app.destination.server)
    operation = base.operation
    if outcome.operation is not None and outcome.operation.commit:
        operation = _operation_view(outcome.operation)
    status = replace(
        base,
        sync=outcome.sync,
        message=outcome.message,
        conditions=outcome.conditions,
        suspended=outcome.suspended,
        interval=longest_pause(app),
        operation=operation,
        last_checked_at=stamp(now),
        next_due_at=stamp(now + outcome.due_in) if outcome.due_in is not None else "",
    )
    if outcome.health is not None:
        status = replace(status, health=outcome.health.status, health_message=outcome.health.message)
    if outcome.resolved is not None:
        status = replace(status, revision=outcome.resolved.commit, ref=outcome.resolved.ref)
    status = replace(status, conditions=with_sync_error(status))
    changed = before is None or _visible(before) != _visible(status)
    return replace(status, changed_at=stamp(now)) if changed else status


def _visible(status: Status) -> tuple[str, str, str, str]:
    operation = status.operation
    return status.sync, status.health, status.revision, f"{operation.phase}{operation.message}" if operation else ""


def _operation_view(operation: Operation) -> OperationView:
    return OperationView(
        phase=operation.phase,
        message=operation.message,
        revision=operation.commit,
        started_at=stamp(operation.started_at),
        finished_at=stamp(operation.finished_at),
        initiated_by=operation.initiated_by,
        retries=max(0, operation.failures - 1),
        id=operation.run,
    )


def _documents(context: Context, attempt: Attempt, stored: StoredState, outcome: Outcome) -> dict[Kind[Any], Any]:
    """What the next attempt and the polls read of this one; None removes."""
    documents: dict[Kind[Any], Any] = {}
    if outcome.baseline is not None:
        documents[kinds.BASELINE] = outcome.baseline
        seen = outcome.baseline.fingerprint
        documents[kinds.FINGERPRINT] = poll_fingerprint(outcome.baseline, seen, outcome.waits_since)
    elif outcome.tried:
        documents[kinds.FINGERPRINT] = PollFingerprint(outcome.tried, "", "", ())
    if outcome.operation is not None:
        documents[kinds.OPERATION] = outcome.operation
    if outcome.record is not None and outcome.record != stored.record:
        documents[kinds.RECORD_COPY] = outcome.record
    if outcome.history is not None:
        documents[kinds.HISTORY] = tuple(_history_row(entry) for entry in outcome.history)
    if stored.waits and not outcome.awaits_others:
        documents[kinds.WAITS] = None
    if outcome.listed_at > stored.listed_at:
        documents[kinds.LISTED_AT] = outcome.listed_at
    documents.update(requests.documents(stored, outcome))
    # A change that was seen in the cluster is served by a comparison only, not by a render that failed.
    compared = outcome.served and outcome.baseline is not None
    if compared and stored.drift and context.queue.wanted(attempt.app) == attempt.generation:
        # What was seen meanwhile belongs to the next generation: it must find its document.
        documents[kinds.DRIFT] = None
    return documents


def _not_compared(stored: StoredState, outcome: Outcome) -> str | None:
    """Why nothing was compared with the cluster, "" when the whole application was; None: a later attempt says it."""
    asked = stored.asked
    if outcome.resources is not None and not (asked and asked.is_partial):
        return ""
    failed = outcome.sync is SyncStatus.UNKNOWN or outcome.suspended
    return outcome.message if failed else None


def _history_row(entry: HistoryEntry) -> HistoryRow:
    return HistoryRow(
        entry.id,
        entry.revision,
        entry.ref,
        entry.digest,
        entry.initiated_by,
        entry.deployed_at,
        entry.outcome,
        is_exact(entry.source),
    )


def poll_fingerprint(baseline: SyncBaseline, objects: str, waits_since: float) -> PollFingerprint:
    """What polls compare of an application in this state; `objects` are the live ones, in one word."""
    kinds_listed = tuple(sorted(baseline.kinds))
    return PollFingerprint(baseline.commit, baseline.closure, objects, kinds_listed, baseline.rules, waits_since)
