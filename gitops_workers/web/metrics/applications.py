"""What is told of each application and of each source: its whole state, not one part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily, Metric

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.documents.kinds import OUTAGE
from gitops_workers.core.model import AppId, Application, Dialect, Phase
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.status import flux_view
from gitops_workers.core.status.rows import Status
from gitops_workers.core.telemetry.figures import APP_INFO, RESOURCE_INFO
from gitops_workers.ports import State

_APP = ("namespace", "name", "project")
_INFO = (
    *_APP,
    "autosync_enabled",
    "repo",
    "dest_server",
    "dest_namespace",
    "sync_status",
    "health_status",
    "operation",
)
_FLUX = (
    "customresource_group",
    "customresource_kind",
    "customresource_version",
    "exported_namespace",
    "name",
    "ready",
    "suspended",
    "revision",
    "source_name",
    "url",
)
FLUX_KINDS = {
    "Kustomization": ("kustomize.toolkit.fluxcd.io", "v1"),
    "HelmRelease": ("helm.toolkit.fluxcd.io", "v2"),
    "GitRepository": ("source.toolkit.fluxcd.io", "v1"),
    "OCIRepository": ("source.toolkit.fluxcd.io", "v1"),
    "Bucket": ("source.toolkit.fluxcd.io", "v1"),
    "HelmRepository": ("source.toolkit.fluxcd.io", "v1"),
    "HelmChart": ("source.toolkit.fluxcd.io", "v1"),
    "ExternalArtifact": ("source.toolkit.fluxcd.io", "v1"),
}
"""Group and version of every kind of Flux that may be shown one day: this process does without the parsers."""


@dataclass(slots=True)
class _Source:
    """A Flux source as its applications show it."""

    url: str
    group: str
    revision: str = ""
    suspended: bool = True
    looked_at: bool = False


@dataclass(slots=True)
class ApplicationFamilies:
    """Takes rows page by page. `servers` are the clusters' API servers by name."""

    servers: Mapping[str, str]
    stale: Counter[str] = field(default_factory=Counter)
    """Rows that nobody has looked at for twice their interval, by cluster."""
    _info: GaugeMetricFamily = field(
        default_factory=lambda: GaugeMetricFamily(APP_INFO, "An Argo CD application.", labels=_INFO)
    )
    _condition: GaugeMetricFamily = field(
        default_factory=lambda: GaugeMetricFamily("argocd_app_condition", "Conditions.", labels=(*_APP, "condition"))
    )
    _flux: GaugeMetricFamily = field(
        default_factory=lambda: GaugeMetricFamily(RESOURCE_INFO, "A Flux resource.", labels=_FLUX)
    )
    _old: GaugeMetricFamily = field(
        default_factory=lambda: GaugeMetricFamily(
            "gitops_app_stale", "Nobody has looked at it for twice its interval.", labels=("kind", *_APP)
        )
    )
    _sources: dict[str, _Source] = field(default_factory=dict)

    def add(self, rows: Sequence[Status], applications: Mapping[AppId, Application]) -> None:
        """These rows, and the applications of them that can be read."""
        for row in rows:
            kind, namespace, name = row.id.split("/", 2)
            if row.stale:
                self.stale[row.cluster] += 1
                self._old.add_metric((kind, namespace, name, row.project), 1)
            app = applications.get(row.id)
            gauge = policy_of(Dialect(row.dialect)).metrics.gauge
            {APP_INFO: self._add_app, RESOURCE_INFO: self._add_flux}[gauge](row, app)

    def add_sources(self, state: State) -> None:
        """The sources of the rows: not ready while their repository does not answer."""
        down = state.load_many(OUTAGE, sorted({source.group for source in self._sources.values()}))
        for key, source in sorted(self._sources.items()):
            kind, namespace, name = key.split("/", 2)
            ready = "False" if down.get(source.group) else "True" if source.revision else "Unknown"
            if ready == "Unknown" and source.looked_at:
                ready = "False"
            self._add_info(kind, namespace, name, ready, source.suspended, source.revision, "", source.url)

    def families(self) -> Iterable[Metric]:
        """All of them, also without samples."""
        return (self._info, self._condition, self._flux, self._old)

    def _add_app(self, row: Status, app: Application | None) -> None:
        _, namespace, name = row.id.split("/", 2)
        self._info.add_metric(self._labels(row, app), 1)
        for condition in sorted({item.type for item in row.conditions}):
            self._condition.add_metric((namespace, name, row.project, condition), 1)

    def _add_flux(self, row: Status, app: Application | None) -> None:
        kind, (_, namespace, name) = flux_view.kind_of(row.id), row.id.split("/", 2)
        ready = flux_view.ready(app, row) if app else "Unknown"
        key = app.declared_source if app else ""
        self._add_info(kind, namespace, name, ready, row.suspended, flux_view.applied(row), key.rpartition("/")[2], "")
        if app is None or not key:
            return
        url = app.source.shown
        source = self._sources.setdefault(key, _Source(url, repository_group(app)))
        source.revision = source.revision or flux_view.attempted(row)
        source.suspended = source.suspended and row.suspended
        source.looked_at = source.looked_at or bool(row.message)

    def _add_info(
        self,
        kind: str,
        namespace: str,
        name: str,
        ready: str,
        suspended: bool,
        revision: str,
        source: str,
        url: str,
    ) -> None:
        group, version = FLUX_KINDS.get(kind, ("", ""))
        told = (ready, str(suspended).lower(), revision, source, url)
        self._flux.add_metric((group, kind, version, namespace, name, *told), 1)

    def _labels(self, row: Status, app: Application | None) -> tuple[str, ...]:
        """`dest_server` is the manifest's word where it names a server: dashboards made for Argo CD find it."""
        _, namespace, name = row.id.split("/", 2)
        running = row.operation is not None and row.operation.phase is Phase.RUNNING
        return (
            namespace,
            name,
            row.project,
            str(bool(app and app.sync.automated)).lower(),
            without_credentials(row.repository),
            (app.destination.server if app else "") or self.servers.get(row.cluster, row.cluster),
            row.namespace,
            row.sync.value,
            row.health.value,
            "sync" if running else "",
        )
