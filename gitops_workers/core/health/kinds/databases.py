"""Databases and stores: Percona, CloudNativePG, Zalando, Atlas, ClickHouse, MinIO, Solr, ZooKeeper."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    has,
    healthy,
    lacks,
    progressing,
    suspended,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

REPORT = (
    "Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues"
)
"""What Argo CD's rules add to a state that they do not know."""

_NODES = "{status.ready}/{status.size} node(s) are ready"


def _failed_percona(obj: Manifest) -> Health | None:
    if read(obj, "status.state") != "error":
        return None
    said = read(obj, "status.message")
    message = ", ".join(map(str, said)) if isinstance(said, list) else text(obj, "status.message")
    return Health(HealthStatus.DEGRADED, f"Cluster is on error: {message}")


_PXC = (
    progressing(_NODES, has("status.state", "initializing")),
    healthy(_NODES, has("status.state", "ready")),
    unknown("Cluster is paused", has("status.state", "paused")),
    degraded(f"Cluster is stopping ({_NODES})", has("status.state", "stopping")),
    _failed_percona,
    unknown(f"Cluster status is unknown. {REPORT}"),
)
_PSMDB: Rule = (
    unknown("Cluster status is unknown", has("status", None)),
    progressing(_NODES, has("status.state", "initializing", "stopping")),
    healthy(_NODES, has("status.state", "ready")),
    degraded(_NODES, has("status.state", "error")),
    suspended(_NODES, has("status.state", "paused")),
    unknown(_NODES),
)

_CNPG_WORKING = (
    "Setting up primary",
    "Creating a new replica",
    "Upgrading cluster",
    "Waiting for the instances to become active",
    "Promoting to primary cluster",
)
_CNPG_DEGRADED = (
    "Switchover in progress",
    "Failing over",
    "Upgrading Postgres major version",
    "Cluster upgrade delayed",
    "Waiting for user action",
    "Primary instance is being restarted in-place",
    "Primary instance is being restarted without a switchover",
    "Cluster cannot execute instance online upgrade due to missing architecture binary",
    "Online upgrade in progress",
    "Applying configuration",
)
_CNPG_STOPPED = (
    "Unable to create required cluster objects",
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster has incomplete or invalid image catalog",
    "Cluster is unrecoverable and needs manual intervention",
)
_HIBERNATION = "@'cnpg.io/hibernation'"
_CNPG: Rule = (
    suspended(
        "Cluster reconciliation is suspended", has("metadata.annotations.'cnpg.io/reconciliationLoop'", "disabled")
    ),
    progressing("{status.phaseReason}", has("status.conditions", None)),
    suspended(f"{{{_HIBERNATION}.message}}", true("cnpg.io/hibernation")),
    degraded(f"{{{_HIBERNATION}.message}}", lacks(_HIBERNATION, None)),
    healthy("{status.phaseReason}", has("status.phase", "Cluster in healthy state")),
    progressing("{status.phaseReason}", has("status.phase", *_CNPG_WORKING)),
    degraded("{status.phaseReason}", has("status.phase", *_CNPG_DEGRADED)),
    suspended("{status.phaseReason}", has("status.phase", *_CNPG_STOPPED)),
    unknown("{status.phaseReason}"),
)


_MINIO_BROKEN = (
    "Statefulset not controlled by operator",
    "Another MinIO Tenant already exists in the namespace",
    "Different versions across MinIO Pools",
    "Pool Decommissioning Not Allowed",
    "Tenant credentials are not set properly",
)
_STATE = "{status.currentState}"
_MINIO: Rule = (
    progressing("No status info available", has("status.currentState", None)),
    healthy(_STATE, has("status.currentState", "Initialized")),
    degraded(_STATE, has("status.currentState", *_MINIO_BROKEN)),
    progressing(_STATE),
)


def _clickhouse(name: str) -> tuple[Step, ...]:
    return (
        progressing(f"{name} status not yet available", has("status.status", None)),
        healthy(f"{name} installation completed successfully", has("status.status", "Completed")),
        progressing(f"{name} installation in progress", has("status.status", "InProgress")),
        degraded(f"{name} status: {{status.status}}"),
    )


_SOLR: Rule = (
    progressing("Waiting for solr to exist", has("status.solrNodes", None)),
    progressing("Not all replicas are ready", lambda obj: not all(map(_ready, items(obj, "status.solrNodes")))),
    healthy("Solr is ready"),
)


def _ready(node: object) -> bool:
    return read(node, "ready") not in (None, False)


_POSTGRES = "{status.PostgresClusterStatus}"
_ZALANDO: Rule = (
    progressing("Waiting for postgres cluster status...", has("status.PostgresClusterStatus", None)),
    healthy(_POSTGRES, has("status.PostgresClusterStatus", "Running")),
    progressing(_POSTGRES, has("status.PostgresClusterStatus", "Creating", "Updating")),
    degraded(_POSTGRES),
)
_ATLAS = (
    progressing("Waiting for Atlas Operator", has("@Ready", None)),
    healthy("{@Ready.reason}", true("Ready")),
)

RULES: Table = {
    "pxc.percona.com/PerconaXtraDBCluster": _PXC,
    "psmdb.percona.com/PerconaServerMongoDB": _PSMDB,
    "postgresql.cnpg.io/Cluster": _CNPG,
    "acid.zalan.do/postgresql": _ZALANDO,
    "db.atlasgo.io/AtlasSchema": (
        *_ATLAS,
        progressing("{@Ready.reason}", has("@Ready.message", "Reconciling", "GettingDevDB")),
        degraded("{@Ready.reason}"),
    ),
    "db.atlasgo.io/AtlasMigration": (
        *_ATLAS,
        progressing("{@Ready.reason}", has("@Ready.reason", "Reconciling")),
        degraded("{@Ready.reason}"),
    ),
    "clickhouse-keeper.altinity.com/ClickHouseKeeperInstallation": _clickhouse("ClickHouseKeeper"),
    "clickhouse.altinity.com/ClickHouseInstallation": _clickhouse("ClickHouse"),
    "minio.min.io/Tenant": _MINIO,
    "solr.apache.org/SolrCloud": _SOLR,
    "zookeeper.pravega.io/ZookeeperCluster": (
        healthy(
            "All ZK Nodes have joined the ensemble",
            lambda obj: number(obj, "status.replicas") > 0,
            lambda obj: read(obj, "status.readyReplicas") == read(obj, "status.replicas"),
        ),
        progressing("Waiting for ZK Nodes to join the ensemble"),
    ),
}
