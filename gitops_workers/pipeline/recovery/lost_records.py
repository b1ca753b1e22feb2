"""A record that has vanished: somebody deleted it by hand, or its namespace with everything in it.

Without it nobody knows what the application has in the cluster, so nothing may count as in sync. It is made anew before
anything else is done: from our copy where there is one, else from the marks on the objects themselves. What is known by
its marks alone is never deleted unasked, since they may have outlived their application.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NoReturn

from gitops_workers.core.diff.ownership import owned, owner
from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents.kinds import RECORD_COPY
from gitops_workers.core.documents.polls import PollFingerprint
from gitops_workers.core.errors import GitOpsError, Incomplete, Superseded
from gitops_workers.core.model import AppId, Application, Condition
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.record.record import InventoryItem, Record, StoredRecord, applyset_id, ordered
from gitops_workers.core.record.record_copy import RecordCopy
from gitops_workers.core.status.rows import Event
from gitops_workers.core.text.plural import amount
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import records
from gitops_workers.pipeline.announcements import announce
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.lease import Lease
from gitops_workers.pipeline.reconcile.object_state import ObjectState
from gitops_workers.pipeline.reconcile.stages import read_candidates
from gitops_workers.ports import Attempt, Cluster, Urgency

REBUILT = "RecordRebuiltWarning"
"""The condition of an application whose record was made anew."""
_MIRRORS = frozenset({("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")})
"""Kinds to which the control plane copies the labels of Services."""


def enqueue_owners(
    context: Context,
    cluster: str,
    glances: Mapping[AppId, PollFingerprint],
    marks: Collection[str],
    apps: Iterable[AppId],
) -> None:
    """Ring for the applications that have objects in a cluster and no record there any more.

    `glances` were read before: an application with a baseline in them wrote its record earlier still. `marks` are those
    on the objects seen. A listing that fails says nothing of any record.
    """
    try:
        holders = context.clusters.records(cluster).holders()
    except GitOpsError:
        return
    suspects = [
        app
        for app in apps
        if app not in holders and ((app in glances and glances[app].kinds) or applyset_id(app) in marks)
    ]
    for app, copy in context.state.load_many(RECORD_COPY, suspects).items():
        if copy.cluster == cluster and not copy.lost:
            records.note_missing(context, cluster, app, copy.record)
            context.queue.request(app, f"its record in cluster {cluster} is gone", Urgency.SELF_HEAL, not_before=0.0)


def check_lost_record(
    context: Context,
    app: Application,
    attempt: Attempt,
    cluster_name: str,
    copy: RecordCopy | None,
    states: Iterable[ObjectState],
    wanted: Iterable[ObjectKey],
    baseline: SyncBaseline,
) -> None:
    """Rebuild the record of an application that has none and once had one; nothing happens before its first sync."""
    if (copy is not None and copy.known_in(cluster_name)) or bears_marks(app, states):
        rebuild(context, app, attempt, cluster_name, copy, wanted=frozenset(wanted), baseline=baseline)


def bears_marks(app: Application, states: Iterable[ObjectState]) -> bool:
    """Whether one of the objects bears our mark: the record is written before any object is."""
    mark = applyset_id(app.id)
    return any(look.agreed is not None or owner(look.compared.live or {}) == mark for look in states)


def rebuild(
    context: Context,
    app: Application,
    attempt: Attempt,
    cluster_name: str,
    copy: RecordCopy | None,
    *,
    wanted: Collection[ObjectKey] = (),
    baseline: SyncBaseline | None = None,
) -> NoReturn:
    """Write the record anew, and end the attempt as Superseded: the next one finds it.

    `wanted` is what Git has. Raises Incomplete where it is not known what bears our marks.
    """
    lease = Lease(context, attempt)
    lease.keep()
    port = context.clusters.records(cluster_name)
    if port.load(app.id) is not None:
        records.invalidate(context, cluster_name, app.id)
        raise Superseded(f"{app.id}: its record is there again; it is looked at anew.")
    now = context.queue.now()
    record = _remembered(app, cluster_name, copy)
    if record is None:
        found = marked_objects(app, context.clusters.open(cluster_name))
        doubtful = tuple(item.key for item in found if item.key not in wanted)
        synced = baseline.synced if baseline else ""
        record = Record(app.id, inventory=found, synced=synced, doubtful=doubtful)
    record = replace(
        record,
        generation=max(record.generation, attempt.generation),
        writer=attempt.token,
        listed_at=max(record.listed_at, now),
        rebuilt=now,
    )
    lease.prove()
    port.store(record, None)
    records.invalidate(context, cluster_name, app.id)
    announce(context.state, [Event(stamp(now), app.id, "Warning", "RecordRebuilt", _words(cluster_name, record))])
    raise Superseded(f"{app.id}: its record had vanished and was rebuilt; it is looked at anew.")


def with_rebuilt_condition(app: Application, cluster_name: str, stored: StoredRecord | None) -> Application:
    """The application with a condition about a record that was made anew, until a sync has ended well since."""
    if stored is None or not stored.record.rebuilt:
        return app
    text = _words(cluster_name, stored.record)
    if stored.record.doubtful:
        text += (
            f" {stored.record.doubtful[0]} and whatever else Git does not have stays until somebody says "
            f"`gitops-workers app sync {app.id} --prune`."
        )
    return replace(app, conditions=(*app.conditions, Condition(REBUILT, text)))


def still_true(conditions: tuple[Condition, ...], stored: StoredRecord | None) -> tuple[Condition, ...]:
    """Those of an attempt's conditions that still hold with the record as the attempt leaves it."""
    if stored is not None and stored.record.rebuilt:
        return conditions
    return tuple(item for item in conditions if item.type != REBUILT)


def _words(cluster_name: str, record: Record) -> str:
    count = amount(len(record.inventory), "object")
    lost = "" if record.history else " Its history is lost."
    return f"Its record in cluster {cluster_name} had vanished, and was rebuilt with {count}.{lost}"


def _remembered(app: Application, cluster_name: str, copy: RecordCopy | None) -> Record | None:
    """What our copy says, if it speaks of this cluster and can be read."""
    return copy.record if copy is not None and copy.holds(app.id, cluster_name) else None


def marked_objects(app: Application, cluster: Cluster) -> tuple[InventoryItem, ...]:
    """Everything in a cluster that bears all of the application's marks. Raises Incomplete when that is not known."""
    found = cluster.discovery(refresh=True)
    if found.failed:
        raise Incomplete(_unknown(app, f"what is in API group {min(found.failed)} cannot be read now"))
    seen = cluster.list_metadata(found.resources, part_of=applyset_id(app.id))
    if seen.unknown:
        kind, error = next(iter(seen.unknown.items()))
        raise Incomplete(_unknown(app, f"objects of kind {kind} cannot be listed ({error})"))
    items = [
        InventoryItem(key, found.resources[key.group_kind].version)
        for key in seen.seen
        if key.group_kind not in _MIRRORS
    ]
    live = read_candidates(cluster, items)
    return ordered(item for item in items if _is_ours(app, item.key, live[item.key]))


def _is_ours(app: Application, key: ObjectKey, live: Manifest | None) -> bool:
    """A controller may have copied the labels of its object to what it makes of it."""
    if live is None or not owned(app, key, live):
        return False
    owners = live["metadata"].get("ownerReferences") or ()
    return not any(reference.get("controller") for reference in owners)


def _unknown(app: Application, why: str) -> str:
    return (
        f"The record of {app.id} has vanished, and it cannot be rebuilt from the marks on its objects yet: {why}. "
        "Until then it is not known what it has deployed, and nothing is changed."
    )
