"""What the listings show of each kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gitops_workers.cli.cells import age, revision, short, shortened
from gitops_workers.cli.output import Column, View
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.status.rows import ClusterView, Event, ResourceView, Status
from gitops_workers.core.status.trouble import failing, reason
from gitops_workers.services.history import Deployment

Json = Mapping[str, Any]


def applications(now: datetime | None = None) -> View[Status]:
    """Applications; AGE is how long the row has looked like this."""
    moment = now or datetime.now(UTC)
    return View(
        columns=[
            Column("NAME", lambda row: row.id),
            Column("SYNC", lambda row: believed(row.sync.value, row)),
            Column("HEALTH", lambda row: "Suspended" if row.suspended else believed(row.health.value, row)),
            Column("OUTCOME", lambda row: row.operation.phase.value if row.operation else "-"),
            Column("REVISION", lambda row: revision(row.ref, row.revision)),
            Column("CLUSTER", lambda row: row.cluster or "-"),
            Column("NAMESPACE", lambda row: row.namespace or "-"),
            Column("AGE", lambda row: age(row.changed_at, moment)),
            Column("REASON", lambda row: shortened(reason(row)) if failing(row) else ""),
            Column("DIALECT", lambda row: row.dialect, wide=True),
            Column("PROJECT", lambda row: row.project, wide=True),
            Column("CHECKED", lambda row: age(row.last_checked_at, moment), wide=True),
            Column("REPOSITORY", lambda row: without_credentials(row.repository), wide=True),
            Column("PATH", lambda row: row.path, wide=True),
            Column("MESSAGE", reason, wide=True),
        ],
        name=lambda row: row.id,
        to_json=lambda row: row.to_json(),
        nothing="no applications: none is declared, or none fits the filters",
    )


RESOURCES: View[ResourceView] = View(
    columns=[
        Column("KIND", lambda row: f"{row.kind}.{row.group}" if row.group else row.kind),
        Column("NAMESPACE", lambda row: row.namespace or "-"),
        Column("NAME", lambda row: row.name),
        Column("STATUS", lambda row: row.status.value),
        Column("HEALTH", lambda row: row.health.value if row.health else "-"),
        Column("MESSAGE", lambda row: row.message),
        Column("VERSION", lambda row: row.version, wide=True),
        Column("WAVE", lambda row: row.sync_wave, wide=True),
    ],
    name=lambda row: f"{row.kind}/{row.namespace}/{row.name}" if row.namespace else f"{row.kind}/{row.name}",
    to_json=lambda row: row.to_json(),
    nothing="no objects are known yet",
)


HISTORY: View[Deployment] = View(
    columns=[
        Column("ID", lambda row: row.id),
        Column("DEPLOYED", lambda row: row.deployed_at),
        Column("REVISION", lambda row: revision(row.ref, row.revision)),
        Column("BY", lambda row: row.initiated_by),
        Column("OUTCOME", lambda row: row.outcome),
        Column("ROLLBACK", lambda row: row.rollback),
        Column("COMMIT", lambda row: row.revision, wide=True),
    ],
    name=lambda row: str(row.id),
    to_json=lambda row: row.to_json(),
    nothing="nothing has been deployed yet",
)


def clusters(now: datetime | None = None) -> View[ClusterView]:
    """Clusters with their queue figures."""
    moment = now or datetime.now(UTC)
    return View(
        columns=[
            Column("NAME", lambda row: row.name),
            Column("STATE", _reachable),
            Column("FLEET", lambda row: row.fleet),
            Column("APPLICATIONS", lambda row: row.applications),
            Column("WAITING", lambda row: row.queue_depth),
            Column("IN WORK", lambda row: row.in_flight),
            Column("LAG", lambda row: f"{row.lag:.1f}s"),
            Column("WORKERS", lambda row: row.workers),
            Column("SERVER", lambda row: without_credentials(row.server), wide=True),
            Column("VERSION", lambda row: row.version or "-", wide=True),
            Column("CHECKED", lambda row: age(row.checked_at, moment), wide=True),
            Column("MESSAGE", lambda row: row.message or row.unserved, wide=True),
        ],
        name=lambda row: row.name,
        to_json=lambda row: row.to_json(),
        nothing="no clusters: GITOPS_KUBECONFIG names none, or the catalogue has not been read yet",
    )


def believed(word: str, row: Status) -> str:
    """A word of a row, marked where it is too old to be relied upon."""
    return f"{word} (stale)" if row.stale else word


def _reachable(row: ClusterView) -> str:
    if row.unserved:
        return "no worker"
    return {True: "reachable", False: "unreachable", None: "-"}[row.reachable]


EVENTS: View[Event] = View(
    columns=[
        Column("TIME", lambda row: row.at),
        Column("TYPE", lambda row: row.type),
        Column("APPLICATION", lambda row: row.app),
        Column("REASON", lambda row: row.reason),
        Column("BY", lambda row: row.by or "-", wide=True),
        Column("FROM", lambda row: row.source or "-", wide=True),
        Column("OPERATION", lambda row: row.operation or "-", wide=True),
        Column("MESSAGE", lambda row: row.message),
    ],
    name=lambda row: row.app,
    to_json=lambda row: row.to_json(),
    nothing="no events",
)


REPOSITORIES: View[Json] = View(
    columns=[
        Column("URL", lambda row: row["url"]),
        Column("APPLICATIONS", lambda row: row["applications"]),
        Column("SYNCED", lambda row: row["synced"]),
        Column("REVISIONS", lambda row: ", ".join(row["refs"]) or "-"),
        Column("LAST COMMITS", lambda row: ", ".join(map(short, row["commits"])) or "-", wide=True),
        Column("MESSAGE", lambda row: row["message"], wide=True),
    ],
    name=lambda row: str(row["url"]),
    to_json=dict,
    nothing="no repositories: no application is declared",
)
