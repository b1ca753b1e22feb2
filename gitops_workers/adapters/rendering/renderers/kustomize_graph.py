"""The closure of a kustomization: every file that its graph of roots names."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_workers.adapters.rendering.closure.files import Files
from gitops_workers.adapters.rendering.closure.references import References
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
        self._references = references
        self._source = source
        self.entries: dict[str, TreeEntry] = {}
        self._named: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self._reals: dict[str, str] = {}
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
                self._file(self._placed(path, patch.path, "kustomize.patches: path"), "kustomize.patches")
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
                        plugins.append(_Plugin(folder, self._placed(folder, text, origin), origin))
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
            folders = [one for one in waiting if self._is_folder(one.path)]
            files = [one for one in waiting if one not in folders]
            for one in files:
                self._file(one.path, one.origin)
            answers = self._references.of(self._source, "plugin", [self.entries[one.path] for one in files])
            for one, answer in zip(files, answers, strict=True):
                for _, text, name in answer["references"]:
                    origin = f"{one.path}: {name}"
                    self._file(self._placed(one.folder, text, origin), origin)
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
        return [_Plugin(plugin.folder, self._placed(plugin.path, text, origin), origin) for origin, text in listed]

    def _target(self, folder: str, kind: str, text: str, field: str) -> str | None:
        """Take in a file, or return the folder that is a root of its own."""
        place = self._placed(folder, text, field)
        if kind in ("root", "component") or (kind == "either" and self._is_folder(place)):
            if repo_paths.inside(self._real(folder), self._real(place)):
                raise UnsafeContent(
                    f"{field} names {place or '.'!r}, which is the kustomization's own folder or one above it"
                )
            return place
        self._file(place, field)
        return None

    def _file(self, place: str, field: str) -> None:
        if place in self.entries:
            return
        entry = self._files.find(self._behind(place))
        if entry is None:
            raise RenderFailed(
                f"{field} names {place!r}, which does not exist in this commit; add it or remove the entry"
            )
        self.entries[place] = _at(place, entry)

    def _placed(self, folder: str, text: str, field: str) -> str:
        """Where kustomize looks in the export for what it names from the place of a folder.

        In a checkout `..` leaves the real folder behind a link. The export has no links, so what is there from the real
        folder is put where it looks from the link's place; where that is something else already, it is refused.
        """
        place, real = repo_paths.join(folder, text, what=field), self._real(folder)
        path = place if real == folder else repo_paths.join(real, text, what=field)
        if place == path:
            return place
        there = self._files.real(self._behind(place))
        if there is None:
            self._moved[place] = path
        elif there != (self._files.real(path) or path):
            raise RenderFailed(
                f"{field} names {text!r}, which is {path!r} from the folder and {place!r} from the link to it; "
                "name the folder itself"
            )
        return place

    def _behind(self, place: str) -> str:
        """The path in the repository of a place, links not yet followed."""
        for moved, path in self._moved.items():
            if repo_paths.inside(place, moved):
                return path + place[len(moved) :]
        return place

    def _real(self, place: str) -> str:
        """The real folder behind a place; asked for once per reference, so it is remembered."""
        if (known := self._reals.get(place)) is None:
            path = self._behind(place)
            known = self._reals[place] = self._files.real(path) or path
        return known

    def _is_folder(self, place: str) -> bool:
        return self._files.is_folder(self._behind(place))

    def _kustomization(self, folder: str) -> TreeEntry | None:
        for name in NAMES:
            place = f"{folder}/{name}".lstrip("/")
            entry = self._files.find(self._behind(place))
            if entry is not None:
                return _at(place, entry)
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


def _at(place: str, entry: TreeEntry) -> TreeEntry:
    return entry if entry.path == place else TreeEntry(place, entry.mode, entry.oid)


def _upwards(folder: str, top: str) -> list[str]:
    """The folders from below `top` down to `folder`, the uppermost first."""
    places = []
    while folder != top:
        places.append(folder)
        folder = repo_paths.folder(folder)
    return places[::-1]
