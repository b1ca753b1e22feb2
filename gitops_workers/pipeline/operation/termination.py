"""The end of a running operation because somebody asks for it: what it has done stays, what it runs is deleted.

Argo CD deletes the hooks that run and lets go of the others (gitops-engine, Terminate). Git is not asked, and the
cluster only where the operation has hooks. Everything is told in one report at the end: a worker that dies before
leaves the request and the operation as they were, and the next one finds by its mark what is still to be deleted.
"""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.errors import Refused, Retry, Throttled
from gitops_workers.core.model import Application, Phase
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Answer, Request
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import announcements, records
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import delays, requests
from gitops_workers.pipeline.operation.hook_runs import HookRuns
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.ports import Attempt


def terminated(context: Context, app: Application, attempt: Attempt, stored: StoredState, asked: Request) -> Outcome:
    """The running operation ends here, as soon as its hooks can be deleted. Raises Refused when none is running."""
    previous = stored.operation
    if previous is None or not previous.running:
        raise Refused("No operation is running: there is nothing to terminate.")
    announcements.bind_operation(previous)
    try:
        message = f"terminated by {asked.by}{_stopped(context, app, attempt, stored, previous)}"
        ended = operations.finish(previous, Phase.FAILED, message, context.queue.now())
        before = requests.as_before(context, app, message)
    except Retry as error:
        return _later(context, app, previous, error)
    answer = Answer(asked.id, Phase.SUCCEEDED, message)
    return replace(before, operation=ended, answer=answer, due_in=delays.retry_delay(app, ended.failures))


def _stopped(context: Context, app: Application, attempt: Attempt, stored: StoredState, operation: Operation) -> str:
    """Delete the hooks that still run; what is to be said about it."""
    if not operation.hooks:
        return ""
    name = context.clusters.resolve(app.destination.name, app.destination.server)
    found = records.load(context, name, app.id, stored.record)
    if found is None or not found.record.hooks:
        return ""
    cluster = context.clusters.open(name)
    writer = Writer(context, app, attempt, name, cluster, found, (), listed_at=0.0)
    stopped, refused = HookRuns(context, app, cluster, writer, found.record.hooks).stop(operation)
    remarks = f"; deleted while running: {', '.join(stopped)}" if stopped else ""
    return remarks + "".join(f"; not deleted: {text}" for text in refused)


def _later(context: Context, app: Application, operation: Operation, error: Retry) -> Outcome:
    """The cluster does not answer: the operation does nothing more, and ends when its hooks can be deleted."""
    cluster_health.failed(context, app, error, stamp(context.queue.now()))
    delay = error.retry_after if isinstance(error, Throttled) else delays.retry_delay(app, operation.failures + 1)
    message = f"Terminating; its hooks are not deleted yet: {error}"
    waiting = replace(operation, failures=operation.failures + 1, message=message)
    return replace(requests.as_before(context, app, message), operation=waiting, served=False, due_in=delay)
