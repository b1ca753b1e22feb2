"""Listings of a commit's files, read once and kept by content."""

from __future__ import annotations

import itertools
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from gitops_workers.adapters.git.batch import TooLargeError
from gitops_workers.core.errors import RenderFailed, SourceUnavailable
from gitops_workers.ports import TreeEntry

_MODES = {mode: mode for mode in ("100644", "100755", "120000", "160000")} | {"100664": "100644"}
"""Git's modes of what is no folder; 100664 is how very old versions wrote 100644."""

_FOLDER = "40000"
"""The mode of a folder within a tree object."""
FOLDERS = 64
"""Folders of a tree that are read one by one (0.1 ms each); a process that lists them all at once costs 4 ms."""
FOLDER_BYTES = 1 << 16
"""A folder of about 1,000 entries."""
FILES = 10_000
"""Files below them; the list of more is read with the limit in bytes."""
Entries = tuple[TreeEntry, ...]


def parse_tree(output: bytes, folder: str) -> Entries:
    """Read `git ls-tree -r -z` of a tree that stands at `folder`, submodules included.

    Raises SourceUnavailable when the output is cut short, RenderFailed for an entry of a mode that git does not have.
    """
    prefix = f"{folder}/" if folder else ""
    entries = []
    if output and not output.endswith(b"\0"):
        raise SourceUnavailable("the local list of files ended in the middle of a line")
    for line in output.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        facts, _, name = line.partition("\t")
        mode, _, oid = facts.split(" ")
        entries.append(_entry(mode, prefix + name, oid))
    return tuple(entries)


def _entry(mode: str, path: str, oid: str) -> TreeEntry:
    if mode not in _MODES:
        raise RenderFailed(f"{path} has the mode {mode}, which is none of git's; add the file anew")
    return TreeEntry(path, sys.intern(_MODES[mode]), oid)


def parse_folder(data: bytes) -> list[tuple[str, str, str]]:
    """Mode, name and object id of each entry of a tree object, in git's order.

    Raises SourceUnavailable when the object is cut short.
    """
    entries, place = [], 0
    while place < len(data):
        end = data.find(b"\0", place)
        oid = data[end + 1 : end + 21]
        if end < 0 or len(oid) < 20:
            raise SourceUnavailable("a folder of the local copy ended in the middle of an entry")
        mode, _, name = data[place:end].decode("utf-8", "surrogateescape").partition(" ")
        entries.append((mode, name, oid.hex()))
        place = end + 21
    return entries


def walked(read: Callable[[Sequence[str]], Mapping[str, bytes]], oid: str, folder: str) -> Entries | None:
    """All files below the tree `oid`, which stands at `folder`, as `parse_tree` gives them; `read` reads tree objects.

    None where a process lists it better. Raises RenderFailed for an entry of a mode that git does not have.
    """
    folders: dict[str, bytes] = {}
    wanted = [oid]
    while wanted:
        if len(folders) + len(wanted) > FOLDERS:
            return None
        try:
            found = read(wanted)
        except TooLargeError:
            return None
        folders.update(found)
        below = [entry for data in found.values() for entry in parse_folder(data)]
        wanted = list({child: None for mode, _, child in below if mode == _FOLDER and child not in folders})
    # A folder that holds the next one many times, and so on, is small and stands for millions of paths.
    entries = tuple(itertools.islice(_files(folders, oid, folder), FILES + 1))
    return entries if len(entries) <= FILES else None


def _files(folders: Mapping[str, bytes], oid: str, folder: str) -> Iterator[TreeEntry]:
    for mode, name, child in parse_folder(folders[oid]):
        path = f"{folder}/{name}" if folder else name
        if mode == _FOLDER:
            yield from _files(folders, child, path)
        else:
            yield _entry(mode, path, child)


def differing(read: Callable[[Sequence[str]], Mapping[str, bytes]], old: str, new: str) -> frozenset[str] | None:
    """The paths of files that are not the same below two trees, as `git diff-tree -r --no-renames` names them.

    `read` reads tree objects. A folder that both trees hold is not read. None where a process finds them better.
    """
    paths: set[str] = set()
    pairs = [("", old, new)] if old != new else []
    seen = 0
    while pairs:
        seen += len(pairs)  # and not the objects: a few of them can stand for millions of folders
        if seen > FOLDERS:
            return None
        try:
            found = read(list({oid: None for _, *oids in pairs for oid in oids if oid}))
        except TooLargeError:
            return None
        below = []
        for folder, *oids in pairs:
            for name, sides in _sides(*(parse_folder(found[oid]) if oid else [] for oid in oids)):
                path = f"{folder}/{name}" if folder else name
                one, other = (oid if mode == _FOLDER else "" for mode, oid in sides)
                if one or other:
                    below.append((path, one, other))
                if any(oid and mode != _FOLDER for mode, oid in sides):
                    paths.add(path)
        pairs = below
    return frozenset(paths)


def _sides(
    old: Iterable[tuple[str, str, str]], new: Iterable[tuple[str, str, str]]
) -> Iterator[tuple[str, tuple[tuple[str, str], tuple[str, str]]]]:
    """Each name whose mode and object id differ, with both; two empty texts where it is not."""
    left, right = ({name: (_MODES.get(mode, mode), oid) for mode, name, oid in side} for side in (old, new))
    for name in left | right:
        sides = left.get(name, ("", "")), right.get(name, ("", ""))
        if sides[0] != sides[1]:
            yield name, sides


class TreeCache:
    """The least recently used listings are dropped when there are too many entries in all."""

    def __init__(self, limit: int) -> None:
        """`limit` in entries; a listing over it is not kept."""
        self._limit = limit
        self._count = 0
        self._lock = threading.Lock()
        self._listings: OrderedDict[tuple[str, str, str], Entries] = OrderedDict()

    def get(self, repository: str, oid: str, folder: str) -> Entries | None:
        """The listing of the tree `oid` at `folder`; the same tree elsewhere has other paths."""
        with self._lock:
            entries = self._listings.get((repository, oid, folder))
            if entries is not None:
                self._listings.move_to_end((repository, oid, folder))
            return entries

    def put(self, repository: str, oid: str, folder: str, entries: Entries) -> None:
        """Keep it."""
        if len(entries) > self._limit:
            return
        with self._lock:
            replaced = self._listings.pop((repository, oid, folder), ())
            self._listings[repository, oid, folder] = entries
            self._count += len(entries) - len(replaced)
            while self._count > self._limit:
                self._count -= len(self._listings.popitem(last=False)[1])

    def path_of(self, repository: str, oid: str) -> str:
        """A path of the blob, for a message; empty when it is in no kept listing."""
        with self._lock:
            listings = [entries for key, entries in self._listings.items() if key[0] == repository]
        return next((entry.path for entries in listings for entry in entries if entry.oid == oid), "")
