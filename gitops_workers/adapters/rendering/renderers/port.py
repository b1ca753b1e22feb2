"""What a renderer declares, and what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gitops_workers.adapters.rendering.closure.files import Files
from gitops_workers.adapters.rendering.closure.references import References
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.ports import Closure, RenderContext, TreeEntry


@dataclass(frozen=True, slots=True)
class Place:
    """Where a render begins: a folder of a commit, and what its application says. `path` is "" for the root."""

    files: Files
    references: References
    source: SourceSpec
    path: str
    render: RenderSpec
    resolved: Resolved
    app_name: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files that a render reads, links followed. `whole`: it may read more than that can be told."""

    entries: Iterable[TreeEntry]
    whole: bool = False


class Renderer(Protocol):
    """One way to turn files into objects."""

    @property
    def tool(self) -> str:
        """The name, as manifests (`core.render.render_spec.Tool`), cache keys and requests have it."""

    @property
    def markers(self) -> tuple[str, ...]:
        """The names of files of which any in the source's folder means this renderer."""

    @property
    def program(self) -> str:
        """The program that a render runs; "" for none. Its version is part of the cache key."""

    @property
    def child(self) -> str:
        """The module of `gitops_workers.sandboxed` whose `render` does the work."""

    def inputs(self, place: Place) -> Inputs:
        """The files that a render reads. Raises RenderFailed for one that is missing, UnsafeContent."""

    def request(
        self, render: RenderSpec, closure: Closure, context: RenderContext, environment: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """What the child is told, as JSON, beside what every render is told; nothing that it does not read.

        `environment` is Argo CD's build environment. Raises RenderFailed, InvalidManifest.
        """
