"""The `Sources` port over real repositories."""

from __future__ import annotations

import contextlib
import copy
import functools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from gitops_workers.adapters.git.batch import ReaderPool, present
from gitops_workers.adapters.git.command import GitProgram
from gitops_workers.adapters.git.listing import Listings, signature, valid_ref
from gitops_workers.adapters.git.mirror import usable_disk
from gitops_workers.adapters.git.objects import Objects
from gitops_workers.adapters.git.place import Place
from gitops_workers.adapters.git.places import Lookup, Places
from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.adapters.git.submodules import declared_urls
from gitops_workers.adapters.git.transport import Transport
from gitops_workers.adapters.git.trees import differing
from gitops_workers.adapters.git.turns import Turns
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.source.credentials import Credential
from gitops_workers.core.source.git_names import full_id, inside
from gitops_workers.core.source.revisions import BRANCHES, TAGS, RevisionNotFound
from gitops_workers.ports import Listing, RenderCache, TreeEntry
from gitops_workers.ports.git import Refs, resolved

_PREFIX = re.compile(r"[0-9a-f]{7,39}")
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
        self._git = GitProgram(settings, self._directory)
        self._transport = Transport(self._git)
        self._listings = Listings(shared, clock)
        self._readers = ReaderPool(self._git, settings.idle_readers)
        self._objects = Objects(settings, self._readers)
        self._where = Places(self._directory, settings, self._git, self._transport, lookup)
        self._turns = turns or Turns(per_host=1, in_all=1)
        self._turn = self._turns.watched
        self._lock = threading.Lock()
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
        place = self._where.place(source)

        def ask() -> bytes:
            return self._transport.list_refs(place.address, self._where.credential(source, place), source.timeout)

        if (known := self._listings.known(place.key, not_before)) is not None:
            return known
        with self._turn(place.host, place.key):
            return self._listings.get(place.key, not_before, source.timeout, ask)

    def fetch(self, source: SourceSpec, commit: str) -> None:
        """See `Sources.fetch`. Raises RevisionNotFound when the server answers and has no such commit."""
        place = self._where.place(source)
        if not self._fetched(source, place, commit, lambda: self._where.credential(source, place)):
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
        place = self._where.place(source)
        module = self._where.module(place, url)

        def credential() -> Credential:
            return self._where.submodule_credential(source, place, url, module.address)

        if not self._fetched(source, module, commit, credential):
            raise RenderFailed(
                f"{module.address.shown} has no commit {commit} on any branch or tag; push it there, or let the "
                "submodule point to one that is there"
            )
        with self._lock:
            place.modules[module.key] = module
        [found] = self._objects.info(module.mirror, f"{commit}:")
        return self._objects.listing(module, found.oid, "") if found else ()

    def submodule_urls(self, source: SourceSpec, oid: str) -> Mapping[str, str]:
        """See `Repositories.submodule_urls`. Git reads its own kind of file."""
        text = self.blobs(source, [oid])[oid].decode("utf-8", "replace")
        return declared_urls(self._git, text, self._settings.read_timeout)

    def tree(self, source: SourceSpec, commit: str, path: str = "") -> Sequence[TreeEntry]:
        """See `Sources.tree`. Raises SourceUnavailable when the commit cannot be fetched."""
        place = self._where.place(source)
        folder = inside(path)
        oid = self.tree_id(source, commit, folder)
        if not oid:
            return ()
        return self._objects.listing(place, oid, folder)

    def tree_id(self, source: SourceSpec, commit: str, path: str) -> str:
        """See `Repositories.tree_id`. An unfetched commit is fetched: only of one that is there absence is told."""
        place = self._where.place(source)
        full_id(commit)
        name = f"{commit}:{inside(path)}"
        with contextlib.suppress(FileNotFoundError):
            [found] = self._objects.info(place.mirror, name)
            if found is not None:
                return found.oid
        self.fetch(source, commit)
        [found] = self._objects.info(place.mirror, name)
        return found.oid if found else ""

    def changed_paths(self, source: SourceSpec, old: str, new: str) -> frozenset[str] | None:
        """See `Sources.changed_paths`. A renamed file is both of its paths."""
        place = self._where.place(source)
        full_id(old)
        full_id(new)
        key = (place.key, old, new)
        with self._lock:
            if key in self._changes:
                return self._changes[key]
        if not self._objects.has(place, old):
            return None
        self.fetch(source, new)
        before, after = self._objects.info(place.mirror, f"{old}:", f"{new}:")
        if before is None or after is None:
            raise self._objects.damaged(place.mirror)
        changed = differing(functools.partial(self._objects.read_folders, place), before.oid, after.oid)
        if changed is None:
            changed = self._objects.differing(place, old, new)
        with self._lock:
            self._changes[key] = changed
            if len(self._changes) > _CHANGES:
                self._changes.popitem(last=False)
        return changed

    def blobs(self, source: SourceSpec, oids: Iterable[str]) -> Mapping[str, bytes]:
        """See `Sources.blobs`."""
        place = self._where.place(source)
        wanted = list(dict.fromkeys(full_id(oid) for oid in oids))
        found = self._objects.contents(place, wanted)
        with self._lock:
            modules = list(place.modules.values())
        for module in modules:
            if missing := [oid for oid, data in found.items() if data is None]:
                found |= self._objects.contents(module, missing)
        whole = present(found)
        if whole is None:
            raise self._objects.damaged(place.mirror)
        return whole

    def tag_times(self, source: SourceSpec, tags: Iterable[str]) -> Mapping[str, int]:
        """See `Repositories.tag_times`: short names in, short names out; fetched when the listing has changed."""
        place = self._where.place(source)
        wanted = {tag.removeprefix(TAGS) for tag in tags}
        self._fetch_history(source, place)
        arguments = ["for-each-ref", "--format=%(refname)%00%(creatordate:unix)", TAGS]
        finished = place.history.read(arguments, self._settings.max_listing_bytes)
        if finished.status:
            raise self._objects.damaged(place.history)
        pairs = (line.split("\0") for line in finished.output.decode(errors="replace").splitlines())
        times = {name.removeprefix(TAGS): int(time) for name, time in pairs if time.isdigit()}
        return {tag: times[tag] for tag in wanted if tag in times}

    def resolve_short(self, source: SourceSpec, prefix: str) -> str | None:
        """See `Repositories.resolve_short`."""
        place = self._where.place(source)
        if not _PREFIX.fullmatch(prefix):
            return None
        self._fetch_history(source, place)
        [info] = self._objects.info(place.history, f"{prefix}^{{commit}}")
        return info.oid if info else None

    def on_branch(self, source: SourceSpec, commit: str, branch: str) -> bool:
        """See `Repositories.on_branch`. An unknown branch has no commits."""
        place = self._where.place(source)
        full_id(commit)
        ref = BRANCHES + branch.removeprefix(BRANCHES)
        if not valid_ref(ref):
            return False
        self._fetch_history(source, place)
        if None in self._objects.info(place.history, f"{commit}^{{commit}}", f"{ref}^{{commit}}"):
            return False
        finished = place.history.read(["merge-base", "--is-ancestor", "--end-of-options", commit, ref], 4_096)
        if finished.status not in (0, 1):
            raise self._objects.damaged(place.history)
        return finished.status == 0

    def _fetched(self, source: SourceSpec, place: Place, commit: str, credential: Callable[[], Credential]) -> bool:
        """Bring the commit into the place's mirror; False when the server has no such commit."""
        full_id(commit)
        with self._readers.reserved(place.mirror.path):
            if self._objects.has(place, commit):
                place.mirror.use(commit)
                return True
            timeout = max(source.timeout, self._settings.fetch_timeout)
            with self._turn(place.host, place.key), usable_disk(place.address.url), place.mirror.writing(timeout):
                if self._objects.has(place, commit):  # another one fetched it while we waited
                    return True
                return place.mirror.fetch_commit(
                    place.address, credential(), commit, timeout, lambda: self._objects.has(place, commit)
                )

    def _fetch_history(self, source: SourceSpec, place: Place) -> None:
        """Bring all commits here when the refs are not those of the last time."""
        listed = self._listings.last(place.key) or self.refs(source, not_before=0)
        state = signature(listed)
        if place.history.usable and place.history.signature == state:
            return
        timeout = max(source.timeout, self._settings.fetch_timeout)
        with self._turn(place.host, place.key), usable_disk(place.address.url), place.history.writing(timeout):
            if place.history.signature != state:
                place.history.fetch_history(place.address, self._where.credential(source, place), state, timeout)
