"""Heartbeats and figures of all processes, brought together in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gitops_workers.core.model import AppId
from gitops_workers.core.telemetry.figures import Sample
from gitops_workers.core.telemetry.presence import Presence, Process


class Telemetry(Protocol):
    """Where processes say that they are there and what they have done: one small write per process and ten seconds."""

    def report(self, process: Process, added: Mapping[Sample, float], settings: str = "") -> None:
        """This process is there, and has done so much more since its last report; in one round trip.

        `settings`: the digest of the installation's settings that it reads, "" where it reads none.
        A report whose answer is lost may have been taken: whoever sends it again may count twice, never too little.
        """

    def leave(self, process: Process) -> None:
        """This process ends: it does not count from now on."""

    def presence(self) -> Presence:
        """Everybody's heartbeats."""

    def figures(self, apps: Sequence[AppId]) -> Mapping[Sample, float]:
        """The sums over all processes since the store was last empty: the installation's and these applications'."""


class Meter(Protocol):
    """Where a process adds up what it does: in memory, for a lock and a dictionary's price."""

    def add(self, samples: Iterable[tuple[Sample, float]]) -> None:
        """Add what `core.telemetry.figures.counted` or `observed` say."""

    def work_for(self, app: AppId, project: str) -> None:
        """From now on this thread works for an application of this project, or for none ("")."""

    @property
    def app(self) -> tuple[AppId, str]:
        """For whom this thread works, and of which project that is."""
