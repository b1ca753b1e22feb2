"""One look at an application that is being deleted: as many stages as are open now, then wait, or the end.

The wish lives in the application (the refresh wrote it there) and, from before the first delete on, as a mark in the
record in the cluster. So a worker may die between any two requests, and Redis may be emptied: what is left to delete is
what the record lists and the cluster still has. The record goes last of all in the cluster, the bookkeeping after it.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.documents.wills import DeletionOrder
from gitops_workers.core.errors import GitOpsError, Refused, Retry, Superseded
from gitops_workers.core.model import (
    Application,
    Condition,
    Resolved,
    SyncStatus,
)
from gitops_workers.core.prune import deletion as deletions
from gitops_workers.core.prune.deletion_request import Cascade, DeletionRequest
from gitops_workers.core.record.record import NAMESPACE, StoredRecord, record_name
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import announcements
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import deletion_outcomes as outcomes
from gitops_workers.pipeline.deletion.deletion_step import DeletionStep
from gitops_workers.pipeline.operation import delays
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.recovery import lost_records
from gitops_workers.ports import Attempt

log = structlog.get_logger()


def deletion_request(app: Application, order: DeletionOrder | None) -> DeletionRequest | None:
    """How the application is to be deleted now; None when it is not."""
    if app.leaving is None:
        return None
    leaving = deletions.confirmed(app.leaving, order)
    return None if leaving.held else leaving


def returned(
    context: Context, app: Application, attempt: Attempt, cluster_name: str, stored: StoredRecord | None
) -> StoredRecord | None:
    """The record of an application that is synced: a mark from a deletion that was given up is taken away at once.

    Else the mark would outlive it, and be obeyed when Redis is emptied while its manifest cannot be read.
    """
    if stored is None or stored.record.deletion is None:
        return stored
    writer = Writer(context, app, attempt, cluster_name, context.clusters.open(cluster_name), stored, (), 0.0)
    writer.fence()
    return writer.stored


def run_deletion(
    context: Context, app: Application, leaving: DeletionRequest, attempt: Attempt, known: StoredState
) -> Outcome | None:
    """One attempt of a deletion; None when nothing is left to report on. Raises core.errors."""
    if known.deletion_order is not None and known.deletion_order.problem:
        return outcomes.unread(app)
    if leaving.policy.cascade is Cascade.ORPHAN:
        return _release(context, app)
    if known.override is not None and known.override.suspended:
        return outcomes.paused(app)
    cluster_name = context.clusters.resolve(app.destination.name, app.destination.server)
    cluster = context.clusters.open(cluster_name)
    stored = context.clusters.records(cluster_name).load(app.id)
    if stored is None:
        copy = known.record
        seen = any(row.status is SyncStatus.SYNCED for row in context.state.resources(app.id))
        if (copy is not None and copy.known_in(cluster_name)) or seen:
            lost_records.rebuild(context, app, attempt, cluster_name, copy)
        return outcomes.ended(context, app, "Nothing of it was in the cluster any more.")
    if leaving.resumed and stored.record.deletion is None:
        return outcomes.ended(context, app, "Its record does not ask for its deletion any more; its objects stay.")
    operation = _operation(context, app, leaving, attempt, known)
    return DeletionStep(context, app, leaving, attempt, cluster_name, cluster, stored, operation).run()


def failed(
    context: Context, app: Application, leaving: DeletionRequest, known: StoredState, error: GitOpsError
) -> Outcome | None:
    """The cluster cannot be asked, or refuses: nothing is lost, it goes on by itself, and a human may end it."""
    if context.state.application(app.id) is None:
        return None  # the last answer was lost: it is forgotten already, and a report would bring its row back
    cluster_health.failed(context, app, error, stamp(context.queue.now()))
    log.warning("deletion_failed", error=type(error).__name__, reason=str(error))
    previous = known.operation
    failures = previous.failures + 1 if previous else 1
    delay = cluster_health.again_in(error, delays.retry_delay(app, failures))
    release = f"`gitops-workers app delete {app.id} --cascade orphan`"
    again = "It is tried again" if isinstance(error, Retry) else "Mend that and it goes on"
    return Outcome(
        message=f"Being deleted, since {stamp(leaving.since)}: {error} {again}; {release} gives its objects up.",
        sync=SyncStatus.UNKNOWN,
        operation=replace(previous, failures=failures) if previous else None,
        conditions=(*app.conditions, Condition("DeletionError", str(error))),
        served=False,
        due_in=delay,
    )


def _release(context: Context, app: Application) -> Outcome | None:
    """A human gives the objects up. The record should go too; a cluster that is gone must not keep anybody."""
    message, kind = "Released: its objects stay in the cluster.", "Normal"
    try:
        name = context.clusters.resolve(app.destination.name, app.destination.server)
        stored = context.clusters.records(name).load(app.id)
        if stored is not None:
            context.clusters.records(name).delete(app.id, stored.resource_version)
    except Superseded:
        raise
    except (Refused, Retry) as error:
        place = f"{NAMESPACE}/{record_name(app.id)}"
        message = f"Released, but its record stays: {error} If the cluster comes back, delete ConfigMap {place} there."
        kind = "Warning"
    return outcomes.ended(context, app, message, kind=kind)


def _operation(
    context: Context, app: Application, leaving: DeletionRequest, attempt: Attempt, known: StoredState
) -> Operation:
    """The running deletion, or a new one; it keeps the commit of the last sync, which is what is being deleted."""
    previous = known.operation
    name = f"deletion {leaving.since}"
    if previous is not None and previous.running and previous.rendered == name:
        announcements.bind_operation(previous)
        return replace(previous, failures=0)
    failures = previous.failures if previous is not None and previous.rendered == name else 0
    last = Resolved(previous.commit, previous.ref) if previous else Resolved("")
    by = leaving.by or "the catalogue"
    consent, now = leaving.consent, context.queue.now()
    begun = operations.begin(app, attempt.generation, last, now, by, failures=failures, consent=consent, rendered=name)
    announcements.announce_operation(begun)
    return begun
