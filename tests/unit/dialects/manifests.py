"""Manifests of the dialect tests: YAML text in, parsed catalogue out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from gitops_workers.core.model import Application, Problem
from gitops_workers.dialects import Document, Parsed, parse
from gitops_workers.dialects.document import documents
from gitops_workers.yaml_events import load_positions

APPLICATION: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "shop"},
    "spec": {
        "source": {"repoURL": "https://git.example.com/team/shop.git", "path": "deploy"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
    },
}
REPOSITORY: dict[str, Any] = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "GitRepository",
    "metadata": {"name": "fleet"},
    "spec": {"url": "https://git.example.com/team/fleet.git"},
}
KUSTOMIZATION: dict[str, Any] = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {"name": "shop"},
    "spec": {"sourceRef": {"kind": "GitRepository", "name": "fleet"}, "path": "./shop"},
}


def load(data: bytes, name: str) -> list[Document]:
    return documents(name, load_positions(data))


def parse_text(text: str, name: str = "apps.yaml") -> Parsed:
    return parse(load(text.encode(), name))


def parse_values(*values: Any) -> Parsed:
    return parse([Document(f"{index}.yaml", value) for index, value in enumerate(values)])


def changed(base: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The manifest with one field replaced; the path's parts are divided by dots."""
    result = copy.deepcopy(dict(base))
    place: Any = result
    *parents, last = path.split(".")
    for part in parents:
        place = place.setdefault(part, {})
    place[last] = value
    return result


def application(path: str = "kind", value: Any = "Application") -> Application:
    """The base Application with one field replaced, which must be accepted."""
    return only(parse_values(changed(APPLICATION, path, value)))


def kustomization(path: str = "kind", value: Any = "Kustomization") -> Application:
    return only(parse_values(REPOSITORY, changed(KUSTOMIZATION, path, value)))


def only(parsed: Parsed) -> Application:
    assert errors(parsed) == []
    (app,) = parsed.applications
    return app


def errors(parsed: Parsed) -> list[str]:
    return [f"{problem.path}: {problem.message}" for problem in parsed.problems if not problem.known]


def error_paths(parsed: Parsed) -> list[str]:
    return [problem.path for problem in parsed.problems if not problem.known]


def remarks(parsed: Parsed) -> list[Problem]:
    return [problem for problem in parsed.problems if problem.known]
