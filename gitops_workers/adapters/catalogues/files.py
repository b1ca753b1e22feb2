"""The catalogue in a directory: any number of files, several documents in each, sub-directories."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.adapters.catalogues.location import Readers
from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.model import Problem
from gitops_workers.core.objects import digest
from gitops_workers.dialects.document import MANIFEST_SUFFIXES, Document, Load, load_file
from gitops_workers.ports.catalogue import Contents

LARGEST_FILE = 4 << 20
"""Bytes: the loader refuses more anyway, and it need not be read for that."""
MOST_FILES = 50_000
"""Files of one catalogue; more is a wrong directory (a home, a whole disk), and every tick would walk it."""


@dataclass(frozen=True, slots=True)
class _File:
    """A manifest file as a directory listing shows it. `name` is relative to the catalogue."""

    name: str
    path: str
    """Where the content is; "" for a link that leads nowhere or out of the catalogue."""
    size: int = 0
    changed: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True)
class _Read:
    file: _File
    documents: list[Document]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Folder:
    """A `Location` on this host."""

    folder: Path

    @classmethod
    def parse(cls, text: str) -> Folder:
        """The directory of this name."""
        return cls(Path(text))

    @property
    def name(self) -> str:
        """The directory as it is written."""
        return str(self.folder)

    def open(self, readers: Readers) -> FileCatalogue:
        """See `Location.open`."""
        return FileCatalogue(self.folder, readers.load)


class FileCatalogue:
    """Port `Catalogue` over a directory. Files whose size, time and inode are unchanged are not read again.

    Hidden files and folders are passed over, links are followed inside the directory only (Kubernetes mounts ConfigMaps
    by links). A directory that is missing or cannot be read raises SourceUnavailable: it is unknown, not empty.
    """

    def __init__(self, root: Path, load: Load) -> None:
        """`load` turns bytes into documents; in production it runs in the sandbox."""
        self.name = str(root)
        self.repository = ""
        self._root = Path(root)
        self._load = load
        self._read: dict[str, _Read] = {}

    def token(self) -> str:
        """Changes when a file appears, goes or changes. Reads names, sizes and times only."""
        return _token(self._files())

    def contents(self) -> Contents:
        """All documents in order of file names, and the problems of files that cannot be loaded."""
        fresh: dict[str, _Read] = {}
        files = self._files()
        for file in files:
            known = self._read.get(file.name)
            fresh[file.name] = known if known is not None and known.file == file else self._load_file(file)
        self._read = fresh
        return Contents(
            _token(files),
            [document for item in fresh.values() for document in item.documents],
            [problem for item in fresh.values() for problem in item.problems],
        )

    def _load_file(self, file: _File) -> _Read:
        if not file.path:
            message = "the link leads nowhere or out of the catalogue: replace it with the file."
            return _Read(file, [], [Problem(file.name, 0, "", message)])
        if file.size > LARGEST_FILE:
            message = f"the file has {file.size:,} bytes, allowed are {LARGEST_FILE:,}: split it."
            return _Read(file, [], [Problem(file.name, 0, "", message)])
        try:
            data = Path(file.path).read_bytes()
        except OSError as error:
            raise self._unavailable(file.path, error) from None
        return _Read(file, *load_file(self._load, data, file.name))

    def _files(self) -> list[_File]:
        found = []
        for file in self._walk():
            found.append(file)
            if len(found) > MOST_FILES:
                raise SourceUnavailable(
                    f"catalogue {self.name}: more than {MOST_FILES:,} manifest files; name a smaller directory"
                )
        return sorted(found, key=lambda file: file.name)

    def _walk(self) -> Iterator[_File]:
        root = Path(os.path.realpath(self._root))
        folders = [(root, "")]
        seen = {root}
        while folders:
            folder, prefix = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    listed = [entry for entry in entries if not entry.name.startswith(".")]
                for entry in listed:
                    name = prefix + entry.name
                    real = Path(os.path.realpath(entry.path))
                    manifest = entry.name.endswith(MANIFEST_SUFFIXES)
                    if entry.is_symlink() and (not real.is_relative_to(root) or not real.exists()):
                        if manifest or not real.is_file():  # it may have been a folder of manifests
                            yield _File(name, "")
                        continue
                    status = real.stat()
                    if stat.S_ISDIR(status.st_mode) and real not in seen:
                        seen.add(real)
                        folders.append((real, f"{name}/"))
                    elif stat.S_ISREG(status.st_mode) and manifest:
                        yield _File(name, str(real), status.st_size, status.st_mtime_ns, status.st_ino)
            except OSError as error:
                raise self._unavailable(folder, error) from None

    def _unavailable(self, path: str | Path, error: OSError) -> SourceUnavailable:
        return SourceUnavailable(f"catalogue {self.name}: {path} cannot be read ({error.strerror}); nothing is changed")


def _token(files: Iterable[_File]) -> str:
    return digest(*(f"{file.name}\0{file.size}\0{file.changed}\0{file.inode}" for file in files))
