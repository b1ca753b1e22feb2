"""The `Sources` port over real repositories."""

from __future__ import annotations

import contextlib
import posixpath
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gitops_workers.adapters.git.address import Address, parse_address, rewrite
from gitops_workers.adapters.git.batch import BrokenReaderError, Info, Reader, ReaderPool, TooLargeError, present
from gitops_workers.adapters.git.command import GitProgram
from gitops_workers.adapters.git.listing import Listings, signature, valid_ref
from gitops_workers.adapters.git.mirror import Mirror
from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.adapters.git.transport import Transport
from gitops_workers.adapters.git.trees import TreeCache, parse_tree
from gitops_workers.core.credentials import Credential
from gitops_workers.core.errors import GitOpsError, RenderFailed, SourceUnavailable, UnsafeContent
from gitops_workers.core.model import GitSource
from gitops_workers.core.objects import digest
from gitops_workers.core.revisions import BRANCHES, TAGS, RevisionNotFound
from gitops_workers.ports import Refs, RenderCache, TreeEntry

Lookup = Callable[[GitSource], Credential | None]
"""The credential of a source at this moment; None when it has none. Asked before every request, never stored."""

T = TypeVar("T")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PREFIX = re.compile(r"[0-9a-f]{7,39}")
_PLACES = 4_096
_CHANGES = 256


@dataclass(frozen=True, slots=True)
class _Place:
    """A source's repository on this host. The key tells tenants apart: another credential is another mirror."""

    key: str
    address: Address
    mirror: Mirror
    history: Mirror


