"""The lease of one attempt, kept while it works. An attempt that has lost it stops before its next write."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_workers.core.errors import Superseded
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import Attempt


@contextlib.contextmanager
def kept(context: Context, attempt: Attempt) -> Iterator[None]:
    """Renew the lease as long as the block runs: a poll waits for servers, which may take longer than a lease.

    Without it a poll that waits would be rung again and again, and each of them would wait as well. A process that
    dies or is frozen renews nothing.
    """
    over = threading.Event()

    def renew() -> None:
        while not over.wait(context.lease / 3):
            if not context.queue.renew(attempt, context.lease):
                return

    thread = threading.Thread(target=renew, name=f"lease of {attempt.app}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


@dataclass(slots=True)
class Lease:
    """Asks the queue at most three times per lease, by the process' own clock. Not shared between threads."""

    context: Context
    attempt: Attempt
    _renewed_at: float = -math.inf
    """Not yet: what was done before the first `keep` may have taken longer than the lease."""

    def keep(self) -> None:
        """Renew it when a third has passed. Raises Superseded when it is somebody else's now."""
        if self.context.clock() - self._renewed_at < self.context.lease / 3:
            return
        if not self.context.queue.renew(self.attempt, self.context.lease):
            raise Superseded(f"{self.attempt.app}: the lease was lost; its new holder goes on.")
        self._renewed_at = self.context.clock()

    def prove(self) -> None:
        """Renew it now, however lately that was done."""
        self._renewed_at = -math.inf
        self.keep()
