"""What a cluster in memory shares with its records: one lock, one counter, the faults to come."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from gitops_workers.core.errors import GitOpsError


@dataclass(slots=True)
class Fault:
    """An error that the next request of its verb (any, where empty) meets."""

    error: GitOpsError
    verb: str


@dataclass(slots=True)
class Life:
    """What is shared by a cluster and its records: one lock, one counter, the faults to come."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 0
    faults: deque[Fault] = field(default_factory=deque)
    requests: Counter[str] = field(default_factory=Counter)

    def tick(self) -> str:
        """The next resourceVersion."""
        self.version += 1
        return str(self.version)

    def enter(self, verb: str) -> None:
        """Count a request, or let it meet its fault."""
        self.requests[verb] += 1
        for fault in self.faults:
            if fault.verb in ("", verb):
                self.faults.remove(fault)
                raise fault.error
