"""The closure of a kustomization: every file that its graph of roots names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gitops_workers.adapters.rendering.closure.files import Files
from gitops_workers.adapters.rendering.closure.references import References
from gitops_workers.adapters.rendering.renderers.kustomize_places import Places
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import KustomizeMerge, KustomizeOptions
from gitops_workers.core.source import repo_paths
from gitops_workers.ports import TreeEntry
from gitops_workers.sandbox_protocol.kustomizations import NAMES

ROOTS = 2000
"""Kustomizations of one application; the largest repositories measured have dozens."""

EXPANDED = 20_000
"""Files and kustomizations that kustomize reads for one application, each as often as it is named: a base that two
overlays share is built twice, so eight that each name the next one eight times would be built two million times."""


@dataclass(frozen=True, slots=True)
class _Plugin:
    """A file or folder of plug-in configuration, and the kustomization (its folder) that names it."""

    folder: str
    path: str
    origin: str = field(compare=False)


class Graph:
    """Walks the roots level by level, so that each level's unknown files are read in one job."""

    def __init__(self, files: Files, references: References, source: SourceSpec) -> None:
        """One use only."""
        self._files = files
        self._places = Places(files)
        self._references = references
        self._source = source
        self._named: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    @property
    def entries(self) -> dict[str, TreeEntry]:
        """What was collected, by the place in the export."""
        return self._places.entries

    def walk(self, path: str, options: KustomizeOptions) -> None:
        """Collect everything that `path` with these options reads. Raises RenderFailed."""
        level = self._tops(path, options)
        seen, tops = set(level), list(level)
        plugins: list[_Plugin] = []
        while level:
            following: dict[str, str] = {}
            for folder, entry, references in self._read(level):
                named = self._named[folder] = []
                self._counts[folder] = 1 + len(references)
                for kind, text, name in references:
                    origin = f"{entry.path}: {name}"
                    if kind == "plugin":
                        plugins.append(_Plugin(folder, self._places.placed(folder, text, origin), origin))
                        continue
                    target = self._target(folder, kind, text, origin)
                    if target is not None:
                        named.append(target)
                        if target not in seen:
                            seen.add(target)
                            following[target] = origin
            if len(seen) > ROOTS:
                raise UnsafeContent(f"{path or '.'} pulls in more than {ROOTS} kustomizations")
            level = following
        self._bounded(tops, path)
        self._plugins(plugins, path)

    def _tops(self, path: str, options: KustomizeOptions) -> dict[str, str]:
        """The roots that the application itself names, and what names them; its patches are taken in."""
        tops = {path: "the application's path"}
        if options.merge is KustomizeMerge.FLUX and self._places.kustomization(path) is None:
            tops = self._generated(path)
        for component in options.components:
            folder = repo_paths.join(path, component, what="component")
            if self._places.kustomization(folder) is not None or not options.ignore_missing_components:
                tops[folder] = "kustomize.components"
        for patch in options.patches:
            if patch.path:
                self._places.file(self._places.placed(path, patch.path, "kustomize.patches: path"), "kustomize.patches")
        return tops

    def _read(self, level: dict[str, str]) -> Iterator[tuple[str, TreeEntry, list[list[str]]]]:
        """(folder, kustomization file, its references) of each root of a level. Raises RenderFailed."""
        found = []
        for folder, origin in level.items():
            entry = self._places.kustomization(folder)
            if entry is None:
                raise RenderFailed(
                    f"{origin} names the folder {folder or '.'!r}, which holds no {NAMES[0]}; "
                    "add one or correct the name"
                )
            self.entries[entry.path] = entry
            found.append((folder, entry))
        answers = self._references.of(self._source, "kustomization", [entry for _, entry in found])
        for (folder, entry), answer in zip(found, answers, strict=True):
            yield folder, entry, answer["references"]

    def _bounded(self, tops: list[str], path: str) -> None:
        """Refuse bases that name each other so often that building them would not end. Raises UnsafeContent."""
        waiting, expanded = list(tops), 0
        while waiting:
            folder = waiting.pop()
            expanded += self._counts[folder]
            waiting += self._named[folder]
            if expanded > EXPANDED:
                raise UnsafeContent(
                    f"{path or '.'}: its kustomizations name each other in a circle, or so often that more than "
                    f"{EXPANDED:,} files would be read; name each base once"
                )

    def _plugins(self, waiting: list[_Plugin], path: str) -> None:
        """Take in plug-in configuration and what kustomize reads for it, seen from the kustomization that names it."""
        seen = set(waiting)
        while waiting:
            following: list[_Plugin] = []
            folders = [one for one in waiting if self._places.is_folder(one.path)]
            files = [one for one in waiting if one not in folders]
            for one in files:
                self._places.file(one.path, one.origin)
            answers = self._references.of(self._source, "plugin", [self.entries[one.path] for one in files])
            for one, answer in zip(files, answers, strict=True):
                for _, text, name in answer["references"]:
                    origin = f"{one.path}: {name}"
                    self._places.file(self._places.placed(one.folder, text, origin), origin)
            for one in folders:
                following += self._listed(one)
            waiting = [one for one in following if one not in seen]
            seen.update(waiting)
            if len(seen) > ROOTS:
                raise UnsafeContent(f"{path or '.'} has more than {ROOTS} files of plug-in configuration")

    def _listed(self, plugin: _Plugin) -> list[_Plugin]:
        """The files that a folder of plug-in configuration lists."""
        entry = self._places.kustomization(plugin.path)
        if entry is None:
            raise RenderFailed(f"{plugin.origin} names the folder {plugin.path!r}, which holds no {NAMES[0]}; add one")
        self.entries[entry.path] = entry
        (answer,) = self._references.of(self._source, "kustomization", [entry])
        if not answer["bare"]:
            raise UnsafeContent(
                f"{entry.path} makes plug-in configuration for {plugin.origin}, and what that would read cannot be "
                "checked: list only `resources` in it"
            )
        listed = [(f"{entry.path}: {name}", text) for _, text, name in answer["references"]]
        return [
            _Plugin(plugin.folder, self._places.placed(plugin.path, text, origin), origin) for origin, text in listed
        ]

    def _target(self, folder: str, kind: str, text: str, field: str) -> str | None:
        """Take in a file, or return the folder that is a root of its own."""
        place = self._places.placed(folder, text, field)
        if kind in ("root", "component") or (kind == "either" and self._places.is_folder(place)):
            if repo_paths.inside(self._places.real(folder), self._places.real(place)):
                raise UnsafeContent(
                    f"{field} names {place or '.'!r}, which is the kustomization's own folder or one above it"
                )
            return place
        self._places.file(place, field)
        return None

    def _generated(self, path: str) -> dict[str, str]:
        """Flux: all manifests below the path; a folder with a kustomization counts as one.

        A link to a folder is not followed, as by kustomize-controller, whose artifacts hold no links.
        """
        roots: dict[str, str] = {}
        for node in self._files.under(path):
            folder = repo_paths.folder(node.place)
            root = next(
                (place for place in _upwards(folder, path) if self._places.kustomization(place) is not None), None
            )
            if root is not None:
                roots[root] = "the path"
            elif node.place.endswith((".yaml", ".yml")):
                self.entries[node.place] = self._files.resolve(node)
        return roots


def _upwards(folder: str, top: str) -> list[str]:
    """The folders from below `top` down to `folder`, the uppermost first."""
    places = []
    while folder != top:
        places.append(folder)
        folder = repo_paths.folder(folder)
    return places[::-1]
