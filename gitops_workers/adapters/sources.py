"""The port `Sources` over sources of every kind: each question goes to the reader of the source's kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.ports import Listing, Sources, TreeEntry


class Reader(Sources, Protocol):
    """The sources of one kind, as a process opens them once."""

    def bounded(self) -> Reader:
        """The same for those who must not wait long: a request may raise Deferred. Itself where nothing is slow."""

    def close(self) -> None:
        """Give back what is held open."""


class SourcesByKind:
    """Reads sources by the reader of their kind; safe to share between threads as the readers are."""

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        """`readers` by `SourceSpec.kind`."""
        self._readers = dict(readers)

    def bounded(self) -> SourcesByKind:
        """The same sources for those who must not wait long."""
        return SourcesByKind({kind: reader.bounded() for kind, reader in self._readers.items()})

    def close(self) -> None:
        """Close all readers."""
        for reader in self._readers.values():
            reader.close()

    def poll(self, source: SourceSpec, *, not_before: float) -> Listing:
        """See `Sources.poll`."""
        return self._of(source).poll(source, not_before=not_before)

    def resolve(self, source: SourceSpec, listing: Listing | None = None) -> Resolved:
        """See `Sources.resolve`."""
        return self._of(source).resolve(source, listing)

    def fetch(self, source: SourceSpec, revision: str) -> None:
        """See `Sources.fetch`."""
        self._of(source).fetch(source, revision)

    def tree(self, source: SourceSpec, revision: str, path: str = "") -> Sequence[TreeEntry]:
        """See `Sources.tree`."""
        return self._of(source).tree(source, revision, path)

    def changed_paths(self, source: SourceSpec, old: str, new: str) -> frozenset[str] | None:
        """See `Sources.changed_paths`."""
        return self._of(source).changed_paths(source, old, new)

    def blobs(self, source: SourceSpec, ids: Iterable[str]) -> Mapping[str, bytes]:
        """See `Sources.blobs`."""
        return self._of(source).blobs(source, ids)

    def _of(self, source: SourceSpec) -> Reader:
        if (reader := self._readers.get(source.kind)) is None:
            raise SourceUnavailable(
                f"{source.shown} is a source of the kind {source.kind!r}, which a newer release declared and this one "
                "cannot read; upgrade the workers"
            )
        return reader
