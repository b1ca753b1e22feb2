"""The catalogue in a Git repository: `git+URL#ref:path`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from gitops_workers.adapters.catalogues.location import Readers
from gitops_workers.core.errors import InvalidManifest, SourceUnavailable
from gitops_workers.core.model import Problem, RevisionKind, RevisionSpec, SourceSpec
from gitops_workers.core.source.revisions import needs_listing
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.dialects.document import MANIFEST_SUFFIXES, Document, Load, load_file
from gitops_workers.dialects.repo_url import normal_path, url_problem
from gitops_workers.ports import TreeEntry
from gitops_workers.ports.catalogue import Contents
from gitops_workers.ports.git import Repositories

PREFIX = "git+"
_FILES = ("100644", "100755")
_LINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True, slots=True)
class Repository:
    """A `Location` in a Git repository."""

    source: SourceSpec

    @classmethod
    def parse(cls, text: str) -> Repository:
        """`git+URL#ref:path`; ref and path may be left out (the default branch, the whole repository).

        The ref follows Argo CD's targetRevision rules. Raises InvalidManifest.
        """
        url, _, place = text.removeprefix(PREFIX).partition("#")
        ref, _, path = place.partition(":")
        problem = url_problem(url, scp=True)
        folder = normal_path(path)
        if problem or folder is None or not text.startswith(PREFIX):
            what = problem or "the path leaves the repository."
            raise InvalidManifest(f"catalogue {without_credentials(text)}: {what} Write git+URL#ref:path.")
        return cls(SourceSpec(url, RevisionSpec(RevisionKind.ARGOCD, ref), folder))

    @property
    def name(self) -> str:
        """The setting without credentials, ref and path always there."""
        return f"{PREFIX}{self.source.shown}#{self.source.revision.value}:{self.source.path}"

    @property
    def folder(self) -> None:
        """None: what it declares is on a server."""

    def open(self, readers: Readers) -> GitCatalogue:
        """See `Location.open`."""
        return GitCatalogue(self, readers.sources, readers.load, readers.now)


class GitCatalogue:
    """Port `Catalogue` over a repository. Files are read once per content; links and submodules are problems.

    A repository that does not answer raises SourceUnavailable; a revision or folder that is not there does, too: the
    last catalogue stays.
    """

    def __init__(self, location: Repository, sources: Repositories, load: Load, now: Callable[[], float]) -> None:
        """`now` is the shared clock: refs are listed at the moment of asking, never older."""
        self.name = location.name
        self.repository = location.source.shown
        self._source = location.source
        self._sources = sources
        self._load = load
        self._now = now
        self._known: dict[tuple[str, str], tuple[list[Document], list[Problem]]] = {}

    def token(self) -> str:
        """The object id of the folder at the revision: the same until a file in it changes."""
        return self._tree_id(self._commit())

    def contents(self) -> Contents:
        """All documents in order of file names, and the problems of files that cannot be loaded."""
        commit = self._commit()
        token = self._tree_id(commit)
        listed = self._sources.tree(self._source, commit, self._folder)
        if self._folder and not listed:
            raise SourceUnavailable(f"catalogue {self.name}: this is no folder at {commit[:12]}; make it one")
        tree = [entry for entry in listed if not _hidden(entry)]
        entries = [entry for entry in tree if entry.mode in _FILES and entry.path.endswith(MANIFEST_SUFFIXES)]
        keys = {entry: (entry.path, entry.oid) for entry in entries}
        wanted = {entry.oid for entry in entries if keys[entry] not in self._known}
        blobs = self._sources.blobs(self._source, wanted) if wanted else {}
        self._known = {
            key: self._known.get(key) or load_file(self._load, blobs[entry.oid], entry.path)
            for entry, key in keys.items()
        }
        loaded = [self._known[key] for key in sorted(self._known)]
        return Contents(
            token,
            [document for documents, _ in loaded for document in documents],
            [problem for _, problems in loaded for problem in problems]
            + [Problem(entry.path, 0, "", why) for entry in tree if (why := self._unread(commit, entry))],
        )

    def _unread(self, commit: str, entry: TreeEntry) -> str:
        """Why manifests may be behind this entry that nobody reads; "" where there are none."""
        if entry.mode == _SUBMODULE:
            return "submodules of a catalogue are not fetched: make it a catalogue of its own, or name a narrower path."
        if entry.mode != _LINK:
            return ""
        text = self._sources.blobs(self._source, [entry.oid])[entry.oid].decode("utf-8", "replace")
        target = normal_path(posixpath.join(posixpath.dirname(entry.path), text))
        if target is not None and not entry.path.endswith(MANIFEST_SUFFIXES):
            inside = f"{target}/".startswith(f"{self._folder}/") or not self._folder
            folder = bool(self._sources.tree(self._source, commit, target))
            if (folder and inside) or (not folder and self._sources.tree_id(self._source, commit, target)):
                return ""  # read at its own place, or a file that no manifest is
        return "a link in a catalogue is not followed: replace it with what it leads to."

    @property
    def _folder(self) -> str:
        return "" if self._source.path == "." else self._source.path

    def _tree_id(self, commit: str) -> str:
        self._sources.fetch(self._source, commit)
        found = self._sources.tree_id(self._source, commit, self._folder)
        if not found:
            raise SourceUnavailable(f"catalogue {self.name}: the folder does not exist at {commit[:12]}; create it")
        return found

    def _commit(self) -> str:
        listing = None
        if needs_listing(self._source.revision):
            listing = self._sources.refs(self._source, not_before=self._now())
        return self._sources.resolve(self._source, listing).commit


def _hidden(entry: TreeEntry) -> bool:
    return any(part.startswith(".") for part in posixpath.normpath(entry.path).split("/"))
