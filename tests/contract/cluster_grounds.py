"""What the contract suites of `Cluster` and `Records` need of the world beside the port: another pair of hands."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.cluster.access import ClusterAccess
from gitops_workers.core.objects import Manifest
from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.ports import Cluster

PART_OF = "applyset.kubernetes.io/part-of"


@dataclass(frozen=True)
class Ground:
    """A cluster with a namespace of the test's own. `edit` is somebody else writing, `remove` somebody deleting."""

    cluster: Cluster
    namespace: str
    edit: Callable[..., object]
    """Takes the manifest, and a field manager's name."""
    remove: Callable[[Manifest], object]


def access_of(plane: ControlPlane, **changes: Any) -> ClusterAccess:
    values = {"name": plane.name, "server": plane.server, "ca": plane.ca_pem, "token": plane.token, **changes}
    return ClusterAccess(**values)


def transport_of(plane: ControlPlane, **changes: Any) -> Transport:
    return Transport(access_of(plane, **changes))


def config_map(namespace: str, name: str = "settings", **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {PART_OF: f"of-{namespace}"}},
        "data": data,
    }


def deployment(namespace: str, name: str = "web", replicas: int = 0) -> Manifest:
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "nginx:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": {PART_OF: f"of-{namespace}"}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod},
    }


def definition(group: str, kind: str = "Widget") -> Manifest:
    """A CustomResourceDefinition whose spec has one number, `size`."""
    plural = f"{kind.lower()}s"
    size = {"type": "object", "properties": {"size": {"type": "integer"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": size}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def secret(namespace: str, name: str, value: str) -> Manifest:
    data = {"password": base64.b64encode(value.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}