class GitSources:
    """Reads Git repositories; one per process, safe to share between threads."""

    def __init__(
        self, directory: Path, settings: GitSettings, *, lookup: Lookup, shared: RenderCache, clock: Callable[[], float]
    ) -> None:
        """`directory` holds this host's mirrors; `shared` (sealed) and `clock` (epoch s) are those of all workers.

        Raises Refused when git is missing or too old.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory.resolve()
        self._settings = settings
        self._lookup = lookup
        self._git = GitProgram(settings, self._directory)
        self._transport = Transport(self._git)
        self._listings = Listings(shared, clock)
        self._readers = ReaderPool(self._git, settings.idle_readers)
        self._trees = TreeCache(settings.cached_entries)
        self._lock = threading.Lock()
        self._places: OrderedDict[tuple[str, str], _Place] = OrderedDict()
        self._changes: OrderedDict[tuple[str, str, str], frozenset[str]] = OrderedDict()

    def close(self) -> None:
        """End the reading processes."""
        self._readers.close()

    def refs(self, source: GitSource, *, not_before: float) -> Refs:
        """See `Sources.refs`."""
        place = self._place(source)

        def ask() -> bytes:
            return self._transport.list_refs(place.address, self._credential(source, place), source.timeout)

        return self._listings.get(place.key, not_before, source.timeout, ask)

    def fetch(self, source: GitSource, commit: str) -> None:
        """See `Sources.fetch`. Raises RevisionNotFound when the server answers and has no such commit."""
        place = self._place(source)
        _full(commit)
        if self._has(place, commit):
            place.mirror.use(commit)
            return
        timeout = max(source.timeout, self._settings.fetch_timeout)
        with _disk(place), place.mirror.writing(timeout):
            if self._has(place, commit):  # another one fetched it while we waited
                return
            credential = self._credential(source, place)
            if not place.mirror.fetch_commit(
                place.address, credential, commit, timeout, lambda: self._has(place, commit)
            ):
                raise RevisionNotFound(
                    f"{place.address.url} has no commit {commit} on any branch or tag; it may have been removed by a "
                    f"force-push: choose another revision"
                )

    def tree(self, source: GitSource, commit: str, path: str = "") -> Sequence[TreeEntry]:
        """See `Sources.tree`. Raises SourceUnavailable when the commit cannot be fetched."""
        place = self._place(source)
        folder = _inside(path)
        oid = self.tree_id(source, commit, folder)
        if not oid:
            return ()
        if (entries := self._trees.get(place.key, oid, folder)) is not None:
            return entries
        [info] = self._info(place.mirror, oid)
        if info is None or info.type != "tree":
            return ()
        finished = place.mirror.read(["ls-tree", "-r", "-z", "--full-tree", oid], self._settings.max_tree_bytes)
        if finished.status:
            raise self._damaged(place.mirror)
        entries = parse_tree(finished.output, folder)
        self._trees.put(place.key, oid, folder, entries)
        return entries

    def tree_id(self, source: GitSource, commit: str, path: str) -> str:
        """See `Sources.tree_id`. An unfetched commit is fetched: absence is only told of a commit that is there."""
        place = self._place(source)
        _full(commit)
        name = f"{commit}:{_inside(path)}"
        with contextlib.suppress(FileNotFoundError):
            [found] = self._info(place.mirror, name)
            if found is not None:
                return found.oid
        self.fetch(source, commit)
        [found] = self._info(place.mirror, name)
        return found.oid if found else ""

    def changed_paths(self, source: GitSource, old: str, new: str) -> frozenset[str] | None:
        """See `Sources.changed_paths`. A renamed file is both of its paths."""
        place = self._place(source)
        _full(old)
        _full(new)
        key = (place.key, old, new)
        with self._lock:
            if key in self._changes:
                return self._changes[key]
        if not self._has(place, old):
            return None
        self.fetch(source, new)
        arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", old, new]
        finished = place.mirror.read(arguments, self._settings.max_tree_bytes)
        if finished.status:
            raise self._damaged(place.mirror)
        names = finished.output.decode("utf-8", "surrogateescape").split("\0")
        changed = frozenset(name for name in names if name)
        with self._lock:
            self._changes[key] = changed
            if len(self._changes) > _CHANGES:
                self._changes.popitem(last=False)
        return changed

    def blobs(self, source: GitSource, oids: Iterable[str]) -> Mapping[str, bytes]:
        """See `Sources.blobs`."""
        place = self._place(source)
        wanted = list(dict.fromkeys(_full(oid) for oid in oids))
        settings = self._settings
        try:
            with _disk(place):
                found = self._ask(
                    place.mirror,
                    lambda reader: reader.contents(wanted, settings.max_blob_bytes, settings.max_read_bytes),
                )
        except TooLargeError as problem:
            limit = settings.max_blob_bytes if problem.size > settings.max_blob_bytes else settings.max_read_bytes
            name = self._trees.path_of(place.key, problem.oid) or f"object {problem.oid}"
            raise RenderFailed(
                f"{name} in {place.address.url} has {problem.size} bytes, over the limit of {limit >> 20} MiB for what "
                f"one application reads; make it smaller or move it out of the application's path"
            ) from None
        whole = present(found)
        if whole is None:
            raise self._damaged(place.mirror)
        return whole

    def tag_times(self, source: GitSource, tags: Iterable[str]) -> Mapping[str, int]:
        """See `Sources.tag_times`: short names in, short names out; fetched when the listing has changed."""
        place = self._place(source)
        wanted = {tag.removeprefix(TAGS) for tag in tags}
        self._fetch_history(source, place)
        arguments = ["for-each-ref", "--format=%(refname)%00%(creatordate:unix)", TAGS]
        finished = place.history.read(arguments, self._settings.max_listing_bytes)
        if finished.status:
            raise self._damaged(place.history)
        pairs = (line.split("\0") for line in finished.output.decode(errors="replace").splitlines())
        times = {name.removeprefix(TAGS): int(time) for name, time in pairs if time.isdigit()}
        return {tag: times[tag] for tag in wanted if tag in times}

    def resolve_short(self, source: GitSource, prefix: str) -> str | None:
        """See `Sources.resolve_short`."""
        place = self._place(source)
        if not _PREFIX.fullmatch(prefix):
            return None
        self._fetch_history(source, place)
        [info] = self._info(place.history, f"{prefix}^{{commit}}")
        return info.oid if info else None

    def on_branch(self, source: GitSource, commit: str, branch: str) -> bool:
        """See `Sources.on_branch`. An unknown branch has no commits."""
        place = self._place(source)
        _full(commit)
        ref = BRANCHES + branch.removeprefix(BRANCHES)
        if not valid_ref(ref):
            return False
        self._fetch_history(source, place)
        if None in self._info(place.history, f"{commit}^{{commit}}", f"{ref}^{{commit}}"):
            return False
        finished = place.history.read(["merge-base", "--is-ancestor", "--end-of-options", commit, ref], 4_096)
        if finished.status not in (0, 1):
            raise self._damaged(place.history)
        return finished.status == 0

    def _place(self, source: GitSource) -> _Place:
        identity = (source.url, repr(source.credential))
        with self._lock:
            if (place := self._places.get(identity)) is not None:
                return place
        url, trusted = rewrite(source.url, self._settings.mirrors)
        address = parse_address(url, self._settings.schemes, trusted=trusted)
        key = digest(address.url, *address.userinfo, repr(source.credential))
        mirror = Mirror(self._git, self._transport, self._directory / f"{key}.git")
        history = Mirror(self._git, self._transport, self._directory / f"{key}.history.git")
        place = _Place(key, address, mirror, history)
        with self._lock:
            self._places[identity] = place
            if len(self._places) > _PLACES:
                self._places.popitem(last=False)
        return place

    def _credential(self, source: GitSource, place: _Place) -> Credential:
        # For the URL that is really asked: a credential for github.com is none of a mirror's business.
        rewritten, trusted = rewrite(source.url, self._settings.mirrors)
        asked = GitSource(rewritten, source.revision, source.path, source.credential) if trusted else source
        found = self._lookup(asked)
        return found if found is not None else Credential(*place.address.userinfo)

    def _has(self, place: _Place, commit: str) -> bool:
        return place.mirror.usable and self._info(place.mirror, f"{commit}:") != [None]

    def _fetch_history(self, source: GitSource, place: _Place) -> None:
        """Bring all commits here when the refs are not those of the last time."""
        listed = self._listings.last(place.key) or self.refs(source, not_before=0)
        state = signature(listed)
        if place.history.usable and place.history.signature == state:
            return
        timeout = max(source.timeout, self._settings.fetch_timeout)
        with _disk(place), place.history.writing(timeout):
            if place.history.signature != state:
                place.history.fetch_history(place.address, self._credential(source, place), state, timeout)

    def _info(self, mirror: Mirror, *names: str) -> list[Info | None]:
        return self._ask(mirror, lambda reader: reader.info(names))

    def _ask(self, mirror: Mirror, question: Callable[[Reader], T]) -> T:
        try:
            return self._readers.ask(mirror.path, question)
        except BrokenReaderError:
            raise self._damaged(mirror) from None

    def _damaged(self, mirror: Mirror) -> SourceUnavailable:
        mirror.condemn()
        return SourceUnavailable("the local copy of the repository is damaged; it is fetched anew at the next attempt")


def _full(commit: str) -> str:
    if not _COMMIT.fullmatch(commit):
        raise RenderFailed(f"{commit[:50]!r} is no object id: 40 lower-case hexadecimal digits")
    return commit


def _inside(path: str) -> str:
    """A path from the repository's root as git names it; "" is the root."""
    if any(ord(sign) < 32 for sign in path):
        raise UnsafeContent(f"path {path!r} has control characters; no file of a repository needs them")
    plain = posixpath.normpath(path or ".")
    if plain.startswith(("/", "../")) or plain == "..":
        raise UnsafeContent(f"path {path!r} leaves the repository; write it relative to the repository's root")
    return "" if plain == "." else plain


@contextlib.contextmanager
def _disk(place: _Place) -> Iterator[None]:
    """Errors of the disk as what they are to a caller: try again later."""
    try:
        yield
    except GitOpsError:
        raise
    except OSError as problem:
        raise SourceUnavailable(
            f"the local copy of {place.address.url} cannot be used: {problem.strerror or problem}; look at the disk"
        ) from None
