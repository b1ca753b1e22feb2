"""What is told of clusters, their queues, and who is there to serve them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from gitops_workers.core.status.listing import epoch
from gitops_workers.core.status.rows import ClusterView
from gitops_workers.core.telemetry.presence import BEAT, Presence


def fleet_families(views: Sequence[ClusterView], presence: Presence, stale: Mapping[str, int]) -> Iterator[Metric]:
    """`stale`: rows that nobody has looked at for twice their interval, by cluster."""
    yield from _clusters(views, presence.now)
    yield from _queues(views, stale)
    workers = GaugeMetricFamily("gitops_workers", "Workers that serve a fleet now.", labels=("fleet",))
    for fleet in sorted({*presence.fleets, *(view.fleet for view in views)}):
        workers.add_metric((fleet,), presence.workers(fleet))
    yield workers
    yield GaugeMetricFamily("gitops_beats", "Beat replicas that are there now.", value=len(presence.present(BEAT)))
    last = presence.last.get(BEAT, 0.0)
    yield GaugeMetricFamily("gitops_beat_last_tick", "When a beat last reported a tick, epoch seconds.", value=last)


def _clusters(views: Sequence[ClusterView], now: float) -> Iterator[Metric]:
    info = GaugeMetricFamily("argocd_cluster_info", "A destination.", labels=("server", "k8s_version", "name"))
    up = GaugeMetricFamily(
        "argocd_cluster_connection_status", "1 when reachable, 0 when not.", labels=("server", "k8s_version")
    )
    kinds = GaugeMetricFamily("argocd_cluster_api_resources", "Kinds that it serves.", labels=("server",))
    objects = GaugeMetricFamily(
        "argocd_cluster_api_resource_objects", "Managed objects that the last poll listed.", labels=("server",)
    )
    age = GaugeMetricFamily("argocd_cluster_cache_age_seconds", "Since it was last looked at.", labels=("server",))
    for view in views:
        info.add_metric((view.server, view.version, view.name), 1)
        if view.reachable is not None:  # nobody has asked it yet: that is no failure
            up.add_metric((view.server, view.version), float(view.reachable))
            kinds.add_metric((view.server,), view.kinds)
            objects.add_metric((view.server,), view.objects)
        if view.checked_at:
            age.add_metric((view.server,), max(0.0, now - epoch(view.checked_at)))
    yield from (info, up, kinds, objects, age)


def _queues(views: Sequence[ClusterView], stale: Mapping[str, int]) -> Iterator[Metric]:
    labels = ("cluster", "fleet")
    depth = GaugeMetricFamily("gitops_queue_depth", "Waiting: due, or sent and taken by no worker.", labels=labels)
    flight = GaugeMetricFamily("gitops_queue_in_flight", "In work.", labels=labels)
    lag = GaugeMetricFamily("gitops_queue_lag_seconds", "How long the oldest one has waited.", labels=labels)
    old = GaugeMetricFamily(
        "gitops_stale_applications", "Nobody has looked at them for twice their interval.", labels=labels
    )
    for view in views:
        of = (view.name, view.fleet)
        told = ((depth, view.queue_depth), (flight, view.in_flight), (lag, view.lag), (old, stale.get(view.name, 0)))
        for family, value in told:
            family.add_metric(of, float(value))
    yield from (depth, flight, lag, old)
    queue = GaugeMetricFamily("workqueue_depth", "Work that waits, under Argo CD's name.", labels=("name",))
    queue.add_metric(("app_reconciliation_queue",), float(sum(view.queue_depth for view in views)))
    yield queue
