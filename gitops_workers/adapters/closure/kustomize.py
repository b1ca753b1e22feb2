"""The closure of a kustomization: every file that its graph of roots names."""

from __future__ import annotations

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


class Graph:
    """Walks the roots level by level, so that each level's unknown files are read in one job."""

    def __init__(self, files: Files, references: References, source: GitSource) -> None:
        """One use only."""
        self._files = files
        self._references = references
        self._source = source
        self.entries: dict[str, TreeEntry] = {}
        self.opaque = False

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
        seen = set(level)
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
                self.opaque = self.opaque or answer["opaque"]
                for kind, text, field in answer["references"]:
                    target = self._target(folder, kind, text, f"{entry.path}: {field}")
                    if target is not None and target not in seen:
                        seen.add(target)
                        following[target] = f"{entry.path}: {field}"
            if len(seen) > ROOTS:
                raise UnsafeContent(f"{path or '.'} pulls in more than {ROOTS} kustomizations")
            level = following

    def _target(self, folder: str, kind: str, text: str, field: str) -> str | None:
        """Take in a file, or return the folder that is a root of its own."""
        path = repo_paths.join(folder, text, what=field)
        if kind in ("root", "component"):
            return self._root(folder, path, field)
        if kind == "either" and not self._files.visible(path) and self._files.tree.is_folder(path):
            return self._root(folder, path, field)
        self._file(path, field)
        return None

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
