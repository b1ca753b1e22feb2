"""Databases: MariaDB, Percona, CloudNativePG, Zalando, Atlas, ClickHouse, Elastic, MinIO, Solr."""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    degraded,
    empty,
    false,
    filled,
    has,
    healthy,
    items,
    joined,
    progressing,
    read,
    reason,
    suspended,
    text,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_REPORT = (
    "Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues"
)

_MARIADB: Rule = (
    progressing("No status info available", empty("status.conditions")),
    healthy("{@Ready.message}", true("Ready")),
    degraded("{@Ready.message}", false("Ready"), reason("Ready", "Failed")),
    progressing("{@Ready.message}"),
)
_MARIADB_JOB: Rule = (
    progressing("No status info available", empty("status.conditions")),
    healthy("{@Complete.reason} {@Complete.message}", true("Complete")),
    degraded("{@Complete.reason} {@Complete.message}", reason("Complete", "JobFailed", "CronJobFailed", "Failed")),
    progressing("{@Complete.reason} {@Complete.message}"),
)
_MARIADB_OBJECT: Rule = (
    progressing("No status info available", empty("status.conditions")),
    healthy("{@Ready.message}", true("Ready")),
    degraded("{@Ready.message}", false("Ready")),
    progressing("{@Ready.message}"),
)


def _percona(*more: Step) -> tuple[Step, ...]:
    nodes = "{status.ready}/{status.size} node(s) are ready"
    return (
        progressing("Cluster is initializing", empty("status.state")),
        progressing(nodes, has("status.state", "initializing")),
        healthy(nodes, has("status.state", "ready")),
        *more,
        unknown(f"Cluster status is unknown. {_REPORT}"),
    )


def _failed_percona(obj: Manifest) -> Health | None:
    if read(obj, "status.state") != "error":
        return None
    said = read(obj, "status.message")
    message = ", ".join(map(str, said)) if isinstance(said, list) else text(obj, "status.message")
    return Health(HealthStatus.DEGRADED, f"Cluster is on error: {message}")


_NODES = "{status.ready}/{status.size} node(s) are ready"
_CNPG_WORKING = (
    "Setting up primary",
    "Creating a new replica",
    "Upgrading cluster",
    "Upgrading Postgres major version",
    "Waiting for the instances to become active",
    "Promoting to primary cluster",
    "Online upgrade in progress",
    "Applying configuration",
    "Switchover in progress",
    "Failing over",
    "Primary instance is being restarted in-place",
    "Primary instance is being restarted without a switchover",
    "Cluster upgrade delayed",
)
_CNPG_WAITING = ("Waiting for user action",)
_CNPG: Rule = (
    suspended(
        "Cluster reconciliation is suspended", has("metadata.annotations.'cnpg.io/reconciliationLoop'", "disabled")
    ),
    suspended("{@'cnpg.io/hibernation'.message?Cluster has been hibernated}", true("cnpg.io/hibernation")),
    progressing("{@'cnpg.io/hibernation'.message}", false("cnpg.io/hibernation")),
    progressing("Waiting for the cluster to be observed", empty("status.phase")),
    healthy("{@Ready.message}", has("status.phase", "Cluster in healthy state")),
    progressing("{status.phaseReason|status.phase}", has("status.phase", *_CNPG_WORKING)),
    suspended("{status.phaseReason|status.phase}", has("status.phase", *_CNPG_WAITING)),
    degraded("{status.phaseReason|status.phase}"),
)


def _elastic(name: str, *, waiting: str = "") -> tuple[Step, ...]:
    """Green, yellow, red. The first report may take a while, then `waiting` says so."""
    return (
        *((progressing(waiting, empty("status.health")),) if waiting else ()),
        healthy(f"{name} status is Green", has("status.health", "green")),
        progressing(f"{name} status is Yellow", has("status.health", "yellow")),
        degraded(f"{name} status is Red", has("status.health", "red")),
        unknown(f"{name} status is unknown. {_REPORT}"),
    )


_ELASTICSEARCH: Rule = (
    progressing("Elasticsearch phase is {status.phase}", has("status.phase", "ApplyingChanges", "MigratingData")),
    degraded("Elasticsearch phase is {status.phase}", has("status.phase", "Invalid")),
    *_elastic("Elasticsearch Cluster"),
)

_MINIO_WORKING = ("Provisioning", "Updating", "Waiting", "Restarting", "Creating", "Adding")


def _minio_works(obj: Manifest) -> bool:
    return text(obj, "status.currentState").startswith(_MINIO_WORKING)


