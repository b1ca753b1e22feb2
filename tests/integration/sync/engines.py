"""How Argo CD and Flux leave objects behind: their requests, their field managers and their marks."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest
from gitops_workers.local.control_plane import ControlPlane

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
APPLY = "application/apply-patch+yaml"
MERGE = "application/strategic-merge-patch+json"
PATHS = {
    "Deployment": "apis/apps/v1",
    "Job": "apis/batch/v1",
    "ConfigMap": "api/v1",
    "Service": "api/v1",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """One way in which one of them applies. `server_side` is its apply; else it is kubectl's with an annotation."""

    name: str
    dialect: Dialect
    manager: str
    server_side: bool
    labelled: bool = False
    """Argo CD before 3.0: tracked by label only."""

    def marked(self, space: str, app: str, manifest: Manifest) -> Manifest:
        """The manifest with the engine's marks for an application of this name."""
        made = copy.deepcopy(manifest)
        metadata = made["metadata"]
        metadata["namespace"] = space
        if self.dialect is Dialect.FLUX:
            owner = {"kustomize.toolkit.fluxcd.io/name": app, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
            metadata["labels"] = {**metadata.get("labels", {}), **owner}
        elif self.labelled:
            metadata["labels"] = {**metadata.get("labels", {}), "app.kubernetes.io/instance": app}
        else:
            group = made["apiVersion"].rpartition("/")[0]
            identity = f"{app}:{group}/{made['kind']}:{space}/{metadata['name']}"
            metadata["annotations"] = {**metadata.get("annotations", {}), "argocd.argoproj.io/tracking-id": identity}
        return made

    def apply(self, plane: ControlPlane, space: str, app: str, manifest: Manifest) -> Manifest:
        """Bring an object into the cluster as this engine does; the live object."""
        made = self.marked(space, app, manifest)
        kind, name = made["kind"], made["metadata"]["name"]
        path = f"/{PATHS[kind]}/namespaces/{space}/{kind.lower()}s"
        if self.server_side:
            query = f"fieldManager={self.manager}&force=true"
            return _sent(plane, "PATCH", f"{path}/{name}?{query}", made, APPLY)
        annotations = {**made["metadata"].get("annotations", {}), LAST_APPLIED: json.dumps(made)}
        body = {**made, "metadata": {**made["metadata"], "annotations": annotations}}
        if plane.call("GET", f"{path}/{name}")[0] == 404:
            return _sent(plane, "POST", f"{path}?fieldManager={self.manager}", body)
        return _sent(plane, "PATCH", f"{path}/{name}?fieldManager={self.manager}", body, MERGE)


ARGOCD = Engine("argocd", Dialect.ARGOCD, "argocd-controller", server_side=False)
ARGOCD_SERVER_SIDE = Engine("argocd-server-side", Dialect.ARGOCD, "argocd-controller", server_side=True)
ARGOCD_OLD = Engine("argocd-2.4", Dialect.ARGOCD, "argocd-application-controller", server_side=False, labelled=True)
FLUX = Engine("flux", Dialect.FLUX, "kustomize-controller", server_side=True)
ENGINES = (ARGOCD, ARGOCD_SERVER_SIDE, ARGOCD_OLD, FLUX)


def managers(live: Manifest) -> dict[str, Any]:
    """The operation by field manager, without those of subresources."""
    entries: list[Mapping[str, Any]] = live["metadata"].get("managedFields", [])
    return {entry["manager"]: entry["operation"] for entry in entries if not entry.get("subresource")}


def _sent(plane: ControlPlane, method: str, path: str, body: Any, content_type: str = "") -> Manifest:
    status, answer = plane.call(method, path, body, content_type=content_type)
    assert status in (200, 201), answer
    found: Manifest = answer
    return found
