"""The floor: a bare loop that applies the same objects over one connection, with nothing around it."""

from __future__ import annotations

import json
import ssl
import time
from http.client import HTTPSConnection

import yaml

from gitops_workers.local.control_plane import ControlPlane
from tests.bench.fleet import BASE

PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments/web",
    "Service": "/api/v1/namespaces/{}/services/web",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps/web",
}


def bare_loop(plane: ControlPlane, size: int) -> dict[str, float]:
    """Dry-run and apply three objects for each of `size` namespaces `floor-N`; seconds, our CPU seconds, requests."""
    for number in range(size):
        plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": f"floor-{number}"}})
    objects = [yaml.safe_load(text) for name, text in BASE.items() if name != "kustomization.yaml"]
    connection = HTTPSConnection("127.0.0.1", plane.port, context=ssl.create_default_context(cadata=plane.ca_pem))
    headers = {"Authorization": f"Bearer {plane.token}", "Content-Type": "application/apply-patch+yaml"}
    start, cpu = time.monotonic(), time.process_time()
    for number in range(size):
        for query in ("&dryRun=All", ""):
            for item in objects:
                path = PATHS[item["kind"]].format(f"floor-{number}")
                body = json.dumps({**item, "metadata": {"name": "web", "namespace": f"floor-{number}"}})
                connection.request("PATCH", f"{path}?fieldManager=floor&force=true{query}", body, headers)
                response = connection.getresponse()
                response.read()
                assert response.status in (200, 201), response.status
    seconds, used = time.monotonic() - start, time.process_time() - cpu
    for number in range(size):
        plane.call("DELETE", f"/api/v1/namespaces/floor-{number}")
    return {"seconds": seconds, "cpu": used, "requests": float(size * 6)}
