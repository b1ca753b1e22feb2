"""The files that a command names: read at once, with one sentence for what cannot be read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.dialects import Document
from gitops_workers.yaml_events import load_positions

STANDARD_INPUT = "-"


def read_files(names: Iterable[str], suffixes: tuple[str, ...]) -> dict[str, bytes]:
    """Content by name as given; a directory stands for the manifests in it. Raises InvalidManifest."""
    found: dict[str, bytes] = {}
    for name in names:
        if name == STANDARD_INPUT:
            found["<stdin>"] = sys.stdin.buffer.read()
            continue
        path = Path(name)
        inside = sorted(item for item in path.rglob("*") if item.suffix in suffixes and _is_content(item))
        if path.is_dir() and not inside:
            raise InvalidManifest(f"{name}: the directory holds no {', '.join(suffixes)} file.")
        for item in inside if path.is_dir() else [path]:
            try:
                found[str(item)] = item.read_bytes()
            except OSError as error:
                raise InvalidManifest(f"{item}: cannot be read ({error.strerror}).") from None
    return found


def _is_content(path: Path) -> bool:
    """Whether a file is meant to be read. A link that leads nowhere is, and fails: it is no smaller directory."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def documents(data: bytes, name: str) -> Sequence[Document]:
    """The documents of a file, read in this process: the file is the author's own, and the reader has bounds."""
    return [Document(name, found.value, found.lines) for found in load_positions(data)]


def lenient_documents(data: bytes, name: str) -> Sequence[Document]:
    """The same for objects that are only looked at: a key that stands twice is no reason to say nothing."""
    return [Document(name, found.value, found.lines) for found in load_positions(data, repeated=True)]
