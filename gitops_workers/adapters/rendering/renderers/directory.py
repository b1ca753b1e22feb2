"""Directory sources: plain manifests, chosen by extension and globs as Argo CD does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_workers.adapters.rendering.closure.files import Files
from gitops_workers.adapters.rendering.closure.tree import LINK
from gitops_workers.adapters.rendering.renderers.port import Inputs, Place
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import DirectoryOptions, RenderSpec, Tool
from gitops_workers.core.text.globs import matches_directory
from gitops_workers.ports import Closure, RenderContext, TreeEntry

_MANIFESTS = (".yaml", ".yml", ".json", ".jsonnet")


class DirectoryRenderer:
    """A `Renderer` without a program: the child reads the files itself."""

    tool = Tool.DIRECTORY.value
    markers = ()
    program = ""
    child = "directory"

    def inputs(self, place: Place) -> Inputs:
        """The manifests that the options choose."""
        found = {entry.path: entry for entry in _manifests(place.files, place.path, place.render.directory)}
        return Inputs(found.values())

    def request(
        self,
        render: RenderSpec,  # noqa: ARG002 - the port's names
        closure: Closure,  # noqa: ARG002
        context: RenderContext,  # noqa: ARG002
        environment: Mapping[str, str],  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """Nothing beside the files."""
        return {}


def _manifests(files: Files, path: str, options: DirectoryOptions) -> Iterator[TreeEntry]:
    """The files of a directory source, as Argo CD finds them.

    By extension and globs; a link counts by its own name, and one that leads to nothing in the repository or to a
    folder is passed over, as Argo CD does with a warning (3.5, `getPotentiallyValidManifestFile`).
    """
    skip = len(path) + 1 if path else 0
    for node in files.under(path) if options.recurse else files.inside(path):
        name = node.place[skip:]
        if not name.endswith(_MANIFESTS):
            continue
        if options.exclude and matches_directory(options.exclude, name):
            continue
        if options.include and not matches_directory(options.include, name):
            continue
        if node.entry.mode == LINK and files.find(node.entry.path) is None:
            continue
        if name.endswith(".jsonnet"):
            raise RenderFailed(
                f"{node.place}: Jsonnet is not supported; commit what `jsonnet` prints, or exclude the file "
                "(spec.source.directory.exclude)"
            )
        yield files.resolve(node)
