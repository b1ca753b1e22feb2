"""A lab with a catalogue that is really read: manifests come and go, and applications with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_workers.core.documents.kinds import DELETION_ORDER
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.deletion import to_document
from gitops_workers.core.prune.deletion_request import Cascade
from gitops_workers.core.record.record import StoredRecord
from gitops_workers.core.status.rows import Event
from gitops_workers.ports import Urgency
from gitops_workers.testing.volatile_state import VolatileState
from gitops_workers.testing.volatile_telemetry import VolatileTelemetry
from tests.unit.pipeline.catalogue.test_refresh import TextCatalogue
from tests.unit.pipeline.hazards import HazardLab

ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd, finalizers: [{finalizer}]}}
spec:
  project: default
  source: {{repoURL: "https://git.example/shop.git", path: {path}}}
  destination: {{name: east, namespace: shop}}
  syncPolicy: {{automated: {{prune: true, selfHeal: true}}}}
"""
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 1m
  timeout: 2m
  path: {path}
  prune: true
  targetNamespace: shop
  sourceRef: {{kind: GitRepository, name: fleet}}
"""
FLEET = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec: {url: "https://git.example/shop.git", interval: 1m, ref: {branch: main}}
"""
RESOURCES = "resources-finalizer.argocd.argoproj.io"
OTHER = ARGO.format(name="other", path="other", finalizer="").replace(", finalizers: []", "")


def argo(name: str = "web", finalizer: str = RESOURCES, path: str = "web") -> str:
    return ARGO.format(name=name, finalizer=finalizer, path=path)


def flux(name: str = "web", path: str = "web", **spec: str) -> str:
    return FLUX.format(name=name, path=path) + "".join(f"  {key}: {value}\n" for key, value in spec.items())


class LeavingLab(HazardLab):
    """`declare_all` writes the catalogue; one application without a policy is always there."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.catalogue = TextCatalogue("")
        self.catalogues = [self.catalogue]
        self.queue.enroll_poll("catalogue", "catalogue", 0.0)
        self.clusters.resolve("", "")  # `in-cluster`, which Flux means, is the first

    def declare_all(self, *manifests: str) -> None:
        self.catalogue.text = "---\n".join((OTHER, FLEET, *manifests))

    def begin(self, *manifests: str) -> None:
        """Declare, and let everything be synced."""
        self.declare_all(*manifests)
        self.settle_down(20)

    def empty_redis(self) -> None:
        """FLUSHALL; the beat enrolls the catalogue anew."""
        self.queue.clear()
        self.state = VolatileState(self.queue.cluster_loads, VolatileTelemetry(self.queue.now).presence)
        self.context = replace(self.context, state=self.state)
        self.queue.enroll_poll("catalogue", "catalogue", 0.0)

    def ask_deletion(self, app: str, cascade: Cascade | None = None) -> None:
        """What `app delete --yes` does."""
        found = self.state.application(app)
        assert found is not None
        self.state.save(DELETION_ORDER, app, to_document(found, cascade, "ann"))
        self.queue.request(app, "delete asked by ann", Urgency.MANUAL)

    def record(self, app: str) -> StoredRecord | None:
        return self.clusters.records("east").load(app)

    def names(self) -> list[str]:
        """The objects in the namespace `shop`."""
        return sorted(key.name for key in self.cluster.objects() if key.namespace == "shop")

    def finalize(self, name: str, kind: str = "ConfigMap") -> ObjectKey:
        """Somebody puts a finalizer on an object."""
        key = ObjectKey("", kind, "shop", name)
        live = self.cluster.objects()[key]
        live["metadata"]["finalizers"] = ["example.com/slow"]
        self.cluster.edit(live)
        return key

    def release(self, key: ObjectKey) -> None:
        """Whoever held it lets go."""
        live = self.cluster.objects()[key]
        live["metadata"]["finalizers"] = None
        self.cluster.edit(live)

    def removed(self, app: str) -> Event | None:
        """The event that says what became of it."""
        return next((event for event in self.state.events(app) if event.reason == "Removed"), None)


def app_id(dialect: Dialect, name: str = "web") -> str:
    return f"application/argocd/{name}" if dialect is Dialect.ARGOCD else f"kustomization/flux-system/{name}"


def declared(dialect: Dialect, name: str = "web", **options: Any) -> str:
    return argo(name, **options) if dialect is Dialect.ARGOCD else flux(name, **options)


def annotated_with(annotation: str) -> str:
    """The Argo CD application with this annotation."""
    return argo().replace("namespace: argocd,", f"namespace: argocd, annotations: {{{annotation}}},")
