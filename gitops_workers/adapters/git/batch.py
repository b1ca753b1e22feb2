"""Objects out of a bare repository through persistent `git cat-file --batch-command` processes.

A question costs 0.05 ms where a new process costs 2 ms or more. One thread at a time uses a process: eight threads on
one of GitPython's pairs gave exceptions and hangs (measured).
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gitops_workers.adapters.git.command import GitProgram
from gitops_workers.core.errors import SourceUnavailable

_CHUNK = 16_384
"""Bytes of questions sent at once: less than a pipe holds, so that asking never waits for answering."""
T = TypeVar("T")
_FOUND = re.compile(rb"([0-9a-f]{40}) (blob|tree|commit|tag) (\d{1,18})")


class BrokenReaderError(Exception):
    """The process ended or said something that is no answer: a damaged repository, or it was killed."""


class TooLargeError(Exception):
    """An object, or all of them together, is over the limit."""

    def __init__(self, oid: str, size: int) -> None:
        """`size` in bytes."""
        super().__init__(oid)
        self.oid = oid
        self.size = size


@dataclass(frozen=True, slots=True)
class Info:
    """An object: its id, type and size in bytes."""

    oid: str
    type: str
    size: int


class Reader:
    """One process, for one thread at a time."""

    def __init__(self, git: GitProgram, directory: Path) -> None:
        """Start reading the bare repository `directory`."""
        self._timeout = git.settings.read_timeout
        self._deadline = 0.0
        self._pending = bytearray()
        self._process = subprocess.Popen(
            git.argv([f"--git-dir={directory}", "cat-file", "--batch-command", "--buffer"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=git.environment(),
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to = self._process.stdin.fileno()
        self._from = self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._from, select.POLLIN)

    def info(self, names: Sequence[str]) -> list[Info | None]:
        """What each name is (an id, `commit:path`, `prefix^{commit}`); None when missing or ambiguous."""
        found: list[Info | None] = []
        for chunk in _chunks(names):
            self._ask("info", chunk)
            found += [self._header() for _ in chunk]
        return found

    def contents(self, oids: Sequence[str], each: int, total: int) -> dict[str, bytes | None]:
        """The objects' bytes, None for a missing one. Raises TooLargeError; the reader is of no more use then."""
        found: dict[str, bytes | None] = {}
        for chunk in _chunks(oids):
            self._ask("contents", chunk)
            for oid in chunk:
                info = self._header()
                if info is None:
                    found[oid] = None
                    continue
                total -= info.size
                if info.size > each or total < 0:
                    raise TooLargeError(oid, info.size)
                found[oid] = self._take(info.size + 1)[:-1]
        return found

    @property
    def alive(self) -> bool:
        """Whether the process runs; the kernel ends it with the thread that started it."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.kill()
        self._process.wait()

    def _ask(self, command: str, names: Sequence[str]) -> None:
        self._deadline = time.monotonic() + self._timeout
        lines = "".join(f"{command} {name}\n" for name in names) + "flush\n"
        data = memoryview(lines.encode("utf-8", "surrogateescape"))
        try:
            while data:
                data = data[os.write(self._to, data) :]
        except OSError:
            raise BrokenReaderError from None

    def _header(self) -> Info | None:
        while (end := self._pending.find(b"\n")) < 0:
            self._fill()
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        match = _FOUND.fullmatch(line)
        if match:
            return Info(match[1].decode(), match[2].decode(), int(match[3]))
        if line.endswith((b" missing", b" ambiguous")):
            return None
        raise BrokenReaderError

    def _take(self, size: int) -> bytes:
        while len(self._pending) < size:
            self._fill()
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data

    def _fill(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0 or not self._poll.poll(left * 1000):
            raise SourceUnavailable(f"the local copy gave no answer within {self._timeout:.0f} s; look at the disk")
        part = os.read(self._from, 1 << 18)
        if not part:
            raise BrokenReaderError
        self._pending += part


class ReaderPool:
    """Idle readers of all repositories, the least recently used ended first."""

    def __init__(self, git: GitProgram, limit: int) -> None:
        """Keep at most `limit` idle processes beside those that are reserved."""
        self._git = git
        self._limit = limit
        self._lock = threading.Lock()
        self._idle: list[tuple[Path, int, Reader]] = []
        self._reserved: Counter[Path] = Counter()
        self._owner = os.getpid()

    def ask(self, directory: Path, question: Callable[[Reader], T]) -> T:
        """Put a question to a reader of the repository.

        Raises BrokenReaderError when a new process broke too: the first one may just have been killed. Raises
        FileNotFoundError when there is no such repository.
        """
        try:
            with self._lent(directory, fresh=False) as reader:
                return question(reader)
        except BrokenReaderError:
            with self._lent(directory, fresh=True) as reader:
                return question(reader)

    @contextlib.contextmanager
    def reserved(self, directory: Path) -> Iterator[None]:
        """Within the block, readers of this repository are not ended to make room for those of others.

        Whoever fetches asks before and after; in between, many others may have fetched theirs.
        """
        with self._lock:
            self._reserved[directory] += 1
        try:
            yield
        finally:
            with self._lock:
                self._reserved[directory] -= 1
                if not self._reserved[directory]:
                    del self._reserved[directory]

    @contextlib.contextmanager
    def _lent(self, directory: Path, *, fresh: bool) -> Iterator[Reader]:
        # A rebuilt mirror is another directory of the same name: its inode tells.
        inode = directory.stat().st_ino
        reader = (None if fresh else self._idle_one(directory, inode)) or Reader(self._git, directory)
        try:
            yield reader
        except BaseException:
            reader.close()  # what is still unread would be the next one's answer
            raise
        self._give_back(directory, inode, reader)

    def close(self) -> None:
        """End all idle readers."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, _, reader in idle:
            reader.close()

    def _idle_one(self, directory: Path, inode: int) -> Reader | None:
        with self._lock:
            if self._owner != os.getpid():  # forked: the processes talk to the parent
                self._idle, self._owner = [], os.getpid()
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index][:2] == (directory, inode):
                    reader = self._idle.pop(index)[2]
                    if reader.alive:
                        return reader
                    reader.close()
        return None

    def _give_back(self, directory: Path, inode: int, reader: Reader) -> None:
        with self._lock:
            self._idle.append((directory, inode, reader))
            free = [idle for idle in self._idle if idle[0] not in self._reserved]
            surplus = free[: max(0, len(free) - self._limit)]
            for idle in surplus:
                self._idle.remove(idle)
        for _, _, old in surplus:
            old.close()


def present(found: Mapping[str, bytes | None]) -> dict[str, bytes] | None:
    """The contents when none is missing, else None."""
    whole = {oid: data for oid, data in found.items() if data is not None}
    return whole if len(whole) == len(found) else None


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    start, size = 0, 0
    for index, name in enumerate(names):
        size += len(name) * 4 + 10  # at most four bytes per character in UTF-8
        if size > _CHUNK and index > start:
            yield names[start:index]
            start, size = index, len(name) * 4 + 10
    if start < len(names):
        yield names[start:]
