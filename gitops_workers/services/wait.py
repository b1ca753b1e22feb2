"""What can be waited for, and whether the processes that would do it are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import State, Telemetry
from gitops_workers.services.requests import is_pending

WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.CURRENT})
ILL = frozenset({HealthStatus.DEGRADED, HealthStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Target:
    """A state that applications are waited for to reach. Nothing named: in sync, healthy and at rest.

    Several words for health mean any of them, as in Argo CD.
    """

    sync: bool = False
    health: bool = False
    operation: bool = False
    """Nothing runs and nothing is asked."""
    suspended: bool = False
    degraded: bool = False

    def reached(self, state: State, status: Status) -> bool:
        """Whether an application with this row is in this state now."""
        named = self.sync or self.health or self.operation or self.suspended or self.degraded
        wanted = (WELL if self.health or not named else frozenset()) | (ILL if self.degraded else frozenset())
        wanted |= {HealthStatus.SUSPENDED} if self.suspended else set()
        synced = status.sync is SyncStatus.SYNCED or not (self.sync or not named)
        well = status.health in wanted or not wanted
        # What is in sync and healthy before an operation may not be so after it; what has failed is news at once.
        rests = self.operation or self.sync or self.health or not named
        return synced and well and not (rests and _is_busy(state, status))


def missing_processes(state: State, telemetry: Telemetry, cluster: str = "") -> Sequence[str]:
    """A sentence for each of beat and workers that nobody replaces; of all fleets, or of this cluster's."""
    fleets = [view.fleet for view in state.clusters() if cluster in ("", view.name)]
    return telemetry.presence().absences(fleets)


def _is_busy(state: State, status: Status) -> bool:
    running = status.operation is not None and status.operation.phase is Phase.RUNNING
    return running or is_pending(state, status.id)
