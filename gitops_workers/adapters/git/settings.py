"""What an operator can set about Git; `GITOPS_GIT_*` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class GitSettings:
    """Bounds and permissions. Times are seconds, sizes bytes."""

    schemes: frozenset[str] = frozenset({"https", "ssh"})
    """URL schemes that may be fetched; `http` and `file` are for a laptop and switch the host check off."""
    mirrors: tuple[tuple[str, str], ...] = ()
    """(prefix, replacement): the longest matching prefix of a URL is replaced for the request only (air-gapped sites).
    A replacement's host is trusted, and credentials are looked up for the replaced URL."""
    allow_private: bool = False
    """Allow loopback, link-local and metadata hosts. Private networks (10/8 ...) are always allowed: a company's own
    Git server stands there."""
    private_hosts: frozenset[str] = frozenset()
    """Single host names that may be loopback or link-local."""
    fetch_timeout: float = 240.0
    """One fetch, at least (a source's own larger timeout wins): under the worker's hard limit of 300 s, and enough for
    1 GiB at 5 MB/s."""
    stall_seconds: int = 30
    """A server that sends less than 1 kB/s for so long has stopped."""
    read_timeout: float = 60.0
    """One read of the local mirror; longer means a broken disk."""
    max_listing_bytes: int = 64 * MIB
    """One ls-remote: 64 MiB are about 800,000 refs."""
    max_tree_bytes: int = 256 * MIB
    """One listing of a commit's files: about 2 million paths."""
    max_blob_bytes: int = 10 * MIB
    """One file; Argo CD's limit for all manifests of a directory."""
    max_read_bytes: int = 256 * MIB
    """All files of one `blobs` call together."""
    max_pack_bytes: int = 4096 * MIB
    """One file that git may write, so one pack: what a repository may take of the disk in one fetch."""
    idle_readers: int = 8
    """`cat-file` processes kept for the next read, over all repositories: 3 MB each."""
    cached_entries: int = 200_000
    """Paths kept in memory over all tree listings: about 250 bytes each."""
    packs: int = 50
    """More packs than this are put together after a fetch: each lookup asks every pack."""
    keep_days: float = 7.0
    """Commits fetched longer ago are dropped when the mirror is cleaned, at most once in so many days; one that is
    still in use is fetched again by its next reader."""

    submodules: bool = True
    """Whether submodules are fetched at all (Argo CD: `reposerver.enable.git.submodule`)."""

    @property
    def private_allowed(self) -> bool:
        """Whether the host check is off."""
        return self.allow_private or bool(self.schemes & {"http", "file"})
