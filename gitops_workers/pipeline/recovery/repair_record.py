"""The record as an attempt finds it, brought in order before Git is asked.

What an earlier attempt, a deletion that was given up, or a lost Redis has left open is closed here, once; the stages
after it may take the record as it stands.
"""

from __future__ import annotations

from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.errors import Superseded
from gitops_workers.core.model import Application
from gitops_workers.core.record.record import StoredRecord
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync.pause import Pause
from gitops_workers.pipeline import records
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import finalize
from gitops_workers.pipeline.operation import orphaned_hooks
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.ports import Attempt


def repaired_record(
    context: Context,
    app: Application,
    attempt: Attempt,
    cluster_name: str,
    known: StoredState,
) -> tuple[StoredRecord | None, Pause | None]:
    """The record, and the pause of automated sync that is in force. Raises Superseded."""
    stored = records.load(context, cluster_name, app.id, known.record)
    if known.operation is None:
        _wait_out(context, stored)
    stored = finalize.returned(context, app, attempt, cluster_name, stored)
    stored = orphaned_hooks.release_finalizers(context, app, attempt, cluster_name, stored, known.operation)
    paused = pauses.in_force(stored.record.paused if stored else None, known.override)
    if stored and stored.record.paused != paused:
        cluster = context.clusters.open(cluster_name)
        stored = Writer(context, app, attempt, cluster_name, cluster, stored, (), 0.0, paused=paused).mend_pause()
    return stored, paused


def _wait_out(context: Context, stored: StoredRecord | None) -> None:
    """Where the record says that a sync was in its middle, and nobody knows of one, Redis was emptied.

    The worker that wrote then may still believe in its lease, until that would end.
    A token is the moment when its attempt began, in microseconds; one from the future says that a clock went back.
    """
    if stored is None or not stored.record.open:
        return
    left = stored.record.writer / 1e6 + context.lease - context.queue.now()
    if 0 < left <= context.lease:
        raise Superseded(f"{stored.record.app}: another attempt may be writing still; it has {left:.0f} s at most.")
