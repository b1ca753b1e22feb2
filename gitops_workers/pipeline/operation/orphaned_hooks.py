"""Objects of hook runs that no operation looks after any more: our finalizer goes, whatever has ended the operation.

An operation puts its hooks away at its own end. One that was cut off (an outage, a refusal, a commit that takes its
place and is not synced, the loss of Redis) could not, so the next look does, before it asks Git. The objects stay, as
those of Argo CD's hooks do when nobody deletes them.
"""

from __future__ import annotations

from gitops_workers.core.model import Application
from gitops_workers.core.record.record import StoredRecord
from gitops_workers.core.sync.operation import Operation
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation.hook_runs import HookRuns
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.ports import Attempt

RECHECK_AFTER_S = 1.0
"""Seconds until that look, where nothing else asks for one."""


def release_finalizers(
    context: Context,
    app: Application,
    attempt: Attempt,
    cluster_name: str,
    stored: StoredRecord | None,
    previous: Operation | None,
) -> StoredRecord | None:
    """The record, after the hooks that it knows have been let go of.

    Costs nothing after a sync that ended well, nor while one goes on.
    """
    if stored is None or not stored.record.open or (previous is not None and previous.running):
        return stored
    if stored.record.hooks:
        cluster = context.clusters.open(cluster_name)
        writer = Writer(context, app, attempt, cluster_name, cluster, stored, (), listed_at=0.0)
        HookRuns(context, app, cluster, writer, stored.record.hooks).release_finalizer()
        return writer.stored
    return stored
