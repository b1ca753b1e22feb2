"""Deletions that nobody remembers: found again by their marks in the records, after Redis was emptied.

Their manifests are gone, so no catalogue tells of them. Each cluster's records are looked through once per emptied
Redis; what is declared (again) is left alone, and while the catalogue has errors, so is everything else.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import CATALOGUE_ERROR, INCOMPLETE, REFRESH_DONE, SEARCHED
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import AppId, Application, Destination, Dialect, Schedule, SourceSpec
from gitops_workers.core.prune.deletion_request import DeletionRequest
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.core.scheduling.poll_groups import CATALOGUE, UNFINISHED_PREFIX, unfinished_group
from gitops_workers.core.status.rows import Event
from gitops_workers.core.sync.sync_policy import SyncPolicy
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.dialects.kinds import dialect_of
from gitops_workers.pipeline import records
from gitops_workers.pipeline.announcements import announce
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion.deletion_outcomes import CATALOGUE_BUSY_RETRY_S
from gitops_workers.pipeline.reconcile.report import new_status
from gitops_workers.ports import Attempt, Urgency

log = structlog.get_logger()

RETRY_AFTER_S = 30.0
"""Seconds until a cluster that did not answer, or a catalogue with errors, is tried again."""


def enroll(context: Context, *, again: bool) -> None:
    """Have those clusters searched that were not yet; `again`: all of them, for something stored was unreadable."""
    names = context.clusters.names()
    searched = context.state.load_many(SEARCHED, names)
    for name in names:
        if again:
            records.delete_marks(context, name)
        if again or name not in searched:
            context.queue.enroll_poll(unfinished_group(name), name, 0.0)


def search(context: Context, attempt: Attempt) -> None:
    """Look through the records of the cluster that this group names, and take up what is unfinished there."""
    name = attempt.app.removeprefix(UNFINISHED_PREFIX)
    try:
        due_in = _take_up(context, name) if name in context.clusters.names() else None
    except GitOpsError as error:
        log.warning("search_failed", cluster=name, error=type(error).__name__, reason=str(error))
        due_in = RETRY_AFTER_S
    if due_in is None:
        context.state.save(SEARCHED, name, True)
        context.queue.delete_poll(attempt.app)
    else:
        context.queue.finish_poll(attempt, due_in)


def _take_up(context: Context, cluster: str) -> float | None:
    """Seconds until it has to be tried again; None when the search is done."""
    marked = records.marked(context, cluster)
    if not marked:
        return None
    turn = context.queue.begin_poll(CATALOGUE, context.lease)
    if turn is None:
        return CATALOGUE_BUSY_RETRY_S
    try:
        if context.state.load(CATALOGUE_ERROR, WHOLE) or context.state.load(INCOMPLETE, WHOLE):
            return RETRY_AFTER_S
        declared = context.state.load_applications(context.state.applications())
        unknown = []
        for app_id, leaving in marked.items():
            if app_id in declared:
                continue
            if (dialect := dialect_of(app_id)) is None:
                unknown.append(app_id)
            else:
                _enroll(context, _remembered(context, app_id, dialect, cluster, leaving), cluster)
        context.state.discard(REFRESH_DONE, WHOLE)
        if not unknown:
            return None
        # Another version began it: whose rules the objects go by is not known here, and no guess may delete them.
        log.warning("deletion_of_unknown_kind", cluster=cluster, applications=unknown)
        return RETRY_AFTER_S
    finally:
        context.queue.finish_poll(turn, 0.0)


def _remembered(
    context: Context, app_id: AppId, dialect: Dialect, cluster: str, leaving: DeletionRequest
) -> Application:
    """All that a deletion needs of its application. It has no source: nothing is fetched or rendered any more."""
    return Application(
        id=app_id,
        dialect=dialect,
        source=SourceSpec(""),
        render=RenderSpec(),
        destination=Destination(name=cluster),
        sync=SyncPolicy(),
        schedule=Schedule(context.interval, context.jitter, context.interval),
        deleting=leaving.policy,
        leaving=replace(leaving, resumed=True),
    )


def _enroll(context: Context, app: Application, cluster: str) -> None:
    message = "Being deleted: taken up again from its record in the cluster."
    context.state.save_applications([app])
    context.queue.enroll(app.id, cluster, context.clusters.fleet(cluster))
    context.state.save_status(replace(new_status(context, app, cluster), message=message))
    announce(context.state, [Event(stamp(context.queue.now()), app.id, "Normal", "DeletionResumed", message)])
    context.queue.request(app.id, "its deletion is unfinished", Urgency.POLL)
