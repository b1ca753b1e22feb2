"""What everybody sees of an application: the JSON of CLI, API and pages, in one shape.

Times are RFC 3339 UTC text. `resources` and `history` are read on their own, so that a listing stays small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_workers.core.model import AppId, Condition, HealthStatus, Phase, SyncStatus
from gitops_workers.core.source.urls import without_credentials


@dataclass(frozen=True, slots=True)
class OperationView:
    """The last or the running operation."""

    phase: Phase
    message: str
    revision: str
    started_at: str
    finished_at: str = ""
    initiated_by: str = ""
    retries: int = 0
    id: str = ""
    """The operation's own name: log lines and events of the operation bear it."""

    def to_json(self) -> dict[str, Any]:
        """The shape of design section 9."""
        return {
            "id": self.id,
            "phase": self.phase.value,
            "message": self.message,
            "revision": self.revision,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at or None,
            "initiatedBy": self.initiated_by,
            "retryCount": self.retries,
        }


LEFT_GIT = "No longer in Git: requires pruning."
"""The message of an object that the application has given up."""


@dataclass(frozen=True, slots=True)
class ResourceView:
    """One object of an application. `diff` is a unified diff with Secrets masked, empty where there is none."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    status: SyncStatus
    health: HealthStatus | None
    message: str = ""
    sync_wave: int = 0
    diff: str = ""

    def to_json(self) -> dict[str, Any]:
        """The shape of design section 9; `diff` is asked for separately."""
        return {
            "group": self.group,
            "version": self.version,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "status": self.status.value,
            "health": self.health.value if self.health else None,
            "message": self.message,
            "syncWave": self.sync_wave,
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """What the dry run of the request with this id would change."""

    id: str
    resources: tuple[ResourceView, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """An application's row: small, written by one writer, indexed by the state store."""

    id: AppId
    dialect: str
    project: str
    cluster: str
    namespace: str
    repository: str
    path: str
    sync: SyncStatus = SyncStatus.UNKNOWN
    revision: str = ""
    ref: str = ""
    health: HealthStatus = HealthStatus.UNKNOWN
    health_message: str = ""
    operation: OperationView | None = None
    conditions: tuple[Condition, ...] = ()
    suspended: bool = False
    message: str = ""
    """The reason of the last decision, one sentence."""
    last_checked_at: str = ""
    next_due_at: str = ""
    changed_at: str = ""
    """When sync, health or the operation last changed: the age that listings sort by."""
    group: str = ""
    """Its cluster group (`core.scheduling.poll_groups`): a quiet round of the group moves `last_checked_at` of all its
    rows.
    """
    interval: float = 0.0
    """Seconds between two looks at most; 0 is not known."""
    attempt: int = 0
    """The attempt that wrote the row, as events and lines of the log name it; 0: none did."""
    stale: bool = False
    """No attempt has looked at it for twice the interval. The store says so of every row it gives out, and never keeps
    it.
    """

    def to_json(self) -> dict[str, Any]:
        """The shape of design section 9, with `message`, `changedAt` and the source beside it.

        A repository URL never shows the login that somebody wrote into it.
        """
        return {
            "id": self.id,
            "dialect": self.dialect,
            "project": self.project,
            "destination": {"cluster": self.cluster, "namespace": self.namespace},
            "sync": {"status": self.sync.value, "revision": self.revision, "ref": self.ref},
            "health": {"status": self.health.value, "message": self.health_message},
            "operation": self.operation.to_json() if self.operation else None,
            "conditions": [{"type": item.type, "message": item.message} for item in self.conditions],
            "suspended": self.suspended,
            "message": self.message,
            "lastCheckedAt": self.last_checked_at or None,
            "nextDueAt": self.next_due_at or None,
            "changedAt": self.changed_at or None,
            "attempt": self.attempt,
            "stale": self.stale,
            "sources": [{"repoURL": without_credentials(self.repository), "path": self.path}],
        }


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster's row on the Clusters page. `lag` is how many seconds the oldest due item has waited."""

    name: str
    server: str
    fleet: str
    reachable: bool | None
    message: str
    applications: int
    queue_depth: int
    in_flight: int
    lag: float
    checked_at: str
    version: str = ""
    kinds: int = 0
    """How many kinds it serves, as last discovered."""
    objects: int = 0
    """How many managed objects the last poll has listed."""
    workers: int = 0
    """How many serve its fleet at this moment."""
    unserved: str = ""
    """Since when nobody serves its fleet, one sentence; "" while somebody does."""

    def to_json(self) -> dict[str, Any]:
        """What `GET /api/v1/clusters` returns for it."""
        return {
            "name": self.name,
            "server": self.server,
            "fleet": self.fleet,
            "reachable": self.reachable,
            "message": self.message,
            "applications": self.applications,
            "queueDepth": self.queue_depth,
            "inFlight": self.in_flight,
            "lagSeconds": round(self.lag, 3),
            "checkedAt": self.checked_at or None,
            "version": self.version,
            "workers": self.workers,
            "unserved": self.unserved or None,
        }


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an application; kept in a capped stream, newest last.

    Two events may say the same words: each has its own `id`, which the store gives when it takes the event.
    """

    at: str
    app: AppId
    type: str
    """`Normal`, or `Warning` where somebody should look, as in Kubernetes."""
    reason: str
    message: str
    id: str = ""
    operation: str = ""
    """The id of the operation that it is about."""
    request: str = ""
    """The id of the request that it is about."""
    by: str = ""
    """The user who asked."""
    source: str = ""
    """Where they asked from: an address, or a host's name."""
    revision: str = ""
    attempt: int = 0
    """The attempt in whose course it happened, as lines of the log name it; 0: none."""

    def to_json(self) -> dict[str, Any]:
        """The event as `events` and the API print it."""
        return {
            "id": self.id,
            "at": self.at,
            "app": self.app,
            "type": self.type,
            "reason": self.reason,
            "message": self.message,
            "operation": self.operation,
            "request": self.request,
            "by": self.by,
            "source": self.source,
            "revision": self.revision,
            "attempt": self.attempt,
        }
