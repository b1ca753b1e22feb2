"""The files of a commit in memory: one listing per commit, brought forward from the last one where little changed."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.source import repo_paths
from gitops_workers.ports import Sources, TreeEntry

LINK, SUBMODULE = "120000", "160000"

TREES = 8
"""Commits kept in memory; the entries that two commits of a repository share are shared."""

FOLDERS = 16
"""Changed folders up to which a listing is brought forward; beyond, one listing of everything is cheaper."""


_Key = tuple[str, str, SecretRef | None]
"""`SourceSpec.access`."""


class Tree:
    """All files of one commit by path, and their sorted paths."""

    def __init__(self, entries: Iterable[TreeEntry]) -> None:
        """The order does not matter."""
        self.files: dict[str, TreeEntry] = {entry.path: entry for entry in entries}
        self.paths: list[str] = sorted(self.files)
        self._named: dict[str, list[str]] = {}

    def named(self, name: str) -> list[str]:
        """The paths of all files of this name, in any folder; looked for once."""
        if name not in self._named:
            suffix = f"/{name}"
            self._named[name] = [path for path in self.paths if path == name or path.endswith(suffix)]
        return self._named[name]

    def is_folder(self, path: str) -> bool:
        """Whether anything is below this path."""
        if not path:
            return bool(self.paths)
        at = bisect_left(self.paths, path + "/")
        return at < len(self.paths) and self.paths[at].startswith(path + "/")

    def under(self, path: str) -> list[TreeEntry]:
        """Everything below a folder, sorted by path: files, links and submodules."""
        if not path:
            names = self.paths
        else:
            begin = bisect_left(self.paths, path + "/")
            names = self.paths[begin : bisect_left(self.paths, path + "0", begin)]  # "0" follows "/"
        return [self.files[name] for name in names]

    def children(self, path: str) -> list[str]:
        """The names in a folder, for messages."""
        skip = len(path) + 1 if path else 0
        return list(dict.fromkeys(entry.path[skip:].partition("/")[0] for entry in self.under(path)))

    def changed(self, folders: Mapping[str, Iterable[TreeEntry]]) -> Tree:
        """The tree with these folders replaced."""
        result = Tree(())
        result.files = dict(self.files)
        for folder, entries in folders.items():
            for entry in self.under(folder):
                result.files.pop(entry.path, None)
            result.files.update({entry.path: entry for entry in entries})
        result.paths = sorted(result.files)
        return result


@dataclass(slots=True)
class _Place:
    """One repository as one credential reads it. Its lock is held while its Git is asked, so nobody else's is."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    last: str = ""
    """The commit that was listed last."""


class Trees:
    """Trees by repository, credential and commit: what one may read is for nobody who names another credential."""

    def __init__(self, sources: Sources) -> None:
        """`sources` must have fetched the commits asked for."""
        self._sources = sources
        self._lock = threading.Lock()
        self._trees: OrderedDict[tuple[_Key, str], Tree] = OrderedDict()
        self._places: dict[_Key, _Place] = {}

    def get(self, source: SourceSpec, commit: str) -> Tree:
        """The tree of a commit; one listing however many threads ask."""
        key = source.access
        with self._lock:
            place = self._places.setdefault(key, _Place())
        if (tree := self._known(key, commit)) is not None:
            return tree
        with place.lock:
            if (tree := self._known(key, commit)) is None:
                last = self._known(key, place.last)
                tree = self._brought_forward(source, last, place.last, commit) or Tree(
                    self._sources.tree(source, commit)
                )
                self._keep(key, commit, tree)
                place.last = commit
            return tree

    def _known(self, key: _Key, commit: str) -> Tree | None:
        with self._lock:
            if (tree := self._trees.get((key, commit))) is not None:
                self._trees.move_to_end((key, commit))
            return tree

    def _keep(self, key: _Key, commit: str, tree: Tree) -> None:
        with self._lock:
            self._trees[key, commit] = tree
            while len(self._trees) > TREES:
                self._trees.popitem(last=False)

    def _brought_forward(self, source: SourceSpec, known: Tree | None, last: str, commit: str) -> Tree | None:
        if known is None or (paths := self._sources.changed_paths(source, last, commit)) is None:
            return None
        folders = {repo_paths.folder(path) for path in paths}
        if "" in folders or len(folders) > FOLDERS:
            return None
        return known.changed({folder: self._sources.tree(source, commit, folder) for folder in folders})


def prefixed(folder: str, entries: Iterable[TreeEntry]) -> Tree:
    """A tree of these entries as they stand below a folder."""
    return Tree(TreeEntry(f"{folder}/{entry.path}", entry.mode, entry.oid) for entry in entries)
