"""A fleet whose applications wait: two waves of Deployments that take their time to become healthy."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.local.control_planes import control_planes
from gitops_workers.local.kube_programs import write_config
from gitops_workers.local.redis_server import embedded_redis
from gitops_workers.ports import State
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_state
from tests.bench import fleet
from tests.bench.scenario import until
from tests.documents import raw
from tests.servers.engine import free_port, running_engine

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: wave-{wave}, annotations: {{argocd.argoproj.io/sync-wave: "{wave}"}}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: wave-{wave}}}}}
  template:
    metadata: {{labels: {{app: wave-{wave}}}}}
    spec: {{containers: [{{name: web, image: "registry.example/web:1"}}]}}
"""


def seconds(folder: Path, size: int, healthy_after: float) -> tuple[float, float]:
    """(from the catalogue's appearance until all are in sync and healthy, the longest task), with two workers."""
    folder.mkdir()
    repository = _repository(folder / "repository", size)
    (folder / "catalogue").mkdir()
    with (
        control_planes(["bench"], state=folder / "planes") as planes,
        embedded_redis(folder / "redis") as redis,
        _controller(planes[0], folder, healthy_after),
    ):
        fleet.make_namespaces(planes[0], size)
        settings = Settings(
            redis_url=redis.url,
            catalogue=(str(folder / "catalogue"),),
            kubeconfig=str(write_config(folder / "kubeconfig", planes[0].kubeconfig)),
            git_schemes=("file", "https"),
            state=str(folder / "state"),
            web_address=f"127.0.0.1:{free_port()}",
            catalogue_interval=1.0,
            loopback=True,
            log_level="debug",
        )
        with running_engine(settings, folder / "logs", workers=2) as engine:
            state = open_state(settings)
            until(lambda: state.load(raw("catalogue"), "seen") is not None, 60, "the first reading")
            start = time.monotonic()
            _declare(folder / "catalogue" / "fleet.yaml", repository.as_uri(), size)
            until(functools.partial(_done, state, size), 900, "every application healthy")
            took = time.monotonic() - start
            longest = max(_task_seconds(engine.logs.glob("worker-*.log")), default=0.0)
    return took, longest


def _repository(folder: Path, size: int) -> Path:
    for number in range(size):
        path = folder / f"app-{number}"
        path.mkdir(parents=True)
        for wave in (0, 1):
            (path / f"{wave}.yaml").write_text(DEPLOYMENT.format(wave=wave))
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    fleet.commit(folder, "first")
    return folder


def _declare(path: Path, url: str, size: int) -> None:
    documents = [
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": f"app-{number}", "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": url, "path": f"app-{number}", "targetRevision": "main"},
                "destination": {"name": "bench", "namespace": f"app-{number}"},
                "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
            },
        }
        for number in range(size)
    ]
    part = path.with_name(".part")
    part.write_text(yaml.dump_all(documents, Dumper=yaml.CSafeDumper))
    part.replace(path)


def _task_seconds(logs: Iterable[Path]) -> Iterator[float]:
    """How long each task held its slot; the first ones also start the engine."""
    for path in logs:
        for line in path.read_text().splitlines():
            if '"event": "task_ended"' in line and '"task": "reconcile"' in line:
                yield float(json.loads(line)["seconds"])


def _done(state: State, size: int) -> bool:
    counts = state.counts()
    return bool(counts["sync"].get("Synced", 0) == counts["health"].get("Healthy", 0) == size)


@contextmanager
def _controller(plane: ControlPlane, folder: Path, healthy_after: float) -> Iterator[None]:
    ca_file = folder / "ca.pem"
    ca_file.write_text(plane.ca_pem)
    words = [f"https://127.0.0.1:{plane.port}", plane.token, str(ca_file), str(healthy_after)]
    with subprocess.Popen([sys.executable, "-m", "tests.bench.slow_controller", *words]) as process:
        try:
            yield
        finally:
            process.kill()
