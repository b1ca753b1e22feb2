"""An application's destination becomes another cluster: what stays in the one before is noted, and looked up again.

The note is a document of the state store. When that is emptied, the old cluster's own record tells of it again, as soon
as the records of that cluster are listed. The note goes when that record is gone, when the application is back, or when
the cluster is no longer configured.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitops_workers.core.documents.kinds import LEFT_BEHIND
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.prune.relocation import CONDITION, describe, with_relocation_condition
from gitops_workers.core.record.record import StoredRecord
from gitops_workers.core.status.rows import Event
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline.announcements import announce
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import Urgency

RECHECK_AFTER_S = 600.0
"""Seconds until the old clusters are asked again: one of them may be away for good, and cost a timeout every time."""


def note_relocation(context: Context, app: AppId, old: str, new: str, objects: int) -> Mapping[str, int]:
    """Note that the application has gone from one cluster to another; what it has left behind everywhere."""
    noted = context.state.load(LEFT_BEHIND, app)
    known = dict(noted) if noted else {}
    if old not in known and objects and old in context.clusters.names() and not _same(context, old, new):
        message = describe(app, {old: objects})
        announce(context.state, [Event(stamp(context.queue.now()), app, "Warning", CONDITION, message)])
        known[old] = objects
    known.pop(new, None)
    _save(context, app, known)
    return known


def note_foreign_records(context: Context, cluster: str, records: Mapping[AppId, StoredRecord]) -> None:
    """The records of a cluster: some may be of applications whose destination is another one now."""
    for app_id, app in context.state.load_applications(list(records)).items():
        record = records[app_id].record
        try:
            home = context.clusters.resolve(app.destination.name, app.destination.server)
        except GitOpsError:
            continue
        if home != cluster and record.deletion is None:
            note_relocation(context, app_id, cluster, home, len(record.inventory))
            context.queue.request(app_id, f"it was deployed in {cluster} before", Urgency.POLL, not_before=0.0)


def with_leftovers(context: Context, app: Application, cluster: str, noted: Mapping[str, int]) -> Application:
    """The application with what is still true of the note about objects by cluster."""
    if not noted or not context.queue.every(f"moved {app.id}", RECHECK_AFTER_S):
        return app
    after = {old: count for old in noted if old != cluster and (count := _count(context, app.id, old, noted[old]))}
    if after != noted:
        _save(context, app.id, after)
    return with_relocation_condition(app, after)


def _count(context: Context, app: AppId, cluster: str, before: int) -> int:
    """How many objects the cluster's record lists; as before where it cannot be asked."""
    if cluster not in context.clusters.names():
        return 0
    try:
        stored = context.clusters.records(cluster).load(app)
    except GitOpsError:
        return before
    return len(stored.record.inventory) if stored else 0


def _same(context: Context, old: str, new: str) -> bool:
    """Whether two names mean one cluster."""
    names = context.clusters.names()
    return old == new or (new in names and context.clusters.server(old) == context.clusters.server(new))


def _save(context: Context, app: AppId, known: Mapping[str, int]) -> None:
    if known:
        context.state.save(LEFT_BEHIND, app, known)
    else:
        context.state.discard(LEFT_BEHIND, app)
