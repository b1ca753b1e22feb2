"""The fleet that is measured: N overlays over one base in one repository, each an application with three objects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from gitops_workers.local.control_plane import ControlPlane

BASE = {
    "kustomization.yaml": "resources: [deployment.yaml, service.yaml, configmap.yaml]\n",
    "deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "registry.example/web:1"}
""",
    "service.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
""",
    "configmap.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {base: '0'}\n",
}


def git(repository: Path, *words: str) -> str:
    """One git command."""
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]
    answer = subprocess.run(
        ["git", "-C", str(repository), *identity, *words], check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


def write_repository(folder: Path, size: int) -> Path:
    """A repository with `size` overlays on branch main."""
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    base = folder / "base"
    base.mkdir()
    for name, text in BASE.items():
        (base / name).write_text(text)
    for number in range(size):
        overlay = folder / "overlays" / f"app-{number}"
        overlay.mkdir(parents=True)
        change_overlay(folder, number, 0)
    commit(folder, "first")
    return folder


def change_overlay(folder: Path, number: int, value: int) -> None:
    """Give one overlay another value in its ConfigMap."""
    kustomization = {
        "resources": ["../../base"],
        "namespace": f"app-{number}",
        "patches": [{"target": {"kind": "ConfigMap"}, "patch": f"- op: add\n  path: /data/own\n  value: '{value}'\n"}],
    }
    (folder / "overlays" / f"app-{number}" / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))


def change_base(folder: Path, value: int) -> None:
    """Give the base another value, which reaches every overlay."""
    text = BASE["configmap.yaml"].replace("base: '0'", f"base: '{value}'")
    (folder / "base" / "configmap.yaml").write_text(text)


def commit(folder: Path, message: str) -> str:
    """Commit everything; the commit's id."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def write_catalogue(folder: Path, url: str, size: int, *, wait: bool) -> Path:
    """One Flux GitRepository and `size` Kustomizations, looked at every minute."""
    folder.mkdir(parents=True)
    documents: list[dict[str, object]] = [
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": "fleet", "namespace": "flux-system"},
            "spec": {"url": url, "interval": "1m", "ref": {"branch": "main"}},
        }
    ]
    documents += [
        {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": f"app-{number}", "namespace": "flux-system"},
            "spec": {
                "interval": "1m",
                "prune": True,
                "wait": wait,
                "path": f"./overlays/app-{number}",
                "sourceRef": {"kind": "GitRepository", "name": "fleet"},
            },
        }
        for number in range(size)
    ]
    (folder / "fleet.yaml").write_text(yaml.safe_dump_all(documents))
    return folder


def make_namespaces(plane: ControlPlane, size: int) -> None:
    """The namespaces, made beforehand as in the comparison."""
    for number in range(size):
        name = f"app-{number}"
        status, _ = plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        assert status == 201, f"namespace {name}: {status}"
