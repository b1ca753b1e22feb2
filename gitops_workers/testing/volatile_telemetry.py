"""Port `Telemetry` in memory: the twin of `redis_telemetry`, for tests and one-process commands."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gitops_workers.core.model import AppId
from gitops_workers.core.telemetry.figures import Sample
from gitops_workers.core.telemetry.presence import Presence, Process


class VolatileTelemetry:
    """Everything in dictionaries, with the clock given."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives epoch seconds."""
        self._clock = clock
        self._processes: dict[Process, float] = {}
        self._last: dict[str, float] = {}
        self._readings: dict[tuple[str, str], float] = {}
        self._figures: Counter[Sample] = Counter()
        self._lock = threading.Lock()

    def report(self, process: Process, added: Mapping[Sample, float], settings: str = "") -> None:
        """See port."""
        with self._lock:
            now = self._clock()
            self._processes[process] = now
            self._last.update(dict.fromkeys(process.duties, now))
            if settings:
                self._readings[process.name, settings] = now
            for sample, amount in added.items():
                self._figures[sample] += amount  # type: ignore[assignment]  # a Counter adds any numbers

    def leave(self, process: Process) -> None:
        """See port."""
        with self._lock:
            self._processes.pop(process, None)
            self._last.update(dict.fromkeys(process.duties, self._clock()))

    def presence(self) -> Presence:
        """See port."""
        with self._lock:
            return Presence(self._clock(), dict(self._processes), dict(self._last), dict(self._readings))

    def figures(self, apps: Sequence[AppId]) -> Mapping[Sample, float]:
        """See port."""
        owners = {"", *apps}
        with self._lock:
            return {sample: float(value) for sample, value in self._figures.items() if sample.app in owners}
