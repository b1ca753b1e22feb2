"""Submodules of the sources of one host: read through their parent's source, and failures remembered for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TypeVar

from gitops_workers.core.errors import SourceUnavailable, SubmoduleUnavailable
from gitops_workers.core.model import SourceSpec
from gitops_workers.ports import TreeEntry
from gitops_workers.ports.git import SubmoduleReader

K = TypeVar("K")
V = TypeVar("V")
REMEMBERED = 1_000
PAUSE = 30.0
"""Seconds in which nobody waits again for a server that did not answer: many applications may have one submodule."""


class Submodules:
    """Safe for many threads."""

    def __init__(self, repositories: SubmoduleReader) -> None:
        """`repositories` does the fetching."""
        self._repositories = repositories
        self._lock = threading.Lock()
        self._urls: OrderedDict[tuple[str, str], Mapping[str, str]] = OrderedDict()
        self._failures: OrderedDict[tuple[object, str], tuple[float, str]] = OrderedDict()

    def urls(self, source: SourceSpec, oid: str) -> Mapping[str, str]:
        """Path -> URL as written, of a `.gitmodules` file; read once per content."""
        with self._lock:
            known = self._urls.get((source.url, oid))
        if known is None:
            known = self._repositories.submodule_urls(source, oid)
            self._keep(self._urls, (source.url, oid), known)
        return known

    def files(self, source: SourceSpec, url: str, commit: str, place: str) -> Sequence[TreeEntry]:
        """All files of the submodule at `place`, by paths from its own root. Raises SubmoduleUnavailable."""
        with self._lock:
            until, said = self._failures.get((source.access, url), (0.0, ""))
        if time.monotonic() < until:
            raise SubmoduleUnavailable(said)
        try:
            return self._repositories.submodule(source, url, commit)
        except SourceUnavailable as problem:
            said = f"submodule {place}: {problem}"
            self._keep(self._failures, (source.access, url), (time.monotonic() + PAUSE, said))
            raise SubmoduleUnavailable(said) from None

    def _keep(self, memory: OrderedDict[K, V], key: K, value: V) -> None:
        with self._lock:
            memory[key] = value
            while len(memory) > REMEMBERED:
                memory.popitem(last=False)
