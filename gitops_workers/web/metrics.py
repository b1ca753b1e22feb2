"""`/metrics`: Argo CD's and Flux's names where the meaning is the same, computed from the store at the scrape.

Argo CD 3.5 docs, metrics; Flux 2.9 docs, monitoring (`gotk_resource_info` as its kube-state-metrics configuration names
it). Nothing is counted per application in memory, so every replica tells the same and a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gitops_workers.core.model import Application, Phase
from gitops_workers.core.status import Status
from gitops_workers.core.urls import without_credentials
from gitops_workers.ports import State, StatusQuery

PAGE = 500
"""Rows read in one round trip at a scrape."""

_APP = ("namespace", "name", "project")
_APP_INFO = (
    *_APP,
    "autosync_enabled",
    "repo",
    "dest_server",
    "dest_namespace",
    "sync_status",
    "health_status",
    "operation",
)
_FLUX_INFO = (
    "customresource_group",
    "customresource_kind",
    "exported_namespace",
    "name",
    "ready",
    "suspended",
    "revision",
)
_FLUX_KINDS = {
    "kustomization": ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    "helmrelease": ("helm.toolkit.fluxcd.io", "HelmRelease"),
}
_READY = {"Healthy": "True", "Current": "True", "Progressing": "Unknown", "InProgress": "Unknown", "Unknown": "Unknown"}


class Counters:
    """What this process itself has done; the rest is read from the store."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.webhooks = Counter(
            "gitops_webhook_requests", "Webhook requests.", ("provider", "outcome"), registry=registry
        )
        self.in_flight = Gauge(
            "argocd_webhook_handlers_in_flight", "Verified webhooks on their way to the store.", registry=registry
        )


def new_registry(state: State) -> CollectorRegistry:
    """A registry with the store's figures and this process' own."""
    registry = CollectorRegistry()
    registry.register(_Store(state))
    ProcessCollector(registry=registry)
    return registry


class _Store(Collector):
    def __init__(self, state: State) -> None:
        self._state = state

    def describe(self) -> Iterable[Metric]:
        return ()  # else registering would read the store

    def collect(self) -> Iterator[Metric]:
        clusters = list(self._state.clusters())
        servers = {view.name: view.server for view in clusters}
        info = GaugeMetricFamily("argocd_app_info", "Information about an Argo CD application.", labels=_APP_INFO)
        condition = GaugeMetricFamily("argocd_app_condition", "Conditions.", labels=(*_APP, "condition"))
        flux = GaugeMetricFamily("gotk_resource_info", "Information about a Flux resource.", labels=_FLUX_INFO)
        for page in _pages(self._state):
            declared = self._state.load_applications([row.id for row in page])
            for row in page:
                kind, namespace, name = row.id.split("/", 2)
                if kind in _FLUX_KINDS:
                    ready, suspended = _READY.get(row.health.value, "False"), str(row.suspended).lower()
                    flux.add_metric((*_FLUX_KINDS[kind], namespace, name, ready, suspended, row.revision), 1)
                    continue
                info.add_metric(_info(row, servers, declared.get(row.id)), 1)
                for kind_of in sorted({item.type for item in row.conditions}):
                    condition.add_metric((namespace, name, row.project, kind_of), 1)
        yield from (info, condition, flux)
        up = GaugeMetricFamily("argocd_cluster_connection_status", "1 when reachable.", labels=("server",))
        depth = GaugeMetricFamily("gitops_queue_depth", "Due, not yet sent.", labels=("cluster", "fleet"))
        flight = GaugeMetricFamily("gitops_queue_in_flight", "Sent or in work.", labels=("cluster", "fleet"))
        lag = GaugeMetricFamily("gitops_queue_lag_seconds", "Age of the oldest due item.", labels=("cluster", "fleet"))
        for view in clusters:
            if view.reachable is not None:  # nobody asked a cluster that no application uses: unknown is not failed
                up.add_metric((view.server,), float(view.reachable))
            for family, value in ((depth, view.queue_depth), (flight, view.in_flight), (lag, view.lag)):
                family.add_metric((view.name, view.fleet), float(value))
        yield from (up, depth, flight, lag)


def _info(row: Status, servers: dict[str, str], app: Application | None) -> tuple[str, ...]:
    """`dest_server` is the manifest's word where it names a server, so that dashboards made for Argo CD find it."""
    _, namespace, name = row.id.split("/", 2)
    running = row.operation is not None and row.operation.phase is Phase.RUNNING
    return (
        namespace,
        name,
        row.project,
        str(bool(app and app.sync.automated)).lower(),
        without_credentials(row.repository),
        (app.destination.server if app else "") or servers.get(row.cluster, row.cluster),
        row.namespace,
        row.sync.value,
        row.health.value,
        "sync" if running else "",
    )


def _pages(state: State) -> Iterator[list[Status]]:
    offset, told = 0, set[str]()
    while rows := state.query(StatusQuery(offset=offset, limit=PAGE)).rows:
        # A row that was added meanwhile moves the others on: one told twice would be a duplicate sample.
        yield [row for row in rows if row.id not in told]
        told.update(row.id for row in rows)
        offset += len(rows)
