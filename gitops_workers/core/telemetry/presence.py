"""Which processes of an installation are there: what their heartbeats say, and whom they leave without service.

A queue that nobody takes from looks like a quiet one. So each process writes a heartbeat into the store, and whoever
shows statuses asks here whether anybody is left who could change them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_workers.core.text.timefmt import since

BEAT_SECONDS = 10.0
"""Between two heartbeats of a process: a tenth of a promille of a core."""
ABSENT_SECONDS = 35.0
"""A process is absent after three heartbeats that did not come."""
BEAT = "beat"
WORKER = "worker"
CONTROL = "control"
"""The Celery queue of polls."""
FLEET_PREFIX = "fleet."
"""Before a fleet's name in its Celery queue's."""


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A process of the installation. `role`: beat or worker; `queues`: the Celery queues that a worker takes from.

    `isolation`: the names of the means (`core.render.isolation`) that keep a worker's renders apart from its host.
    """

    role: str
    name: str
    queues: tuple[str, ...] = ()
    isolation: tuple[str, ...] = field(default=(), compare=False)

    @property
    def duties(self) -> tuple[str, ...]:
        """What nobody does any more when the last process with this duty is gone."""
        return (BEAT,) if self.role == BEAT else self.queues


@dataclass(frozen=True, slots=True)
class Presence:
    """The heartbeats of a moment. Times are epoch seconds of the store's clock."""

    now: float
    processes: Mapping[Process, float] = field(default_factory=dict)
    """When each was last heard of; those that said goodbye are not among them."""
    last: Mapping[str, float] = field(default_factory=dict)
    """When somebody with a duty was last heard of, however long ago."""
    readings: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """When a process (its name) last told that it reads settings of this digest; those that left are among them."""

    def present(self, duty: str) -> tuple[Process, ...]:
        """The processes with this duty that are alive, by name."""
        return tuple(sorted(one for one in self._alive() if duty in one.duties))

    def alive(self, role: str) -> tuple[Process, ...]:
        """The processes with this role that are alive, by name."""
        return tuple(sorted(one for one in self._alive() if one.role == role))

    def reading(self, process: Process) -> str:
        """The digest of the settings that came with its last heartbeat; "" where that told none."""
        last = self.processes.get(process)
        return next((digest for (name, digest), at in self.readings.items() if name == process.name and at == last), "")

    def workers(self, fleet: str) -> int:
        """How many workers serve a fleet."""
        return len(self.present(FLEET_PREFIX + fleet))

    @property
    def fleets(self) -> tuple[str, ...]:
        """The fleets that were ever served."""
        return tuple(sorted(duty.removeprefix(FLEET_PREFIX) for duty in self.last if duty.startswith(FLEET_PREFIX)))

    def absence(self, duty: str) -> str:
        """The sentence about a duty that nobody does, "" when somebody does it."""
        if self.present(duty):
            return ""
        who, effect = _words(duty)
        last = self.last.get(duty)
        if last is None:
            return f"no {who} has been seen yet: {effect}"
        return f"no {who} since {since(last, self.now)}: {effect}"

    def unserved(self, fleet: str) -> str:
        """The sentence about a fleet that no worker serves, "" when one does."""
        return self.absence(FLEET_PREFIX + fleet)

    def absences(self, fleets: Iterable[str]) -> Sequence[str]:
        """A sentence for each duty that nobody does: of beat, of polls and of these fleets."""
        duties = [BEAT, CONTROL, *(FLEET_PREFIX + fleet for fleet in sorted(set(fleets)))]
        return tuple(text for duty in duties if (text := self.absence(duty)))

    def _alive(self) -> list[Process]:
        return [one for one, at in self.processes.items() if self.now - at <= ABSENT_SECONDS]


def _words(duty: str) -> tuple[str, str]:
    if duty == BEAT:
        return "beat", "nothing is looked at when it is due; start `python -m gitops_workers.process beat`"
    if duty.startswith(FLEET_PREFIX):
        fleet = duty.removeprefix(FLEET_PREFIX)
        return (
            f"worker of fleet {fleet}",
            f"its applications stay as they are; start `python -m gitops_workers.process worker --fleet {fleet}`",
        )
    return f"worker of queue {duty}", "repositories and clusters are not polled; start a worker"
