"""The files of one job on the child's own tmpfs folder, written once and removed after it."""

# Paths stay texts: pathlib would cost the child a megabyte, and each path an object.
# ruff: noqa: PTH102, PTH103, PTH106, PTH108, PTH114, PTH123

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Self

from gitops_workers.core.errors import Retry, UnsafeContent
from gitops_workers.core.source import repo_paths

EXECUTABLE = "100755"

ENTRIES = 50_000
"""Files and folders of one render, copies included: each is an inode of a file system that all renders share."""

SIZE = 512 << 20
"""Bytes of the files of one render."""


class Export:
    """The folder of one job: its files, and a home for the tool. Paths are checked at this one place."""

    def __init__(self, job: str) -> None:
        """`job` is absolute as this process sees it."""
        self._job = job
        self.root = f"{job}/files"
        self.home = f"{job}/home"
        self._folders: set[str] = set()
        self._entries = 0
        self._size = 0

    def __enter__(self) -> Self:
        """Make the folders."""
        for folder in (self._job, self.root, self.home):
            os.mkdir(folder, 0o700)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove them with everything that a tool left there."""
        remove(self._job)

    def add(self, files: Iterable[tuple[str, str, bytes]]) -> None:
        """Write files (path, git mode, content); links never exist here."""
        files = list(files)
        folders = {folder for path, _, _ in files for folder in _above(path)}
        self.reserve(len(files) + len(folders), sum(len(content) for _, _, content in files))
        for path, mode, content in files:
            place = self.place(repo_paths.check(path))
            self._make(place.rpartition("/")[0])
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            target = os.open(place, flags, 0o700 if mode == EXECUTABLE else 0o600)
            try:
                rest = memoryview(content)
                while rest:
                    rest = rest[os.write(target, rest) :]
            finally:
                os.close(target)

    def reserve(self, entries: int, size: int) -> None:
        """Count files, folders and bytes before they are written. Raises UnsafeContent when this job has too many.

        Raises Retry when there is no room for them beside the files of other jobs.
        """
        self._entries += entries
        self._size += size
        if self._entries > ENTRIES or self._size > SIZE:
            raise UnsafeContent(
                f"the render needs {self._entries:,} files and folders of {self._size:,} bytes together, and "
                f"{ENTRIES:,} of {SIZE:,} are allowed; split the application, or name each dependency once"
            )
        free = os.statvfs(self._job)
        if (free.f_files and entries > free.f_favail // 2) or size > free.f_bavail * free.f_frsize // 2:
            raise Retry(
                f"the render needs {entries:,} files and folders of {size:,} bytes, more than half of what is free in "
                "this worker's scratch space (/dev/shm, else the folder for temporary files); give it more"
            )

    def place(self, path: str) -> str:
        """Return the absolute place of a path of the repository."""
        return f"{self.root}/{path}" if path else self.root

    def folder(self, path: str) -> str:
        """Return the place of a folder, which is made when only files elsewhere were exported."""
        place = self.place(path)
        self._make(place)
        return place

    def shorten(self, text: str) -> str:
        """Take our own folder out of a tool's message, so that it names paths of the repository."""
        return text.replace(self.root + "/", "").replace(self.root, ".")

    def _make(self, folder: str) -> None:
        if folder not in self._folders:
            os.makedirs(folder, 0o700, exist_ok=True)
            self._folders.add(folder)


def _above(path: str) -> Iterator[str]:
    """The folders above a file."""
    while path := path.rpartition("/")[0]:
        yield path


def remove(root: str) -> None:
    """Remove a folder with everything in it; links are removed, never followed."""
    for folder, folders, files in os.walk(root, topdown=False):
        for name in files:
            os.unlink(f"{folder}/{name}")
        for name in folders:
            place = f"{folder}/{name}"
            if os.path.islink(place):
                os.unlink(place)
            else:
                os.rmdir(place)
    os.rmdir(root)


def read(place: str) -> bytes:
    """Return the content of a small file of the export."""
    with open(place, "rb") as stream:
        return stream.read()


def write(place: str, data: bytes) -> None:
    """Replace a file of the export with one of ours."""
    with open(place, "wb") as stream:
        stream.write(data)
