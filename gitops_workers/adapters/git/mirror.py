"""One bare repository per repository and host, written by one process at a time.

Six fetches at once into one repository failed 28 of 30 times (measured), so a `flock` beside it lets one writer in;
readers need no lock. Each wanted commit is fetched alone, without history, and held by a ref of its own. What went
wrong on disk is never repaired: the mirror is taken away and fetched again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from gitops_workers.adapters.git.address import Address
from gitops_workers.adapters.git.command import Finished, GitProgram
from gitops_workers.adapters.git.transport import DamagedCopy, NotServed, Transport
from gitops_workers.core.errors import GitOpsError, SourceUnavailable
from gitops_workers.core.source.credentials import Credential

T = TypeVar("T")
KEEP = "refs/keep/"
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_BARE = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
"""All that `git init --bare` would write but hooks (gitrepository-layout(5)), without the 3 ms of a process."""
_CONDEMNED = "condemned"
_SIGNATURE = "signature"
_CLEANED = "cleaned"
_POLL = 0.05
_TIDY_SECONDS = 240.0


@contextlib.contextmanager
def usable_disk(url: str) -> Iterator[None]:
    """Errors of the disk as what they are to a caller: try again later."""
    try:
        yield
    except GitOpsError:
        raise
    except OSError as problem:
        raise SourceUnavailable(
            f"the local copy of {url} cannot be used: {problem.strerror or problem}; look at the disk"
        ) from None


class Mirror:
    """A bare repository on this host's disk."""

    def __init__(self, git: GitProgram, transport: Transport, path: Path) -> None:
        """`path` is where it is or will be; nothing is created yet."""
        self._git = git
        self._transport = transport
        self.path = path

    @property
    def usable(self) -> bool:
        """Whether it is there and nobody found damage in it."""
        return (self.path / "HEAD").exists() and not (self.path / _CONDEMNED).exists()

    @property
    def signature(self) -> str:
        """The state of the server at the last whole fetch, empty when there was none."""
        with contextlib.suppress(FileNotFoundError):
            return (self.path / _SIGNATURE).read_text()
        return ""

    def condemn(self) -> None:
        """It is damaged: the next fetch makes a new one."""
        with contextlib.suppress(FileNotFoundError):
            (self.path / _CONDEMNED).touch()

    def use(self, commit: str) -> None:
        """Somebody works with the commit: it stays."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.path / KEEP / commit)

    @contextlib.contextmanager
    def writing(self, timeout: float) -> Iterator[None]:
        """Be the one writer; the repository is there afterwards. Raises SourceUnavailable when others hold it too long.

        The kernel frees the lock with its holder, so a killed worker blocks nobody.
        """
        deadline = time.monotonic() + timeout
        with self.path.with_suffix(".lock").open("w") as stream:
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise SourceUnavailable(
                            f"another fetch of this repository has taken more than {timeout:.0f} s on this host"
                        ) from None
                    time.sleep(_POLL)
            if not self.usable:
                self._create()
            yield

    def fetch_commit(
        self, address: Address, credential: Credential, commit: str, timeout: float, there: Callable[[], bool]
    ) -> bool:
        """Fetch one commit without its history, or everything when the server does not serve commits by id.

        False when the server has no such commit; `there` tells whether it can be read.
        """

        def fetch() -> bool:
            self._unlock(KEEP + commit)
            refspecs = [f"+{commit}:{KEEP}{commit}"]
            try:
                self._fetch(address, credential, ["--depth=1"], refspecs, timeout)
            except NotServed:
                self._fetch_all(address, credential, [], timeout)
                return there()
            if not there():
                raise DamagedCopy(f"{address.shown}: commit {commit} was sent and cannot be read here")
            return True

        found = self._anew_if_damaged(fetch)
        self._tidy()
        return found

    def fetch_history(self, address: Address, credential: Credential, signature: str, timeout: float) -> None:
        """Fetch all branches and tags, commits only (no trees, no files) where the server can do that."""
        self._anew_if_damaged(lambda: self._fetch_all(address, credential, ["--filter=tree:0"], timeout))
        (self.path / _SIGNATURE).write_text(signature)
        self._tidy()

    def read(self, arguments: Sequence[str], limit: int) -> Finished:
        """Run a reading command in the repository."""
        return self._git.run(
            [f"--git-dir={self.path}", *arguments], timeout=self._git.settings.read_timeout, limit=limit
        )

    def _anew_if_damaged(self, fetch: Callable[[], T]) -> T:
        """Fetch; when the copy here is damaged, fetch into a new one."""
        try:
            return fetch()
        except DamagedCopy:
            self._create()
            return fetch()

    def _fetch_all(self, address: Address, credential: Credential, options: Sequence[str], timeout: float) -> None:
        for stale in (self.path / "refs").rglob("*.lock"):
            stale.unlink(missing_ok=True)
        self._unlock("")
        self._fetch(address, credential, [*options, "--prune"], _EVERYTHING, timeout)

    def _fetch(
        self, address: Address, credential: Credential, options: Sequence[str], refspecs: Sequence[str], timeout: float
    ) -> None:
        self._transport.fetch(str(self.path), address, credential, options=options, refspecs=refspecs, timeout=timeout)

    def _unlock(self, ref: str) -> None:
        """Remove git's own lock files: we hold the only lock, so these are of a fetch that was killed."""
        names = ("shallow.lock", "packed-refs.lock", "config.lock", *((f"{ref}.lock",) if ref else ()))
        for name in names:
            (self.path / name).unlink(missing_ok=True)

    def _create(self) -> None:
        for leftover in self.path.parent.glob(f"{self.path.name}.*-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        mark = f"{os.getpid()}-{time.monotonic_ns()}"
        fresh = self.path.with_name(f"{self.path.name}.new-{mark}")
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", KEEP):
            (fresh / folder).mkdir(parents=True)
        (fresh / "config").write_text(_BARE)
        (fresh / "HEAD").write_text("ref: refs/heads/main\n")
        (fresh / _CLEANED).touch()
        if self.path.exists():
            old = self.path.with_name(f"{self.path.name}.old-{mark}")
            self.path.rename(old)
            fresh.rename(self.path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            fresh.rename(self.path)

    def _tidy(self) -> None:
        """Put packs together when there are many; at most once in `keep_days` drop what nobody used for so long."""
        settings = self._git.settings
        if len(list((self.path / "objects" / "pack").glob("*.pack"))) <= settings.packs:
            return
        horizon = time.time() - settings.keep_days * 86_400
        arguments = ["repack", "-q", "-d", "--geometric=2"]
        if (self.path / _CLEANED).stat().st_mtime < horizon:
            for ref in (self.path / KEEP).iterdir():
                if ref.stat().st_mtime < horizon:
                    ref.unlink()
            for remains in (self.path / "objects" / "pack").glob("tmp_*"):
                remains.unlink(missing_ok=True)
            (self.path / _CLEANED).touch()
            arguments = ["repack", "-q", "-d", "-a"]
        # A failure costs nothing but speed; a damaged repository is found by its readers.
        with contextlib.suppress(SourceUnavailable):
            self._git.run([f"--git-dir={self.path}", *arguments], timeout=_TIDY_SECONDS, limit=1 << 16)
