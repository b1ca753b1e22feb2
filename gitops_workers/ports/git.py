"""Git repositories: refs, commits, trees and blobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitops_workers.core.model import (
    SourceSpec,
)


@dataclass(frozen=True, slots=True)
class Refs:
    """One ls-remote: full ref name -> commit (annotated tags peeled). `head` is the ref HEAD points at, or ""."""

    refs: Mapping[str, str]
    head: str = ""
    listed_at: float = 0.0
    """Seconds since the epoch by the shared clock, taken before the request was sent."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file of a commit: path from the repository root, git mode (`100644`, `100755`, `120000` a link), blob id.

    A submodule is an entry, too: mode `160000`, and the id is its commit.
    """

    path: str
    mode: str
    oid: str


class Sources(Protocol):
    """Git repositories, read through one hardened wrapper."""

    def refs(self, source: SourceSpec, *, not_before: float) -> Refs:
        """The repository's refs, listed at or after `not_before` (epoch s); callers share one request.

        Raises SourceUnavailable; HostUnavailable where that is known of the host.
        """

    def fetch(self, source: SourceSpec, commit: str) -> None:
        """Make the commit readable on this host. No request when it is already. Raises as `refs` does."""

    def submodule(self, source: SourceSpec, url: str, commit: str) -> Sequence[TreeEntry]:
        """All files of a commit of a submodule, by paths from its own root; from now on `blobs` reads them, too.

        Its URL obeys the same rules as a repository's. Raises SourceUnavailable, RenderFailed.
        """

    def submodule_urls(self, source: SourceSpec, oid: str) -> Mapping[str, str]:
        """Path -> URL as written, of a `.gitmodules` file by its blob id. Raises RenderFailed."""

    def tree(self, source: SourceSpec, commit: str, path: str = "") -> Sequence[TreeEntry]:
        """All files under a folder of the commit, recursively, sorted; empty when there is no such folder."""

    def tree_id(self, source: SourceSpec, commit: str, path: str) -> str:
        """The object id of a folder or file of the commit; "" when it does not exist. Cheap (0.1 ms)."""

    def changed_paths(self, source: SourceSpec, old: str, new: str) -> frozenset[str] | None:
        """Paths that differ between two commits; None when the old one is not on this host."""

    def blobs(self, source: SourceSpec, oids: Iterable[str]) -> Mapping[str, bytes]:
        """File contents by blob id. Raises RenderFailed when one is over the size limit."""

    def tag_times(self, source: SourceSpec, tags: Iterable[str]) -> Mapping[str, int]:
        """Creation date (epoch s) of fetched tags: the tagger's, else the commit's."""

    def resolve_short(self, source: SourceSpec, prefix: str) -> str | None:
        """The one commit that starts with these 7 to 39 hex digits, fetching if need be; None when none or many."""

    def on_branch(self, source: SourceSpec, commit: str, branch: str) -> bool:
        """Whether the fetched commit is reachable from the branch."""
