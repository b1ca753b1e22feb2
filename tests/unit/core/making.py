"""Short ways to make values for tests of the core."""

from __future__ import annotations

from base64 import b64encode
from random import Random
from typing import Any

from gitops_workers.core.diff.desired import Desired, desired_objects
from gitops_workers.core.model import Application, Destination, Dialect, Schedule, SourceSpec
from gitops_workers.core.objects import GroupKind, Manifest
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.core.sync.sync_policy import SyncPolicy

SCOPES = {
    GroupKind("", "ConfigMap"): True,
    GroupKind("", "Service"): True,
    GroupKind("", "Secret"): True,
    GroupKind("", "Namespace"): False,
    GroupKind("apps", "Deployment"): True,
    GroupKind("batch", "Job"): True,
    GroupKind("rbac.authorization.k8s.io", "ClusterRole"): False,
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): False,
    GroupKind("storage.k8s.io", "StorageClass"): False,
}


def application(dialect: Dialect = Dialect.ARGOCD, namespace: str = "shop", **sync: Any) -> Application:
    kind, place = ("application", "argocd") if dialect is Dialect.ARGOCD else ("kustomization", "flux-system")
    return Application(
        id=f"{kind}/{place}/web",
        dialect=dialect,
        source=SourceSpec("https://git.example/shop.git"),
        render=RenderSpec(),
        destination=Destination(name="east", namespace=namespace),
        sync=SyncPolicy(**{"automated": True, **sync}),
        schedule=Schedule(interval=60, jitter=0, retry_interval=30),
    )


def manifest(
    kind: str, name: str, api: str = "v1", namespace: str = "", wave: int | None = None, **body: Any
) -> Manifest:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if wave is not None:
        metadata["annotations"] = {"argocd.argoproj.io/sync-wave": str(wave)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **body}


def crd(kind: str, group: str) -> Manifest:
    return manifest(
        "CustomResourceDefinition",
        f"{kind.lower()}s.{group}",
        "apiextensions.k8s.io/v1",
        spec={"group": group, "scope": "Namespaced", "names": {"kind": kind}},
    )


def desired(app: Application, *manifests: Manifest) -> tuple[Desired, ...]:
    return desired_objects(app, manifests, SCOPES)


def noise(size: int) -> str:
    """A text that no compression makes shorter than three quarters."""
    return b64encode(Random(1).randbytes(size)).decode()[:size]