def _clickhouse(name: str) -> tuple[Step, ...]:
    said = f"{name} installation"
    return (
        healthy(f"{said} completed successfully", has("status.status", "Completed")),
        progressing(f"{said} in progress", has("status.status", "InProgress")),
        degraded(f"{said} aborted", has("status.status", "Aborted")),
        progressing(f"{said} is terminating", has("status.status", "Terminating")),
        progressing(f"Waiting for {name} installation", empty("status.status")),
        unknown(f"{said} status is {{status.status}}"),
    )


def solr(obj: Manifest) -> Health:
    """Every node that it wants is ready and runs the version it should."""
    if not isinstance(obj.get("status"), dict):
        return Health(HealthStatus.PROGRESSING, "Waiting for solr to exist")
    if any(read(node, "ready") is not True for node in items(obj, "status.solrNodes")):
        return Health(HealthStatus.PROGRESSING, "Not all replicas are ready")
    if (read(obj, "status.readyReplicas") or 0) != (read(obj, "status.replicas") or 0):
        return Health(HealthStatus.PROGRESSING, "Not all replicas are ready")
    return Health(HealthStatus.HEALTHY, "Solr is healthy")


def _zalando(*states: str) -> Callable[[Manifest], bool]:
    return has("status.PostgresClusterStatus", *states)


_ATLAS: Rule = (
    healthy("{@Ready.reason}", true("Ready")),
    progressing("{@Ready.reason}", false("Ready"), reason("Ready", "Reconciling")),
    degraded("{@Ready.reason}", false("Ready")),
    progressing("Waiting for reconciliation"),
)

RULES: Table = dict(
    (
        *joined(
            "k8s.mariadb.com",
            {
                "MariaDB MaxScale": _MARIADB,
                "Backup Restore SqlJob PhysicalBackup": _MARIADB_JOB,
                "User Grant Database Connection ExternalMariaDB": _MARIADB_OBJECT,
            },
        ),
        ("mariadb.mmontes.io/MariaDB", _MARIADB),
        (
            "pxc.percona.com/PerconaXtraDBCluster",
            _percona(
                _failed_percona,
                unknown("Cluster is paused", has("status.state", "paused")),
                progressing(f"Cluster is stopping ({_NODES})", has("status.state", "stopping")),
            ),
        ),
        (
            "psmdb.percona.com/PerconaServerMongoDB",
            _percona(
                _failed_percona,
                suspended(_NODES, has("status.state", "paused")),
                progressing(_NODES, has("status.state", "stopping")),
            ),
        ),
        ("postgresql.cnpg.io/Cluster", _CNPG),
        (
            "acid.zalan.do/postgresql",
            (
                healthy("{status.PostgresClusterStatus}", _zalando("Running")),
                degraded(
                    "{status.PostgresClusterStatus}", _zalando("CreateFailed", "UpdateFailed", "SyncFailed", "Invalid")
                ),
                progressing("{status.PostgresClusterStatus}", filled("status.PostgresClusterStatus")),
                progressing("Waiting for the cluster to be observed"),
            ),
        ),
        *joined("db.atlasgo.io", {"AtlasMigration AtlasSchema": _ATLAS}),
        ("clickhouse-keeper.altinity.com/ClickHouseKeeperInstallation", _clickhouse("ClickHouseKeeper")),
        ("clickhouse.altinity.com/ClickHouseInstallation", _clickhouse("ClickHouse")),
        ("elasticsearch.k8s.elastic.co/Elasticsearch", _ELASTICSEARCH),
        ("beat.k8s.elastic.co/Beat", _elastic("Elastic Beat")),
        ("agent.k8s.elastic.co/Agent", _elastic("Elastic Agent")),
        ("kibana.k8s.elastic.co/Kibana", _elastic("Kibana")),
        ("logstash.k8s.elastic.co/Logstash", _elastic("Logstash", waiting="Waiting for Logstash")),
        (
            "minio.min.io/Tenant",
            (
                progressing("Waiting for the tenant to be observed", empty("status.currentState")),
                healthy("{status.currentState}", has("status.currentState", "Initialized")),
                progressing("{status.currentState}", _minio_works),
                degraded("{status.currentState}"),
            ),
        ),
        ("solr.apache.org/SolrCloud", solr),
        (
            "zookeeper.pravega.io/ZookeeperCluster",
            (
                healthy(
                    "All ZK Nodes have joined the ensemble",
                    filled("status.replicas"),
                    lambda obj: read(obj, "status.readyReplicas") == read(obj, "status.replicas"),
                ),
                progressing("Waiting for ZK Nodes to join the ensemble"),
            ),
        ),
    )
)
