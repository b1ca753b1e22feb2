"""What Git repositories can be asked beside what every source can: refs, tags, short commits, branches, submodules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.source.revisions import History, NeedsBranch, NeedsCommit, NeedsDates, needs_listing, resolve
from gitops_workers.ports.sources import Listing, Sources, TreeEntry


@dataclass(frozen=True, slots=True)
class Refs:
    """A `Listing`: full ref name -> commit (annotated tags peeled). `head` is the ref HEAD points at, or ""."""

    refs: Mapping[str, str]
    head: str = ""
    listed_at: float = 0.0
    """Seconds since the epoch by the shared clock, taken before the request was sent."""


class SubmoduleReader(Protocol):
    """Reads what the submodules of a Git source are."""

    def submodule(self, source: SourceSpec, url: str, commit: str) -> Sequence[TreeEntry]:
        """All files of a commit of a submodule, by paths from its own root; from now on `blobs` reads them, too.

        Its URL obeys the same rules as a repository's. Raises SourceUnavailable, RenderFailed.
        """

    def submodule_urls(self, source: SourceSpec, oid: str) -> Mapping[str, str]:
        """Path -> URL as written, of a `.gitmodules` file by its blob id. Raises RenderFailed."""


class Repositories(Sources, SubmoduleReader, Protocol):
    """Git repositories, read through one hardened wrapper. Revisions are commits, `tree` has their git trees."""

    def refs(self, source: SourceSpec, *, not_before: float) -> Refs:
        """The repository's refs, listed at or after `not_before` (epoch s); callers share one request.

        Raises SourceUnavailable; HostUnavailable where that is known of the host.
        """

    def tree_id(self, source: SourceSpec, commit: str, path: str) -> str:
        """The object id of a folder or file of the commit; "" when it does not exist. Cheap (0.1 ms)."""

    def tag_times(self, source: SourceSpec, tags: Iterable[str]) -> Mapping[str, int]:
        """Creation date (epoch s) of fetched tags: the tagger's, else the commit's."""

    def resolve_short(self, source: SourceSpec, prefix: str) -> str | None:
        """The one commit that starts with these 7 to 39 hex digits, fetching if need be; None when none or many."""

    def on_branch(self, source: SourceSpec, commit: str, branch: str) -> bool:
        """Whether the fetched commit is reachable from the branch."""


def resolved(repositories: Repositories, source: SourceSpec, listing: Listing | None) -> Resolved:
    """`Sources.resolve` of a Git repository: tag dates, history and ancestry are asked only where the rule needs them.

    Raises SourceUnavailable, too, where a listed tag is gone before its date was read.
    """
    spec, history = source.revision, History()
    if listing is None:
        listing = repositories.refs(source, not_before=0.0) if needs_listing(spec) else Refs({})
    assert isinstance(listing, Refs)
    while not isinstance(answer := resolve(spec, listing.refs, listing.head, history), Resolved):
        history = _looked_up(repositories, source, answer, history)
    return answer


def _looked_up(
    repositories: Repositories, source: SourceSpec, needs: NeedsCommit | NeedsDates | NeedsBranch, history: History
) -> History:
    match needs:
        case NeedsCommit(prefix):
            commit = repositories.resolve_short(source, prefix)
            return replace(history, commits={**history.commits, prefix: commit})
        case NeedsDates(tags):
            dates = repositories.tag_times(source, tags)
            if gone := next((tag for tag in tags if tag not in dates), ""):
                raise SourceUnavailable(f"{source.shown}: tag {gone} was removed while it was read; it is tried again")
            return replace(history, dates=dates)
        case NeedsBranch(commit, branch):
            repositories.fetch(source, commit)
            return replace(history, on_branch=repositories.on_branch(source, commit, branch))
