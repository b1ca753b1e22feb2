"""Renderers: what turns the files of a source into objects.

The recipe for a new renderer is two modules and one line:

1. A module here with a class that has what `Renderer` asks for: the name of its tool, the files by which it is
   detected, which files a render reads, and what the sandbox child is told.
2. The module of `gitops_workers.sandboxed` that its `child` names, with a function `render(job: RenderJob)` that
   returns the objects (`sandboxed.render_job`). It runs confined, so it imports all that it needs at its top.
3. One line in `RENDERERS` below.

An application whose manifest names no tool uses the new one as soon as its files are there. A user who wants to name it
in a manifest adds it to `core.render.render_spec` (its `Tool`, its options) and reads it in the module of the dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_workers.adapters.rendering.renderers.directory import DirectoryRenderer
from gitops_workers.adapters.rendering.renderers.helm import HelmRenderer
from gitops_workers.adapters.rendering.renderers.kustomize import KustomizeRenderer
from gitops_workers.adapters.rendering.renderers.port import Renderer

_FALLBACK = DirectoryRenderer()

RENDERERS: tuple[Renderer, ...] = (
    HelmRenderer(),
    KustomizeRenderer(),
    _FALLBACK,
)
"""In the order of detection, which is Argo CD's (3.5, `util/app/discovery`)."""

BY_TOOL: Mapping[str, Renderer] = {item.tool: item for item in RENDERERS}

PROGRAMS = tuple(item.program for item in RENDERERS if item.program)
"""The programs that renders run."""

CHILDREN: Mapping[str, str] = {item.tool: item.child for item in RENDERERS}
"""Tool -> module of `gitops_workers.sandboxed`, for the children that render (`adapters.sandbox`)."""


def detect(there: Callable[[str], bool]) -> Renderer:
    """The renderer of a folder whose manifest names no tool. `there` says whether the folder has a file."""
    return next((item for item in RENDERERS if any(map(there, item.markers))), _FALLBACK)
