"""The `Sources` port over real repositories."""

from __future__ import annotations

import contextlib
import copy
import functools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gitops_workers.adapters.git.address import Address, parse_address, rewrite
from gitops_workers.adapters.git.batch import BrokenReaderError, Info, Reader, ReaderPool, TooLargeError, present
from gitops_workers.adapters.git.command import GitProgram
from gitops_workers.adapters.git.listing import Listings, signature, valid_ref
from gitops_workers.adapters.git.mirror import Mirror, usable_disk
from gitops_workers.adapters.git.place import Place
from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.adapters.git.submodules import declared_urls
from gitops_workers.adapters.git.transport import Transport
from gitops_workers.adapters.git.trees import FOLDER_BYTES, FOLDERS, TreeCache, differing, parse_tree, walked
from gitops_workers.adapters.git.turns import Turns
from gitops_workers.core.errors import RenderFailed, SourceUnavailable, UnsafeContent
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.objects import digest
from gitops_workers.core.source.credentials import Credential
from gitops_workers.core.source.git_names import full_id, inside
from gitops_workers.core.source.revisions import BRANCHES, TAGS, RevisionNotFound
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.ports import Listing, RenderCache, TreeEntry
from gitops_workers.ports.git import Refs, resolved

Lookup = Callable[[SourceSpec], Credential | None]
"""The credential of a source at this moment; None when it has none. Asked before every request, never stored."""

T = TypeVar("T")
_PREFIX = re.compile(r"[0-9a-f]{7,39}")
_PLACES = 4_096
_CHANGES = 256


