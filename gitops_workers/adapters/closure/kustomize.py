"""The closure of a kustomization: every file that its graph of roots names."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_workers.adapters.closure.references import References
from gitops_workers.adapters.closure.tree import SUBMODULE, Files
from gitops_workers.core import repo_paths
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.model import GitSource
from gitops_workers.core.render_spec import KustomizeMerge, KustomizeOptions
from gitops_workers.ports import TreeEntry

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
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

    def __init__(self, files: Files, references: References, source: GitSource) -> None:
        """One use only."""
        self._files = files
        self._references = references
        self._source = source
        self.entries: dict[str, TreeEntry] = {}
        self._named: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def walk(self, path: str, options: KustomizeOptions) -> None:
        """Collect everything that `path` with these options reads. Raises RenderFailed."""
        level = {path: "the application's path"}
        if options.merge is KustomizeMerge.FLUX and self._kustomization(path) is None:
            level = self._generated(path)
        for component in options.components:
            folder = repo_paths.join(path, component, what="component")
            if self._kustomization(folder) is not None or not options.ignore_missing_components:
                level[folder] = "kustomize.components"
        for patch in options.patches:
            if patch.path:
                self._file(repo_paths.join(path, patch.path, what="kustomize.patches: path"), "kustomize.patches")
        seen, tops = set(level), list(level)
        plugins: list[_Plugin] = []
        while level:
            following: dict[str, str] = {}
            entries = []
            for folder, origin in level.items():
                entry = self._kustomization(folder)
                if entry is None:
                    raise RenderFailed(
                        f"{origin} names the folder {folder or '.'!r}, which holds no {NAMES[0]}; "
                        "add one or correct the name"
                    )
                self.entries[entry.path] = entry
                entries.append((folder, entry))
            answers = self._references.of(self._source, "kustomization", [entry for _, entry in entries])
            for (folder, entry), answer in zip(entries, answers, strict=True):
                named = self._named[folder] = []
                self._counts[folder] = 1 + len(answer["references"])
                for kind, text, name in answer["references"]:
                    origin = f"{entry.path}: {name}"
                    if kind == "plugin":
                        plugins.append(_Plugin(folder, repo_paths.join(folder, text, what=origin), origin))
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
            folders = [
                one for one in waiting if not self._files.visible(one.path) and self._files.tree.is_folder(one.path)
            ]
            files = [one for one in waiting if one not in folders]
            for one in files:
                self._file(one.path, one.origin)
            answers = self._references.of(self._source, "plugin", [self.entries[one.path] for one in files])
            for one, answer in zip(files, answers, strict=True):
                for _, text, name in answer["references"]:
                    origin = f"{one.path}: {name}"
                    self._file(repo_paths.join(one.folder, text, what=origin), origin)
            for one in folders:
                following += self._listed(one)
            waiting = [one for one in following if one not in seen]
            seen.update(waiting)
            if len(seen) > ROOTS:
                raise UnsafeContent(f"{path or '.'} has more than {ROOTS} files of plug-in configuration")

    def _listed(self, plugin: _Plugin) -> list[_Plugin]:
        """The files that a folder of plug-in configuration lists."""
        entry = self._kustomization(plugin.path)
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
            _Plugin(plugin.folder, repo_paths.join(plugin.path, text, what=origin), origin) for origin, text in listed
        ]

    def _target(self, folder: str, kind: str, text: str, field: str) -> str | None:
        """Take in a file, or return the folder that is a root of its own."""
        path = repo_paths.join(folder, text, what=field)
        if kind in ("root", "component"):
            return self._root(folder, path, field)
        if kind == "either" and self._is_folder(path):
            return self._root(folder, path, field)
        self._file(path, field)
        return None

    def _is_folder(self, path: str) -> bool:
        return not self._files.visible(path) and self._files.tree.is_folder(path)

    def _root(self, folder: str, path: str, field: str) -> str:
        if repo_paths.inside(folder, path):
            raise UnsafeContent(
                f"{field} names {path or '.'!r}, which is the kustomization's own folder or one above it"
            )
        return path

    def _file(self, path: str, field: str) -> None:
        if path in self.entries:
            return
        entry = self._files.find(path)
        if entry is None:
            raise RenderFailed(
                f"{field} names {path!r}, which does not exist in this commit; add it or remove the entry"
            )
        self.entries[path] = entry

    def _kustomization(self, folder: str) -> TreeEntry | None:
        for name in NAMES:
            path = f"{folder}/{name}" if folder else name
            if self._files.visible(path):
                return self._files.find(path)
        return None

    def _generated(self, path: str) -> dict[str, str]:
        """Flux: all manifests below the path; a folder with a kustomization counts as one."""
        roots: dict[str, str] = {}
        for entry in self._files.under(path):
            folder = repo_paths.folder(entry.path)
            root = next((place for place in _upwards(folder, path) if self._kustomization(place) is not None), None)
            if root is not None:
                roots[root] = "the path"
            elif entry.mode == SUBMODULE or entry.path.endswith((".yaml", ".yml")):
                self.entries[entry.path] = self._files.resolve(entry)
        return roots


def _upwards(folder: str, top: str) -> list[str]:
    """The folders from below `top` down to `folder`, the uppermost first."""
    places = []
    while folder != top:
        places.append(folder)
        folder = repo_paths.folder(folder)
    return places[::-1]
