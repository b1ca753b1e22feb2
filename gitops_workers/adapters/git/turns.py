"""How many reconciles of a process may wait for Git hosts at once.

Each that waits holds a thread, perhaps for a minute, and forty applications on a host that takes connections and never
answers would hold all of them (F24). So a host gets a few threads, all hosts together get half, and whoever finds no
place gives its turn back. Polls are not counted: they have threads of their own and are admitted by host.
What a repository's host did not answer to one, it is not asked by the next for a while.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitops_workers.core.errors import Deferred, HostUnavailable

PATIENCE = 1.0
"""Seconds since when the others may have waited: an answer usually takes less, so a short wait is worth it."""
SILENCE = 30.0
"""Seconds for which a host's silence about a repository is believed; any answer ends it."""


@dataclass(frozen=True, slots=True)
class _Silence:
    until: float
    words: str


class Turns:
    """The places of one process; safe to share between threads."""

    def __init__(self, *, per_host: int, in_all: int, clock: Callable[[], float] = time.monotonic) -> None:
        """So many at once wait for one host, and for all hosts together."""
        self._per_host = per_host
        self._in_all = in_all
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: defaultdict[str, list[float]] = defaultdict(list)
        self._silent: dict[str, _Silence] = {}

    @contextlib.contextmanager
    def taken(self, host: str, repository: str) -> Iterator[None]:
        """Ask the host within a place. Raises Deferred when there is none, HostUnavailable when it was silent."""
        since = self._enter(host, repository)
        try:
            with self.watched(host, repository):
                yield
        finally:
            with self._changed:
                self._waiting[host].remove(since)
                if not self._waiting[host]:
                    del self._waiting[host]
                self._changed.notify_all()

    @contextlib.contextmanager
    def watched(self, host: str, repository: str) -> Iterator[None]:  # noqa: ARG002 - as `taken`
        """Ask the host at any rate, and remember for the others how it went."""
        try:
            yield
        except HostUnavailable as error:
            self._silent[repository] = _Silence(self._clock() + SILENCE, str(error))
            raise
        self._silent.pop(repository, None)

    def _enter(self, host: str, repository: str) -> float:
        with self._changed:
            while True:
                now = self._clock()
                silence = self._silent.get(repository)
                if silence is not None and silence.until > now:
                    raise HostUnavailable(silence.words)
                here = self._waiting.get(host, [])
                everywhere = [since for times in self._waiting.values() for since in times]
                if len(here) < self._per_host and len(everywhere) < self._in_all:
                    self._waiting[host].append(now)
                    return now
                oldest = min(here if len(here) >= self._per_host else everywhere)
                if oldest + PATIENCE <= now:
                    raise Deferred(f"others of this worker wait already for an answer of the Git host {host}")
                self._changed.wait(oldest + PATIENCE - now)
