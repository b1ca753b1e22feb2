"""Where files come from: sources with revisions, whatever keeps them.

A source is a `SourceSpec`; its `kind` says who reads it. A revision is a text that always means the same files. The
pipeline, closures, renders, polls and commands know sources through this port alone; what only Git can be asked is in
`ports.git`, behind its implementation. The recipe for a new kind stands in `wiring.sources`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitops_workers.core.model import Resolved, SourceSpec


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file of a revision: path from the root, git mode (`100644`, `100755`, `120000` a link), id of its content.

    Equal ids mean equal contents, in all revisions. Only a Git source has submodules: mode `160000`, and the id is the
    commit (`ports.git.SubmoduleReader`).
    """

    path: str
    mode: str
    oid: str


class Listing(Protocol):
    """What a source offered at one moment, for all who read it with one credential. Its own kind reads the rest."""

    @property
    def listed_at(self) -> float:
        """Seconds since the epoch by the shared clock, taken before the request was sent."""


class Sources(Protocol):
    """Sources of all kinds, or of one."""

    def poll(self, source: SourceSpec, *, not_before: float) -> Listing:
        """What there is at or after `not_before` (epoch s): at most one request, which callers share.

        The answer is the same for all sources of one `access`, whatever revision and path they name.
        Raises SourceUnavailable; HostUnavailable where that is known of the host.
        """

    def resolve(self, source: SourceSpec, listing: Listing | None = None) -> Resolved:
        """The revision that the source's `revision` means by this listing; without one, by a new one if need be.

        Raises RevisionNotFound (nothing matches now), InvalidManifest (nothing ever can), and as `poll` does.
        """

    def fetch(self, source: SourceSpec, revision: str) -> None:
        """Make the revision readable on this host. No request when it is already. Raises as `poll` does."""

    def tree(self, source: SourceSpec, revision: str, path: str = "") -> Sequence[TreeEntry]:
        """All files under a folder of the revision, recursively, sorted; empty when there is no such folder."""

    def changed_paths(self, source: SourceSpec, old: str, new: str) -> frozenset[str] | None:
        """Paths that differ between two revisions; None when the old one is not on this host."""

    def blobs(self, source: SourceSpec, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Contents by `TreeEntry.oid`, of fetched revisions. Raises RenderFailed when one is over the size limit."""
