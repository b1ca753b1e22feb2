"""One cluster with fake nodes for the folder; every test has a namespace and an application of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.errors import Refused
from gitops_workers.local import kube_programs
from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.local.control_planes import ControlPlanes
from tests.conftest import missing
from tests.integration.sync.admission import allow, deny
from tests.integration.sync.yard import Yard


@pytest.fixture(scope="session")
def busy_plane(planes: ControlPlanes, tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """A cluster with one node, on which pods do what their label says."""
    stages = tmp_path_factory.mktemp("stages") / "stages.yaml"
    own = Path(__file__).with_name("stages.yaml")
    stages.write_text("\n---\n".join(path.read_text() for path in (kube_programs.STAGES, own)))
    try:
        (plane,) = planes.add("busy", nodes=1, stages=stages)
    except Refused as reason:
        missing(reason)
    return plane


@pytest.fixture
def yard(busy_plane: ControlPlane) -> Iterator[Yard]:
    """The pipeline over the busy cluster."""
    space = f"yard-{uuid.uuid4().hex[:10]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
    status, answer = busy_plane.call("POST", "/api/v1/namespaces", body)
    assert status == 201, answer
    yield Yard(plane=busy_plane, space=space)
    busy_plane.call("DELETE", f"/api/v1/namespaces/{space}")


@pytest.fixture
def denying(yard: Yard) -> Iterator[None]:
    """A policy that denies ConfigMaps of this test's namespace whose value is `forbidden`."""
    deny(yard)
    yield
    allow(yard)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that change something, dry-runs and records left out."""
    found: list[str] = []
    plain = Transport.request

    def recorded(self: Transport, method: str, path: str, query: Any = None, *rest: Any, **named: Any) -> Any:
        if method != "GET" and "dryRun" not in (query or {}) and "/namespaces/gitops-workers/" not in path:
            found.append(f"{method} {path}")
        return plain(self, method, path, query, *rest, **named)

    monkeypatch.setattr(Transport, "request", recorded)
    return found
