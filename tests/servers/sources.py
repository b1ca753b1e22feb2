"""`GitSources` for tests: a laptop's permissions, a store in memory, a clock that the test moves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops_workers.adapters.git import GitSettings, GitSources
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.source.credentials import Credential

LAPTOP = GitSettings(schemes=frozenset({"https", "ssh", "http", "file"}))


@dataclass(slots=True)
class MemoryStore:
    """The shared store of listings, as bytes."""

    values: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes | None:
        """The bytes, None when absent."""
        return self.values.get(key)

    def put(self, key: str, value: bytes, lifetime: float) -> None:
        """Keep them; nothing expires while a test runs."""
        assert lifetime > 0
        self.values[key] = value


@contextlib.contextmanager
def git_sources(
    directory: Path,
    *,
    settings: GitSettings = LAPTOP,
    credentials: Mapping[str, Credential] | None = None,
    shared: MemoryStore | None = None,
) -> Iterator[GitSources]:
    """Open sources with mirrors in `directory`; credentials by URL."""

    def lookup(source: SourceSpec) -> Credential | None:
        return (credentials or {}).get(source.url)

    sources = GitSources(directory, settings, lookup=lookup, shared=shared or MemoryStore(), clock=time.time)
    try:
        yield sources
    finally:
        sources.close()
