"""A kind of source that is not Git: an archive on disk (`file+tar:PATH`) whose revision is the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitops_workers.core.errors import RenderFailed, SourceUnavailable
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.source.revisions import RevisionNotFound
from gitops_workers.ports import Listing, TreeEntry

KIND, PREFIX = "file+tar", "file+tar:"


@dataclass(frozen=True, slots=True)
class ArchiveListing:
    """The only revision there is at one moment."""

    revision: str
    listed_at: float


@dataclass(slots=True)
class _Read:
    """What was read of one source: its revisions' files by path, and contents by id."""

    revisions: dict[str, dict[str, TreeEntry]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)


class ArchiveSources:
    """Reads archives; what was read once stays readable."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives epoch seconds."""
        self._clock = clock
        self._read: dict[object, _Read] = {}

    def bounded(self) -> ArchiveSources:
        """Nothing here is slow."""
        return self

    def close(self) -> None:
        """Nothing is held open."""

    def poll(self, source: SourceSpec, *, not_before: float) -> ArchiveListing:  # noqa: ARG002 - a read is cheap
        """See `Sources.poll`."""
        at = self._clock()
        return ArchiveListing(hashlib.sha256(self._bytes(source)).hexdigest(), at)

    def resolve(self, source: SourceSpec, listing: Listing | None = None) -> Resolved:
        """See `Sources.resolve`. No revision, or the one that is there."""
        found = self.poll(source, not_before=0.0) if listing is None else listing
        assert isinstance(found, ArchiveListing)
        if source.revision.value not in ("", found.revision):
            raise RevisionNotFound(f"{source.shown} is {found.revision}, not {source.revision.value}; name no revision")
        return Resolved(found.revision)

    def fetch(self, source: SourceSpec, revision: str) -> None:
        """See `Sources.fetch`."""
        known = self._read.setdefault(source.access, _Read())
        if revision in known.revisions:
            return
        data = self._bytes(source)
        if hashlib.sha256(data).hexdigest() != revision:
            raise RevisionNotFound(f"{source.shown} is no longer {revision}; sync what it is now")
        files = {}
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for item in archive.getmembers():
                if item.isfile() and (opened := archive.extractfile(item)) is not None:
                    content = opened.read()
                    name, oid = item.name.removeprefix("./"), hashlib.sha256(content).hexdigest()
                    files[name] = TreeEntry(name, "100755" if item.mode & 0o100 else "100644", oid)
                    known.contents[oid] = content
        known.revisions[revision] = files

    def tree(self, source: SourceSpec, revision: str, path: str = "") -> Sequence[TreeEntry]:
        """See `Sources.tree`."""
        self.fetch(source, revision)
        files = self._read[source.access].revisions[revision]
        return [files[name] for name in sorted(files) if not path or name.startswith(f"{path}/")]

    def changed_paths(self, source: SourceSpec, old: str, new: str) -> frozenset[str] | None:
        """See `Sources.changed_paths`."""
        known = self._read.setdefault(source.access, _Read())
        if old not in known.revisions:
            return None
        self.fetch(source, new)
        before, after = known.revisions[old], known.revisions[new]
        return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))

    def blobs(self, source: SourceSpec, ids: Iterable[str]) -> Mapping[str, bytes]:
        """See `Sources.blobs`."""
        contents = self._read[source.access].contents
        wanted = list(ids)
        if missing := next((oid for oid in wanted if oid not in contents), ""):
            raise RenderFailed(f"{source.shown} holds nothing with the id {missing}")
        return {oid: contents[oid] for oid in wanted}

    def _bytes(self, source: SourceSpec) -> bytes:
        try:
            return Path(source.url.removeprefix(PREFIX)).read_bytes()
        except OSError as error:
            raise SourceUnavailable(f"{source.shown} cannot be read ({error.strerror})") from None


def pack(path: Path, files: Mapping[str, bytes]) -> str:
    """Write an archive; returns its revision."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            item = tarfile.TarInfo(name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()
