"""Closures and renders read a source of another kind as they read a repository."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_workers.adapters.rendering import CachedRenderer, TreeClosures
from gitops_workers.adapters.sandbox import Sandbox
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.testing.volatile_sources import VolatileSources
from tests.servers.archive_sources import KIND, PREFIX, ArchiveSources, pack
from tests.servers.rendering import CONTEXT, KEY, config_map, tools
from tests.servers.sources import MemoryStore

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
TREES: dict[str, Mapping[str, str]] = {
    "directory": {"web/a.yaml": config_map("a")},
    "kustomize": {
        "web/kustomization.yaml": "resources: [../base]\n",
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": config_map("a"),
    },
    "helm": {"web/Chart.yaml": CHART, "web/templates/a.yaml": config_map("a")},
}


@pytest.mark.parametrize("tool", TREES)
def test_an_archive_renders_and_only_a_change_of_its_inputs_renders_anew(
    pool: Sandbox, tmp_path: Path, tool: str
) -> None:
    sources = ArchiveSources(time.time)
    closures = TreeClosures(sources, pool, VolatileSources(time.time))
    renderer = CachedRenderer(sources, closures, pool, MemoryStore(), tools=tools(), key=KEY)
    source = SourceSpec(f"{PREFIX}{tmp_path}/shop.tar", path="web", kind=KIND)
    digests = []
    for other in ("1", "2"):
        files = {**TREES[tool], "elsewhere/note.txt": other}
        pack(tmp_path / "shop.tar", {name: text.encode() for name, text in files.items()})
        resolved = sources.resolve(source)
        sources.fetch(source, resolved.commit)
        closure = closures.closure(source, RenderSpec(), resolved, "web")
        rendered = renderer.render(source, RenderSpec(), closure, replace(CONTEXT, resolved=resolved))
        assert closure.tool == tool
        assert [item["metadata"]["name"] for item in rendered.objects] == ["a"]
        digests.append((resolved.commit, closure.digest))
    (first, inputs), (second, same) = digests
    assert first != second
    assert inputs == same
