"""Rendering for tests: repositories in memory, real kustomize and helm in a real sandbox."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gitops_workers.adapters.rendering import CachedRenderer, TreeClosures
from gitops_workers.adapters.sandbox import Sandbox
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.ports import Closure, RenderContext, Rendered
from gitops_workers.testing.volatile_sources import VolatileRepository, VolatileSources
from gitops_workers.toolchain import tool
from tests.servers.sources import MemoryStore

URL = "https://git.example.com/team/config.git"
KEY = b"k" * 32
Tree = Mapping[str, Any]
"""Files by path: a text, bytes, or a mode and bytes. Literals that mix them have no better type."""

CONTEXT = RenderContext(
    app_name="web",
    app_namespace="argocd",
    project="default",
    namespace="shop",
    resolved=Resolved("0" * 40, "main"),
    kube_version="1.37.2",
    api_versions=("v1", "apps/v1"),
)


def tools() -> dict[str, Any]:
    """The real programs; without them a test is skipped on a laptop and fails in CI."""
    try:
        return {name: tool(name) for name in ("kustomize", "helm")}
    except Refused as reason:
        if os.environ.get("CI"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@dataclass(slots=True)
class RenderWorld:
    """One repository and everything that renders it."""

    sandbox: Sandbox
    store: MemoryStore = field(default_factory=MemoryStore)
    repository: VolatileRepository = field(default_factory=VolatileRepository)
    sources: VolatileSources = field(default_factory=lambda: VolatileSources(lambda: 0.0))
    closures: TreeClosures = field(init=False)
    renderer: CachedRenderer = field(init=False)

    def __post_init__(self) -> None:
        """Join the parts as the application does."""
        self.sources.repositories[URL] = self.repository
        self.closures = TreeClosures(self.sources, self.sandbox, self.sources)
        self.renderer = CachedRenderer(self.sources, self.closures, self.sandbox, self.store, tools=tools(), key=KEY)

    def commit(self, files: Tree) -> Resolved:
        """Make exactly these files the newest commit."""
        contents = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        commit = self.repository.commit(contents)
        self.sources.fetch(SourceSpec(URL), commit)
        return Resolved(commit, "main")

    def closure(self, at: Resolved, path: str = ".", render: RenderSpec | None = None, **source: Any) -> Closure:
        """The closure of a path at a commit."""
        return self.closures.closure(SourceSpec(URL, path=path, **source), render or RenderSpec(), at, "web")

    def rendered(
        self,
        at: Resolved,
        path: str = ".",
        render: RenderSpec | None = None,
        context: RenderContext = CONTEXT,
        **source: Any,
    ) -> Rendered:
        """Render a path at a commit."""
        origin = SourceSpec(URL, path=path, **source)
        spec = render or RenderSpec()
        closure = self.closures.closure(origin, spec, at, context.app_name)
        return self.renderer.render(origin, spec, closure, replace(context, resolved=at))

    def objects(self, files: Tree, path: str = ".", render: RenderSpec | None = None, **more: Any) -> list[Any]:
        """Commit and render in one breath."""
        return list(self.rendered(self.commit(files), path, render, **more).objects)


def config_map(name: str, **data: str) -> str:
    """A small manifest."""
    lines = "".join(f"  {key}: {value}\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n" + (f"data:\n{lines}" if data else "")
