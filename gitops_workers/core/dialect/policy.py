"""What may differ between dialects: plain values and functions, grouped by the question that they answer.

The groups hold no state and read no clock. Each field says what the engine does with it; why Argo CD or Flux has its
value stands beside that value, in `argocd` and `flux`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitops_workers.core.model import Application, Health, HealthStatus
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.sync.sync_policy import SyncPolicy

if TYPE_CHECKING:  # these rooms ask for a policy themselves
    from gitops_workers.core.diff.desired import Desired
    from gitops_workers.core.health import Member
    from gitops_workers.core.prune.candidates import Deletion, DeletionPlan
    from gitops_workers.core.prune.deletion import DeletionStage
    from gitops_workers.core.prune.deletion_request import DeletionRequest
    from gitops_workers.core.sync.hooks import Hook
    from gitops_workers.core.sync.options import Options
    from gitops_workers.core.sync.ordering import Task
    from gitops_workers.core.sync.plan import Plan, Stage
    from gitops_workers.core.telemetry.figures import Sample


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """In which order objects are applied and deleted."""

    hooks: bool
    """Whether an object with a hook annotation runs at a point of the sync; else it is applied like any other."""
    stages: Callable[
        [Sequence[Desired], Sequence[Deletion], Sequence[int], Sequence[Hook], Sequence[Deletion]], list[Stage]
    ]
    """The stages of a sync: (desired, deletions, waves of the first deletions, hooks, what is being deleted)."""
    deletion_stages: Callable[[DeletionRequest, DeletionPlan], tuple[DeletionStage, ...]]
    """The stages in which the objects of a deleted application go; none when all that may go has gone."""
    prune_waves: Callable[[Plan, Sequence[Deletion]], Mapping[ObjectKey, int]]
    """The number of the wave or stage in which each delete of a plan is done, for people."""
    place: Callable[[Task], str]
    """Why a task comes where it does, for people."""
    prune_place: str
    """The same for all deletes of a sync."""


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """By which rules objects are healthy, and in which words that is said."""

    of: Callable[[Manifest, float | None], Health | None]
    """The health of a live object at a time (seconds since 1970; None: not known); None where its kind has none."""
    by_rule: Callable[[Manifest, float | None], Health | None]
    """The same by the kind's rule alone, whether the object is being deleted or not."""
    absent: Callable[[ObjectKey, Manifest], Member]
    """How a desired object counts that is not there."""
    ignored: Callable[[Manifest], bool]
    """Whether an object that is there asks not to be counted."""
    aggregated: Callable[[list[Member]], Health]
    """The application's health out of that of its objects."""
    healthy: HealthStatus
    failed: HealthStatus
    deleting: HealthStatus
    always_in_ready: bool
    """Whether what depends on an application waits for its health, or does so only where it has `wait`."""


@dataclass(frozen=True, slots=True)
class OwnershipPolicy:
    """By which marks an application's objects are known, beside our own label."""

    labels: Callable[[Application], Mapping[str, str]]
    annotations: Callable[[Application, ObjectKey], Mapping[str, str]]
    absorbs: Callable[[str, str, bool], bool]
    """Whether an apply takes over what a field manager owns: (manager, apiVersion, whether kubectl's are taken)."""


@dataclass(frozen=True, slots=True)
class OptionsPolicy:
    """How what stands on an object changes the way it is applied and pruned."""

    to_apply: Callable[[SyncPolicy, Manifest, Manifest | None], Options]
    """The options of an object that Git has: (policy, desired, live where it is known)."""
    to_prune: Callable[[SyncPolicy, Manifest], Options]
    """The options of a live object that left Git."""
    live_counts: bool
    """Whether the live object may say that it is not to be applied."""


@dataclass(frozen=True, slots=True)
class DeletionPolicy:
    """What becomes of objects that left Git, and of those of an application that is deleted."""

    leftover_differs: bool
    """Whether what left Git and stays is a difference, listed until it has gone; else it is given up."""
    kept: Callable[[Application, ObjectKey, Manifest, str], str]
    """Why an object outlives its application, "" when it does not: (app, key, live, option `Delete` of the app)."""
    asks: Callable[[Manifest, str], bool]
    """Whether a human must agree before an object goes with its application: (live, option `Delete` of the app)."""
    suspended_gives_up: bool
    """Whether a suspended application that is removed leaves its objects behind; else it stays until it is resumed."""


@dataclass(frozen=True, slots=True)
class MetricsPolicy:
    """Under which names an application is shown, and its attempts and syncs are counted."""

    reconciled: Callable[[Application, str, Callable[[], str], float], Iterator[tuple[Sample, float]]]
    """The figures of an attempt: (app, its manifest's kind, its API server's address, seconds)."""
    gauge: str
    """The gauge that shows an application's state: `telemetry.figures.APP_INFO` or `RESOURCE_INFO`."""
    counts_syncs: bool
    """Whether finished syncs are counted beside attempts."""


@dataclass(frozen=True, slots=True)
class DialectPolicy:
    """All of it for one dialect."""

    order: OrderPolicy
    health: HealthPolicy
    ownership: OwnershipPolicy
    options: OptionsPolicy
    deletion: DeletionPolicy
    metrics: MetricsPolicy
    governed: bool
    """Whether the installation's settings count (`argocd-cm`; how often to look; how long a sync may take)."""
    heals_with_backoff: bool
    """Whether a change in the cluster that comes back again and again is corrected at growing intervals."""
    retry_delay: Callable[[Application, int], float]
    """Seconds until the next try after so many failures in a row."""
    notes_failed_sync: bool
    """Whether an application whose last sync failed has a condition that says so."""
