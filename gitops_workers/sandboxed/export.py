"""The files of one job on the child's own tmpfs folder, written once and removed after it."""

# Paths stay texts: pathlib would cost the child a megabyte, and each path an object.
# ruff: noqa: PTH102, PTH103, PTH106, PTH108, PTH114, PTH123

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Self

from gitops_workers.core import repo_paths

EXECUTABLE = "100755"


class Export:
    """The folder of one job: its files, and a home for the tool. Paths are checked at this one place."""

    def __init__(self, job: str) -> None:
        """`job` is absolute as this process sees it."""
        self._job = job
        self.root = f"{job}/files"
        self.home = f"{job}/home"
        self._folders: set[str] = set()

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
