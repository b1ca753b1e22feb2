"""One kustomize render: overlay options merged into the exported kustomization, then `kustomize build`."""

# Paths stay texts: pathlib would cost the child a megabyte, and each path an object.
# ruff: noqa: PTH113

from __future__ import annotations

import os
from typing import Any

import orjson

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.source import repo_paths
from gitops_workers.sandbox_protocol.frames import InputMissing
from gitops_workers.sandbox_protocol.kustomizations import NAMES
from gitops_workers.sandboxed import kustomization, objects, scan
from gitops_workers.sandboxed.export import Export, read, write
from gitops_workers.sandboxed.render_job import RenderJob

_MISSING = (
    "no such file or directory",
    "must build at directory",
    "doesn't exist",
    "not a valid directory",
    "unable to find one of",
)
_WORDS = 2000
"""Characters of a tool's words in an error."""


def render(job: RenderJob) -> list[objects.Found]:
    """Return the built objects."""
    with job.exported() as export:
        return _build(job, export)


def _build(job: RenderJob, export: Export) -> list[objects.Found]:
    request = job.request
    path = request["path"]
    folder = export.folder(path)
    options = request["kustomize"]
    flux = options["merge"] == "flux"
    name = next((name for name in NAMES if os.path.isfile(f"{folder}/{name}")), "")
    if not name and not flux:
        raise RenderFailed(f"{path or '.'} holds no kustomization.yaml; choose another path or tool")
    content = scan.load_kustomization(read(f"{folder}/{name}"), f"{path}/{name}") if name else generate(export, path)

    def exists(component: str) -> bool:
        place = export.place(repo_paths.join(path, component, what="component"))
        return any(os.path.isfile(f"{place}/{name}") for name in NAMES)

    merged = (kustomization.flux if flux else kustomization.argocd)(content, options, exists)
    if flux and not set(merged) - {"apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "images"}:
        return []  # nothing to build: kustomize calls that an error, Flux an empty result
    if not name or merged != content:
        kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        write(f"{folder}/{name or NAMES[0]}", orjson.dumps({**kind, **merged}))
    # Flux keeps a build inside the source, Argo CD inside the kustomization's own root. What a build reads was checked
    # (`adapters.rendering.closure`), so the first does not depend on what this host's kernel allows.
    restriction = "LoadRestrictionsNone" if flux or options["load_anywhere"] else "LoadRestrictionsRootOnly"
    outcome = job.programs.run(
        "kustomize",
        ["build", "--load-restrictor", restriction, "--", "."],
        folder=folder,
        home=export.home,
        deadline=job.deadline,
    )
    if outcome.status != 0:
        words = export.shorten(outcome.errors).strip().removeprefix("Error: ")[:_WORDS]
        kind_of = InputMissing if any(word in words for word in _MISSING) else RenderFailed
        raise kind_of(f"kustomize build {path or '.'}: {words}")
    return objects.read(outcome.output, f"kustomize build {path or '.'}")


def generate(export: Export, path: str) -> dict[str, Any]:
    """Flux' kustomization for a folder without one: every manifest below it, and folders that have one as a whole."""
    top = export.place(path)
    resources: list[str] = []
    for folder, folders, files in os.walk(top):
        folders.sort()
        relative = folder[len(top) :]
        for child in list(folders):
            if any(os.path.isfile(f"{folder}/{child}/{name}") for name in NAMES):
                folders.remove(child)
                resources.append(f".{relative}/{child}")
        for name in sorted(files):
            if name.endswith((".yaml", ".yml")):
                place = f"{path}{relative}/{name}".lstrip("/")
                _check(read(f"{folder}/{name}"), place)
                resources.append(f".{relative}/{name}")
    return {"resources": sorted(resources)} if resources else {}


def _check(data: bytes, place: str) -> None:
    """Raise RenderFailed for a file in which kustomize would find no objects.

    What a scalar means is its business, as it quotes texts; our own rules are for the result of the build.
    """
    for found in objects.read(data, place):
        metadata = found.manifest.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        wanted = {
            "apiVersion": found.manifest.get("apiVersion"),
            "kind": found.manifest.get("kind"),
            "metadata.name": name,
        }
        for field, value in wanted.items():
            if value is None or value == "":
                raise RenderFailed(f"{found.place}: {field} is missing; Flux takes every YAML file here for objects")
