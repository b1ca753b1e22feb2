"""The poll of a cluster: the versions of all managed objects, listed once and compared with the last agreements."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from gitops_workers.core.diff.sync_baseline import SyncBaseline, fingerprint
from gitops_workers.core.documents.kinds import BASELINE, DRIFT, FINGERPRINT
from gitops_workers.core.documents.polls import PollFingerprint
from gitops_workers.core.documents.sets import DriftedObjects
from gitops_workers.core.errors import ClusterUnavailable, GitOpsError
from gitops_workers.core.model import AppId
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import applyset_id
from gitops_workers.core.telemetry.figures import CLUSTER_EVENTS, counted
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.reconcile.report import poll_fingerprint, watch_in
from gitops_workers.pipeline.recovery import lost_records
from gitops_workers.ports import MetadataList, ObjectMeta, Urgency


def poll_cluster(
    context: Context, name: str, apps: Sequence[AppId], interval: float
) -> tuple[float, dict[AppId, GitOpsError]]:
    """Ring for every application whose live objects are not those of its last agreement.

    Returns in how many seconds the cluster has to be looked at again for those that wait for their objects, if any do,
    and the applications of which one kind cannot be listed: a forbidden or silent one is no news of the others.
    """
    began = context.clock()
    glances = context.state.load_many(FINGERPRINT, apps)
    kinds = sorted({kind for last in glances.values() for kind in last.kinds})
    cluster = context.clusters.open(name)
    try:
        if not kinds:
            # No application is in sync here, perhaps because the cluster was away: whether it answers is still to be
            # found out.
            cluster.discovery(refresh=True)
        found = cluster.list_metadata(kinds)
    except ClusterUnavailable as error:
        cluster_health.unanswered(context, name, error, stamp(context.queue.now()))
        raise
    cluster_health.answered(context, name, stamp(context.queue.now()), len(found.seen))
    owners = _by_owner(found.seen)
    lost_records.enqueue_owners(context, name, glances, owners.keys(), apps)
    unknown = _unknown(glances, found)
    suspects = [
        app
        for app in apps
        if app not in unknown
        and (last := glances.get(app))
        and last.closure
        and last.objects != _print(owners.get(applyset_id(app), {}))
    ]
    unmoved: dict[AppId, SyncBaseline] = {}
    for app, baseline in context.state.load_many(BASELINE, suspects).items():
        moved = _moved(baseline, owners.get(applyset_id(app), {}))
        if moved:
            context.meter.add(counted(CLUSTER_EVENTS, (context.clusters.server(name),), len(moved)))
            context.state.save(DRIFT, app, DriftedObjects(frozenset(moved)))
            context.queue.request(app, f"{moved[0]} changed in the cluster", Urgency.SELF_HEAL, not_before=0.0)
        else:
            unmoved[app] = baseline
    # As they are now: an attempt that has found the objects well meanwhile waits no more.
    latest = context.state.load_many(FINGERPRINT, list(unmoved))
    context.state.save_many(
        FINGERPRINT,
        {
            app: poll_fingerprint(
                baseline,
                _print(owners.get(applyset_id(app), {})),
                latest[app].waits_since if app in latest else 0.0,
            )
            for app, baseline in unmoved.items()
        },
    )
    now = context.queue.now()
    watches = [watch_in(now - last.waits_since, interval) for last in glances.values() if last.waits_since]
    # However much there is to list, watching takes a tenth of a task's time.
    return (max(min(watches), 10 * (context.clock() - began)) if watches else math.inf), unknown


def _unknown(glances: Mapping[AppId, PollFingerprint], found: MetadataList) -> dict[AppId, GitOpsError]:
    return {
        app: found.unknown[unlisted[0]]
        for app, last in glances.items()
        if (unlisted := [kind for kind in last.kinds if kind in found.unknown])
    }


def _by_owner(seen: Mapping[ObjectKey, ObjectMeta]) -> dict[str, dict[ObjectKey, ObjectMeta]]:
    owners: dict[str, dict[ObjectKey, ObjectMeta]] = defaultdict(dict)
    for key, item in seen.items():
        owners[item.part_of][key] = item
    return owners


def _print(live: Mapping[ObjectKey, ObjectMeta]) -> str:
    return fingerprint((key, item.uid, item.resource_version) for key, item in live.items())


def _moved(baseline: SyncBaseline, live: Mapping[ObjectKey, ObjectMeta]) -> list[ObjectKey]:
    """Agreed objects that are gone, replaced or changed. Others with our label are the inventory's business."""
    return sorted(
        key
        for key, known in baseline.objects.items()
        if key not in live or (live[key].uid, live[key].resource_version) != (known.uid, known.resource_version)
    )
