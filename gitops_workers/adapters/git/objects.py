"""Objects out of the local copies: trees, blobs, and what differs between two commits."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gitops_workers.adapters.git.batch import BrokenReaderError, Info, Reader, ReaderPool, TooLargeError, present
from gitops_workers.adapters.git.mirror import Mirror, usable_disk
from gitops_workers.adapters.git.place import Place
from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.adapters.git.trees import FOLDER_BYTES, FOLDERS, TreeCache, parse_tree, walked
from gitops_workers.core.errors import RenderFailed, SourceUnavailable
from gitops_workers.ports import TreeEntry

T = TypeVar("T")


class Objects:
    """Reads what was fetched. Safe for threads."""

    def __init__(self, settings: GitSettings, readers: ReaderPool) -> None:
        """`readers` are the persistent reading processes of this process."""
        self._settings = settings
        self._readers = readers
        self._trees = TreeCache(settings.cached_entries)

    def has(self, place: Place, commit: str) -> bool:
        """Whether the place has the commit with its tree."""
        return place.mirror.usable and self.info(place.mirror, f"{commit}:") != [None]

    def listing(self, place: Place, oid: str, folder: str) -> Sequence[TreeEntry]:
        """Every entry below a tree; none where the object is no tree."""
        if (entries := self._trees.get(place.key, oid, folder)) is not None:
            return entries
        [info] = self.info(place.mirror, oid)
        if info is None or info.type != "tree":
            return ()
        entries = walked(functools.partial(self.read_folders, place), oid, folder)
        if entries is None:
            finished = place.mirror.read(["ls-tree", "-r", "-z", "--full-tree", oid], self._settings.max_tree_bytes)
            if finished.status:
                raise self.damaged(place.mirror)
            entries = parse_tree(finished.output, folder)
        self._trees.put(place.key, oid, folder, entries)
        return entries

    def read_folders(self, place: Place, oids: Sequence[str]) -> Mapping[str, bytes]:
        """The raw tree objects. Raises SourceUnavailable where one is missing."""
        found = present(self._ask(place.mirror, functools.partial(_folders, oids=oids)))
        if found is None:
            raise self.damaged(place.mirror)
        return found

    def contents(self, place: Place, oids: Sequence[str]) -> dict[str, bytes | None]:
        """Blobs by id; None: it is not in this place. Raises RenderFailed over the bounds."""
        settings = self._settings
        try:
            with usable_disk(place.address.url):
                return self._ask(
                    place.mirror,
                    lambda reader: reader.contents(oids, settings.max_blob_bytes, settings.max_read_bytes),
                )
        except TooLargeError as problem:
            limit = settings.max_blob_bytes if problem.size > settings.max_blob_bytes else settings.max_read_bytes
            name = self._trees.path_of(place.key, problem.oid) or f"object {problem.oid}"
            raise RenderFailed(
                f"{name} in {place.address.shown} has {problem.size} bytes, over the limit of {limit >> 20} MiB for "
                f"what one application reads; make it smaller or move it out of the application's path"
            ) from None

    def differing(self, place: Place, old: str, new: str) -> frozenset[str]:
        """The same by a process, for trees of many folders."""
        arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", old, new]
        finished = place.mirror.read(arguments, self._settings.max_tree_bytes)
        if finished.status:
            raise self.damaged(place.mirror)
        names = finished.output.decode("utf-8", "surrogateescape").split("\0")
        return frozenset(name for name in names if name)

    def info(self, mirror: Mirror, *names: str) -> list[Info | None]:
        """Id and type of each name; None: there is no such object."""
        return self._ask(mirror, lambda reader: reader.info(names))

    def _ask(self, mirror: Mirror, question: Callable[[Reader], T]) -> T:
        try:
            return self._readers.ask(mirror.path, question)
        except BrokenReaderError:
            raise self.damaged(mirror) from None

    def damaged(self, mirror: Mirror) -> SourceUnavailable:
        """The error of a mirror that lacks what it must have; it is fetched anew."""
        mirror.condemn()
        return SourceUnavailable("the local copy of the repository is damaged; it is fetched anew at the next attempt")


def _folders(reader: Reader, oids: Sequence[str]) -> Mapping[str, bytes | None]:
    return reader.contents(oids, FOLDER_BYTES, FOLDERS * FOLDER_BYTES)
