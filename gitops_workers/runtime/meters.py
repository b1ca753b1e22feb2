"""Port `Meter`: what this process has done since it last told the store."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextvars import ContextVar

from gitops_workers.core.model import AppId
from gitops_workers.core.telemetry.figures import Sample

_WORKS_FOR: ContextVar[tuple[AppId, str]] = ContextVar("works_for", default=("", ""))


class ProcessMeter:
    """Sums in memory; threads share it. Nothing here speaks to the store: the heartbeat takes the sums along."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[Sample, float] = {}
        self._own: dict[Sample, float] | None = None

    def keep(self) -> None:
        """Remember what was taken, too: for a process whose own figures are scraped."""
        with self._lock:
            self._own = {}

    def work_for(self, app: AppId, project: str) -> None:
        """See port."""
        _WORKS_FOR.set((app, project))

    @property
    def app(self) -> tuple[AppId, str]:
        """See port."""
        return _WORKS_FOR.get()

    def add(self, samples: Iterable[tuple[Sample, float]]) -> None:
        """See port."""
        with self._lock:
            _add(self._pending, samples)

    def take(self) -> Mapping[Sample, float]:
        """What was added since the last call."""
        with self._lock:
            taken, self._pending = self._pending, {}
            if self._own is not None:
                _add(self._own, taken.items())
            return taken

    def give_back(self, taken: Mapping[Sample, float]) -> None:
        """What the store did not take: the next call of `take` has it again."""
        with self._lock:
            _add(self._pending, taken.items())
            if self._own is not None:
                _add(self._own, ((sample, -amount) for sample, amount in taken.items()))

    def own(self) -> Mapping[Sample, float]:
        """All that this process has done since `keep`."""
        with self._lock:
            sums = dict(self._own or {})
            _add(sums, self._pending.items())
            return sums


def _add(sums: dict[Sample, float], samples: Iterable[tuple[Sample, float]]) -> None:
    for sample, amount in samples:
        sums[sample] = sums.get(sample, 0.0) + amount


METER = ProcessMeter()
"""The one of this process."""
