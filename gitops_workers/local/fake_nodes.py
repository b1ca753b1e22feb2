"""Nodes that exist only in the API: kwok plays their kubelets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = Callable[..., tuple[int, Any]]
"""`ControlPlane.call`: method, path, body -> HTTP status, JSON."""

_CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "1000"}
"""Roomy: the scheduler must never be the reason why a demo's pod does not run."""


def create(call: Call, count: int) -> None:
    """Create `count` nodes, named node-1 and on; those that exist stay."""
    for number in range(1, count + 1):
        name = f"node-{number}"
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "type": "kwok"}
        call(
            "POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        )
        call("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"capacity": _CAPACITY, "allocatable": _CAPACITY}})
        # Admission taints a new node as not ready; the controller that would remove that is off, as it also evicts
        # the pods of nodes that no real kubelet keeps alive.
        call("PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": None}})


def all_ready(call: Call, count: int) -> bool:
    """Whether kwok has made so many nodes ready."""
    status, nodes = call("GET", "/api/v1/nodes")
    if status != 200:
        return False
    conditions = [node["status"].get("conditions", ()) for node in nodes["items"]]
    return sum(any(c["type"] == "Ready" and c["status"] == "True" for c in each) for each in conditions) >= count
