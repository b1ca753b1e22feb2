"""Closures and rendering in memory: a folder's JSON files are its objects. For pipeline and property tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from gitops_workers.core.errors import RenderFailed, SubmoduleUnavailable
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.objects import Manifest, digest
from gitops_workers.core.render.render_spec import RenderSpec, Tool
from gitops_workers.ports import Closure, RenderContext, Rendered, Sources


class VolatileClosures:
    """Port `Closures`: everything under the source's path. The repositories of submodules never answer."""

    def __init__(self, sources: Sources) -> None:
        """`sources` holds the commits."""
        self._sources = sources

    def closure(
        self,
        source: SourceSpec,
        render: RenderSpec,  # noqa: ARG002
        resolved: Resolved,
        app_name: str,  # noqa: ARG002
        permits: Callable[[str], bool] = bool,  # noqa: ARG002
    ) -> Closure:
        """See the port."""
        path = source.path.removeprefix("./").strip(".")
        entries = tuple(self._sources.tree(source, resolved.commit, path))
        if not entries:
            raise RenderFailed(f'path "{source.path}" does not exist at {resolved.ref} ({resolved.commit[:12]}).')
        if module := next((entry.path for entry in entries if entry.mode == "160000"), ""):
            raise SubmoduleUnavailable(f"submodule {module}: the connection was refused")
        named = digest(*(f"{entry.path}:{entry.oid}" for entry in entries))
        return Closure(Tool.DIRECTORY.value, path, entries, named)


class VolatileRenderer:
    """Port `Renderer`: one JSON object per file, with the common labels on it; a file that is no JSON fails the render.

    Counts real renders.
    """

    def __init__(self, sources: Sources) -> None:
        """`sources` holds the files."""
        self._sources = sources
        self._cache: dict[str, Rendered] = {}
        self.renders: Counter[str] = Counter()

    def render(self, source: SourceSpec, render: RenderSpec, closure: Closure, context: RenderContext) -> Rendered:
        """See the port."""
        key = digest(closure.digest, repr(context.variables), repr(render.common_labels))
        if key not in self._cache:
            self.renders[context.app_name] += 1
            blobs = self._sources.blobs(source, [entry.oid for entry in closure.entries])
            try:
                objects = tuple(_labelled(json.loads(blobs[entry.oid]), render) for entry in closure.entries)
            except ValueError as error:
                raise RenderFailed(f"{closure.path}: not JSON ({error}).") from error
            self._cache[key] = Rendered(digest(key, "rendered"), objects)
        return self._cache[key]


def _labelled(manifest: Manifest, render: RenderSpec) -> Manifest:
    labels = {**manifest["metadata"].get("labels", {}), **dict(render.common_labels)}
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}} if labels else manifest
