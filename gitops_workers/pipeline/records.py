"""Records without a request: a copy of each in the state store, read from the cluster once when there is none.

A copy is put away before the first write of an attempt and put back with everything else that the attempt reports, so
that a worker which dies in between leaves none: the next attempt asks the cluster. It can be old only after several
mishaps at once, and then the next write, which names its resourceVersion, is refused.
"""

from __future__ import annotations

from gitops_workers.core.documents.kinds import MARKED, RECORD_COPY, RECORDS_COPIED
from gitops_workers.core.model import AppId
from gitops_workers.core.prune.deletion_request import DeletionRequest
from gitops_workers.core.record.record import Record, StoredRecord
from gitops_workers.core.record.record_copy import RecordCopy, copy_of
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.context import Context


def load(context: Context, cluster: str, app: AppId, copy: RecordCopy | None) -> StoredRecord | None:
    """The application's record by its copy, else from the cluster; None when the cluster has none."""
    if copy is None and context.state.load(RECORDS_COPIED, cluster):
        return None
    if copy is not None and copy.record is not None and copy.holds(app, cluster) and not copy.lost:
        return StoredRecord(copy.record, copy.resource_version)
    return context.clusters.records(cluster).load(app)


def note_missing(context: Context, cluster: str, app: AppId, record: Record | None) -> None:
    """The cluster does not have the record that was known: keep what it said, and read it from there next."""
    context.state.save(RECORD_COPY, app, RecordCopy(cluster, record=record, lost=True))


def invalidate(context: Context, cluster: str, app: AppId) -> None:
    """The record is about to change: from now on only the cluster knows it."""
    context.state.save(RECORD_COPY, app, RecordCopy(cluster))


def cache_records(context: Context, cluster: str) -> None:
    """Copy all records of a cluster with one listing, unless that was done."""
    if context.state.load(RECORDS_COPIED, cluster):
        return
    found = {stored.record.app: stored for stored in context.clusters.records(cluster).load_all()}
    known = context.state.load_many(RECORD_COPY, list(found))
    context.state.save_many(
        RECORD_COPY, {app: copy_of(cluster, stored) for app, stored in found.items() if app not in known}
    )
    unfinished = [app for app, stored in found.items() if stored.record.deletion is not None]
    context.state.save(MARKED, cluster, tuple(unfinished))
    relocation.note_foreign_records(context, cluster, found)
    context.state.save(RECORDS_COPIED, cluster, True)


def marked(context: Context, cluster: str) -> dict[AppId, DeletionRequest]:
    """The applications that the records of a cluster say are being deleted. Costs a listing where none was made yet."""
    if context.state.load(MARKED, cluster) is None:
        delete_marks(context, cluster)
    cache_records(context, cluster)
    ids = context.state.load(MARKED, cluster) or ()
    found = {app: context.clusters.records(cluster).load(app) for app in ids}
    return {
        app: stored.record.deletion
        for app, stored in found.items()
        if stored is not None and stored.record.deletion is not None
    }


def delete_marks(context: Context, cluster: str) -> None:
    """A copy is about to be dropped: what has none may again have a record (an application that comes back)."""
    context.state.discard(RECORDS_COPIED, cluster)