class GitSources:
    """Reads Git repositories; one per process, safe to share between threads."""

    def __init__(
        self,
        directory: Path,
        settings: GitSettings,
        *,
        lookup: Lookup,
        shared: RenderCache,
        clock: Callable[[], float],
        turns: Turns | None = None,
    ) -> None:
        """`directory` holds this host's mirrors; `shared` (sealed) and `clock` (epoch s) are those of all workers.

        `turns` bounds how many may wait for servers through `bounded`.
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
        self._turns = turns or Turns(per_host=1, in_all=1)
        self._turn = self._turns.watched
        self._lock = threading.Lock()
        self._places: OrderedDict[tuple[str, str], Place] = OrderedDict()
        self._changes: OrderedDict[tuple[str, str, str], frozenset[str]] = OrderedDict()

    def bounded(self) -> GitSources:
        """The same repositories for those who must not wait long: a request may raise Deferred."""
        same = copy.copy(self)
        same._turn = self._turns.taken  # noqa: SLF001 - another handle on the same value
        return same

    def close(self) -> None:
        """End the reading processes."""
        self._readers.close()

    def poll(self, source: SourceSpec, *, not_before: float) -> Refs:
        """See `Sources.poll`."""
        return self.refs(source, not_before=not_before)

    def resolve(self, source: SourceSpec, listing: Listing | None = None) -> Resolved:
        """See `Sources.resolve`."""
        return resolved(self, source, listing)

    def refs(self, source: SourceSpec, *, not_before: float) -> Refs:
        """See `Repositories.refs`."""
        place = self._place(source)

        def ask() -> bytes:
            return self._transport.list_refs(place.address, self._credential(source, place), source.timeout)

        if (known := self._listings.known(place.key, not_before)) is not None:
            return known
        with self._turn(place.host, place.key):
            return self._listings.get(place.key, not_before, source.timeout, ask)

    def fetch(self, source: SourceSpec, commit: str) -> None:
        """See `Sources.fetch`. Raises RevisionNotFound when the server answers and has no such commit."""
        place = self._place(source)
        if not self._fetched(source, place, commit, lambda: self._credential(source, place)):
            raise RevisionNotFound(
                f"{place.address.shown} has no commit {commit} on any branch or tag; it may have been removed by a "
                f"force-push: choose another revision"
            )

    def submodule(self, source: SourceSpec, url: str, commit: str) -> Sequence[TreeEntry]:
        """See `Repositories.submodule`.

        It has a mirror of its own beside the source's, which no other source reads: who may name this source may not
        therefore name that repository.
        """
        if not self._settings.submodules:
            raise RenderFailed("this installation fetches no submodules (GITOPS_GIT_SUBMODULES); commit the files")
        place = self._place(source)
        module = self._module(place, url)

        def credential() -> Credential:
            return self._submodule_credential(source, place, url, module.address)

        if not self._fetched(source, module, commit, credential):
            raise RenderFailed(
                f"{module.address.shown} has no commit {commit} on any branch or tag; push it there, or let the "
                "submodule point to one that is there"
            )
        with self._lock:
            place.modules[module.key] = module
        [found] = self._info(module.mirror, f"{commit}:")
        return self._listing(module, found.oid, "") if found else ()

    def submodule_urls(self, source: SourceSpec, oid: str) -> Mapping[str, str]:
        """See `Repositories.submodule_urls`. Git reads its own kind of file."""
        text = self.blobs(source, [oid])[oid].decode("utf-8", "replace")
        return declared_urls(self._git, text, self._settings.read_timeout)

    def tree(self, source: SourceSpec, commit: str, path: str = "") -> Sequence[TreeEntry]:
        """See `Sources.tree`. Raises SourceUnavailable when the commit cannot be fetched."""
        place = self._place(source)
        folder = inside(path)
        oid = self.tree_id(source, commit, folder)
        if not oid:
            return ()
        return self._listing(place, oid, folder)

    def tree_id(self, source: SourceSpec, commit: str, path: str) -> str:
        """See `Repositories.tree_id`. An unfetched commit is fetched: only of one that is there absence is told."""
        place = self._place(source)
        full_id(commit)
        name = f"{commit}:{inside(path)}"
        with contextlib.suppress(FileNotFoundError):
            [found] = self._info(place.mirror, name)
            if found is not None:
                return found.oid
        self.fetch(source, commit)
        [found] = self._info(place.mirror, name)
        return found.oid if found else ""

    def changed_paths(self, source: SourceSpec, old: str, new: str) -> frozenset[str] | None:
        """See `Sources.changed_paths`. A renamed file is both of its paths."""
        place = self._place(source)
        full_id(old)
        full_id(new)
        key = (place.key, old, new)
        with self._lock:
            if key in self._changes:
                return self._changes[key]
        if not self._has(place, old):
            return None
        self.fetch(source, new)
        before, after = self._info(place.mirror, f"{old}:", f"{new}:")
        if before is None or after is None:
            raise self._damaged(place.mirror)
        changed = differing(functools.partial(self._read_folders, place), before.oid, after.oid)
        if changed is None:
            changed = self._differing(place, old, new)
        with self._lock:
            self._changes[key] = changed
            if len(self._changes) > _CHANGES:
                self._changes.popitem(last=False)
        return changed

    def _differing(self, place: Place, old: str, new: str) -> frozenset[str]:
        """The same by a process, for trees of many folders."""
        arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", old, new]
        finished = place.mirror.read(arguments, self._settings.max_tree_bytes)
        if finished.status:
            raise self._damaged(place.mirror)
        names = finished.output.decode("utf-8", "surrogateescape").split("\0")
        return frozenset(name for name in names if name)

    def blobs(self, source: SourceSpec, oids: Iterable[str]) -> Mapping[str, bytes]:
        """See `Sources.blobs`."""
        place = self._place(source)
        wanted = list(dict.fromkeys(full_id(oid) for oid in oids))
        found = self._contents(place, wanted)
        with self._lock:
            modules = list(place.modules.values())
        for module in modules:
            if missing := [oid for oid, data in found.items() if data is None]:
                found |= self._contents(module, missing)
        whole = present(found)
        if whole is None:
            raise self._damaged(place.mirror)
        return whole

    def _contents(self, place: Place, oids: Sequence[str]) -> dict[str, bytes | None]:
        settings = self._settings
        try:
            with usable_disk(place.address.url):
                return self._ask(
                    place.mirror,
                    lambda reader: reader.contents(oids, settings.max_blob_bytes, settings.max_read_bytes),
                )
        except TooLargeError as problem:
            limit = settings.max_blob_bytes if problem.size > settings.max_blob_bytes else settings.max_read_bytes
            name = self._trees.path_of(place.key, problem.oid) or f"object {problem.oid}"
            raise RenderFailed(
                f"{name} in {place.address.shown} has {problem.size} bytes, over the limit of {limit >> 20} MiB for "
                f"what one application reads; make it smaller or move it out of the application's path"
            ) from None

    def tag_times(self, source: SourceSpec, tags: Iterable[str]) -> Mapping[str, int]:
        """See `Repositories.tag_times`: short names in, short names out; fetched when the listing has changed."""
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

    def resolve_short(self, source: SourceSpec, prefix: str) -> str | None:
        """See `Repositories.resolve_short`."""
        place = self._place(source)
        if not _PREFIX.fullmatch(prefix):
            return None
        self._fetch_history(source, place)
        [info] = self._info(place.history, f"{prefix}^{{commit}}")
        return info.oid if info else None

    def on_branch(self, source: SourceSpec, commit: str, branch: str) -> bool:
        """See `Repositories.on_branch`. An unknown branch has no commits."""
        place = self._place(source)
        full_id(commit)
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

    def _place(self, source: SourceSpec) -> Place:
        identity = (source.url, repr(source.credential))
        with self._lock:
            if (place := self._places.get(identity)) is not None:
                return place
        address = self._address(source.url)
        key = digest(address.url, *address.userinfo, repr(source.credential))
        place = self._new_place(key, address)
        with self._lock:
            self._places.setdefault(identity, place)
            place = self._places[identity]
            if len(self._places) > _PLACES:
                self._places.popitem(last=False)
        return place

    def _listing(self, place: Place, oid: str, folder: str) -> Sequence[TreeEntry]:
        if (entries := self._trees.get(place.key, oid, folder)) is not None:
            return entries
        [info] = self._info(place.mirror, oid)
        if info is None or info.type != "tree":
            return ()
        entries = walked(functools.partial(self._read_folders, place), oid, folder)
        if entries is None:
            finished = place.mirror.read(["ls-tree", "-r", "-z", "--full-tree", oid], self._settings.max_tree_bytes)
            if finished.status:
                raise self._damaged(place.mirror)
            entries = parse_tree(finished.output, folder)
        self._trees.put(place.key, oid, folder, entries)
        return entries

    def _module(self, place: Place, url: str) -> Place:
        address = self._address(url)
        key = digest("submodule", place.key, address.url, *address.userinfo)
        return self._new_place(key, address)

    def _new_place(self, key: str, address: Address) -> Place:
        mirror = Mirror(self._git, self._transport, self._directory / f"{key}.git")
        history = Mirror(self._git, self._transport, self._directory / f"{key}.history.git")
        return Place(key, address, mirror, history)

    def _address(self, url: str) -> Address:
        rewritten, trusted = rewrite(url, self._settings.mirrors)
        if not trusted:
            return parse_address(url, self._settings.schemes)
        named = without_credentials(url)
        try:
            return replace(parse_address(rewritten, self._settings.schemes, trusted=True), named=named)
        except UnsafeContent as error:
            raise UnsafeContent(f"{named}: its mirror of GITOPS_GIT_MIRRORS cannot be used: {error}") from None

    def _fetched(self, source: SourceSpec, place: Place, commit: str, credential: Callable[[], Credential]) -> bool:
        """Bring the commit into the place's mirror; False when the server has no such commit."""
        full_id(commit)
        with self._readers.reserved(place.mirror.path):
            if self._has(place, commit):
                place.mirror.use(commit)
                return True
            timeout = max(source.timeout, self._settings.fetch_timeout)
            with self._turn(place.host, place.key), usable_disk(place.address.url), place.mirror.writing(timeout):
                if self._has(place, commit):  # another one fetched it while we waited
                    return True
                return place.mirror.fetch_commit(
                    place.address, credential(), commit, timeout, lambda: self._has(place, commit)
                )

    def _submodule_credential(self, source: SourceSpec, place: Place, url: str, address: Address) -> Credential:
        """By the submodule's URL where credentials are declared so; else the parent's, on the parent's own server only.

        A Secret that a source names goes to the server of that source and to no other (Flux gives it to all of them).
        """
        rewritten, _ = rewrite(url, self._settings.mirrors)
        found = None if source.credential is not None else self._lookup(SourceSpec(rewritten))
        if found is not None:
            return found
        if address.server == place.address.server:
            return self._credential(source, place)
        return Credential(*address.userinfo)

    def _credential(self, source: SourceSpec, place: Place) -> Credential:
        # For the URL that is really asked: a credential for github.com is none of a mirror's business.
        rewritten, trusted = rewrite(source.url, self._settings.mirrors)
        asked = SourceSpec(rewritten, source.revision, source.path, source.credential) if trusted else source
        found = self._lookup(asked)
        return found if found is not None else Credential(*place.address.userinfo)

    def _has(self, place: Place, commit: str) -> bool:
        return place.mirror.usable and self._info(place.mirror, f"{commit}:") != [None]

    def _fetch_history(self, source: SourceSpec, place: Place) -> None:
        """Bring all commits here when the refs are not those of the last time."""
        listed = self._listings.last(place.key) or self.refs(source, not_before=0)
        state = signature(listed)
        if place.history.usable and place.history.signature == state:
            return
        timeout = max(source.timeout, self._settings.fetch_timeout)
        with self._turn(place.host, place.key), usable_disk(place.address.url), place.history.writing(timeout):
            if place.history.signature != state:
                place.history.fetch_history(place.address, self._credential(source, place), state, timeout)

    def _read_folders(self, place: Place, oids: Sequence[str]) -> Mapping[str, bytes]:
        found = present(self._ask(place.mirror, functools.partial(_folders, oids=oids)))
        if found is None:
            raise self._damaged(place.mirror)
        return found

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


def _folders(reader: Reader, oids: Sequence[str]) -> Mapping[str, bytes | None]:
    return reader.contents(oids, FOLDER_BYTES, FOLDERS * FOLDER_BYTES)
