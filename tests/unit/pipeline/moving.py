"""A lab with two clusters, between which an application moves."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.testing.volatile_cluster import VolatileClusters
from tests.unit.core.making import manifest
from tests.unit.pipeline.leaving import LeavingLab, argo

WEB = "application/argocd/web"
AUTOMATED = "{automated: {prune: true, selfHeal: true}}"


class MovingLab(LeavingLab):
    """Two clusters."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.clusters = VolatileClusters("east", "west")
        self.context = replace(self.context, clusters=self.clusters)
        for name in ("east", "west"):
            self.clusters.open(name).edit(manifest("Namespace", "shop"))

    def deploy(self, cluster: str, policy: str = "{automated: {prune: true, selfHeal: true}}") -> None:
        """Declare the application with this destination."""
        text = (
            argo()
            .replace("{name: east,", f"{{name: {cluster},")
            .replace("{automated: {prune: true, selfHeal: true}}", policy)
        )
        self.declare_all(text)

    def there(self, cluster: str) -> list[str]:
        """The objects in this cluster."""
        return sorted(key.name for key in self.clusters.open(cluster).objects() if key.namespace == "shop")

    def warning(self) -> str:
        """What the status says of the objects that it has left behind."""
        return "".join(item.message for item in self.status(WEB).conditions if item.type == "ObjectsLeftBehind")
