"""The closure of a kustomization: every file that its graph of roots names."""

from __future__ import annotations

from gitops_workers.adapters.closure.files import Files
from gitops_workers.adapters.closure.references import References
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
        self._moved: dict[str, str] = {}
        """Places that only exist seen from a link: `..` out of a folder that a link shows -> where it really leads."""

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
                self._file(path, self._real(path), patch.path, "kustomize.patches")
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
        """Take in a file, or return the place of the folder that is a root of its own."""
        real = self._real(folder)
        path = repo_paths.join(real, text, what=field)
        if kind in ("root", "component") or (kind == "either" and self._files.is_folder(path)):
            target = self._real(path)
            if repo_paths.inside(real, target):
                raise UnsafeContent(
                    f"{field} names {path or '.'!r}, which is the kustomization's own folder or one above it"
                )
            return self._placed(folder, real, text, field)
        self._file(folder, real, text, field)
        return None

    def _file(self, folder: str, real: str, text: str, field: str) -> None:
        path = repo_paths.join(real, text, what=field)
        place = self._placed(folder, real, text, field)
        if place in self.entries:
            return
        entry = self._files.find(path)
        if entry is None:
            raise RenderFailed(
                f"{field} names {path!r}, which does not exist in this commit; add it or remove the entry"
            )
        self.entries[place] = TreeEntry(place, entry.mode, entry.oid)

    def _placed(self, folder: str, real: str, text: str, field: str) -> str:
        """Where kustomize looks for what it names: from the place of a folder, which a link may show elsewhere.

        The system's `..` leaves the real folder, and the export has no links, so what is seen from both must be one.
        """
        place, path = repo_paths.join(folder, text, what=field), repo_paths.join(real, text, what=field)
        if place == path:
            return place
        there = self._files.real(place)
        if there is None:
            self._moved[place] = path
        elif there != self._files.real(path):
            raise RenderFailed(
                f"{field} names {text!r}, which is {path!r} from the folder and {place!r} from the link to it; "
                "name the folder itself"
            )
        return place

    def _real(self, place: str) -> str:
        """The real folder behind a place; also of one that is only seen from behind a link."""
        for moved, path in self._moved.items():
            if repo_paths.inside(place, moved):
                place = path + place[len(moved) :]
                break
        return self._files.real(place) or place

    def _kustomization(self, folder: str) -> TreeEntry | None:
        real = self._real(folder)
        for name in NAMES:
            entry = self._files.find(f"{real}/{name}".lstrip("/"))
            if entry is not None:
                return TreeEntry(f"{folder}/{name}".lstrip("/"), entry.mode, entry.oid)
        return None

    def _generated(self, path: str) -> dict[str, str]:
        """Flux: all manifests below the path; a folder with a kustomization counts as one.

        A link to a folder is not followed, as by kustomize-controller, whose artifacts hold no links.
        """
        roots: dict[str, str] = {}
        for node in self._files.under(path):
            folder = repo_paths.folder(node.place)
            root = next((place for place in _upwards(folder, path) if self._kustomization(place) is not None), None)
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
