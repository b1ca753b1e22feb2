"""Databases: MariaDB, Percona, CloudNativePG, Zalando, Atlas, ClickHouse, Elastic, MinIO, Solr."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    conditions,
    degraded,
    has,
    healthy,
    items,
    joined,
    lacks,
    met,
    number,
    progressing,
    read,
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
_UNTOLD = progressing("No status info available")

_NO_CONDITIONS = progressing("No status info available", has("status.conditions", None))


def _last(status: HealthStatus, message: str) -> Step:
    """Every condition has passed: what the last one says is told."""
    return conditions(lambda item: Health(status, fill_condition(message, item)), backwards=True)


def fill_condition(message: str, item: object) -> str:
    """The message or the reason and the message of one condition."""
    said = text(item, "message")
    return f"{text(item, 'reason')} {said}" if message == "reason" else said


_MARIADB: Rule = (
    _NO_CONDITIONS,
    conditions(
        degraded("{message}", has("status", "False"), has("reason", "Failed")),
        progressing("{message}", has("status", "False")),
    ),
    _last(HealthStatus.HEALTHY, "message"),
    healthy(),
)
_BACKUP: Rule = (
    _NO_CONDITIONS,
    conditions(
        degraded(
            "{reason} {message}", has("status", "False"), has("reason", "CronJobScheduled"), has("message", "Failed")
        ),
        progressing("{reason} {message}", has("status", "False")),
    ),
    _last(HealthStatus.HEALTHY, "reason"),
    healthy(),
)
_SQL_JOB: Rule = (
    _NO_CONDITIONS,
    conditions(
        healthy("{reason} {message}", has("reason", "JobComplete"), has("status", "True")),
        degraded("{reason} {message}", has("reason", "JobFailed"), has("status", "True")),
    ),
    _last(HealthStatus.PROGRESSING, "reason"),
    _UNTOLD,
)
_MARIADB_OBJECT: Rule = (
    conditions(healthy("{message}", *met("Ready")), degraded("{message}", has("type", "Ready"))),
    _last(HealthStatus.PROGRESSING, "message"),
    _UNTOLD,
)

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
    unknown(f"Cluster status is unknown. {_REPORT}"),
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


def elasticsearch(obj: Manifest) -> Health:
    """All nodes that the sets want are there, then the phase, then the colour."""
    nodes, phase, colour = read(obj, "status.availableNodes"), text(obj, "status.phase"), text(obj, "status.health")
    wanted = sum(number(item, "count") for item in items(obj, "spec.nodeSets"))
    if isinstance(nodes, (int, float)):
        if nodes < wanted:
            message = f"The desired amount of availableNodes is {wanted} but the current amount is {nodes}"
            return Health(HealthStatus.PROGRESSING, message)
        if nodes == wanted and (phase, colour) in _ELASTIC:
            return _ELASTIC[phase, colour]
        if nodes == wanted and colour and phase in _ELASTIC_PHASES:
            return Health(_ELASTIC_PHASES[phase], f"Elasticsearch phase is {phase}")
    return Health(HealthStatus.UNKNOWN, f"Elasticsearch Cluster status is unknown. {_REPORT}")


_CHECK = "Check the status of indices, replicas and shards"
_ELASTIC = {
    ("Ready", "green"): Health(HealthStatus.HEALTHY, "Elasticsearch Cluster status is Green"),
    ("Ready", "yellow"): Health(HealthStatus.PROGRESSING, f"Elasticsearch Cluster status is Yellow. {_CHECK}"),
    ("Ready", "red"): Health(HealthStatus.DEGRADED, f"Elasticsearch Cluster status is Red. {_CHECK}"),
}
_ELASTIC_PHASES = {
    "ApplyingChanges": HealthStatus.PROGRESSING,
    "MigratingData": HealthStatus.PROGRESSING,
    "Invalid": HealthStatus.DEGRADED,
}


def _elastic(name: str) -> tuple[Step, ...]:
    """Green, yellow, red; yellow counts the instances."""
    return (
        degraded(f"{name} status is Red", has("status.health", "red")),
        healthy(f"{name} status is Green", has("status.health", "green")),
        progressing(
            f"{name} status is deploying, there is {{status.availableNodes}} instance(s) on "
            "{status.expectedNodes} expected",
            has("status.health", "yellow"),
            lacks("status.availableNodes", None),
            lacks("status.expectedNodes", None),
        ),
        progressing(f"{name} phase is progressing", has("status.health", "yellow")),
        progressing(f"{name} phase is progressing", has("status.health", None), lacks("status.expectedNodes", None)),
        unknown(f"{name} status is unknown. {_REPORT}"),
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

RULES: Table = dict(
    (
        *joined(
            "k8s.mariadb.com",
            {
                "MariaDB MaxScale": _MARIADB,
                "Backup Restore PhysicalBackup": _BACKUP,
                "SqlJob": _SQL_JOB,
                "User Grant Database Connection ExternalMariaDB": _MARIADB_OBJECT,
            },
        ),
        ("mariadb.mmontes.io/MariaDB", _MARIADB),
        ("pxc.percona.com/PerconaXtraDBCluster", _PXC),
        ("psmdb.percona.com/PerconaServerMongoDB", _PSMDB),
        ("postgresql.cnpg.io/Cluster", _CNPG),
        ("acid.zalan.do/postgresql", _ZALANDO),
        (
            "db.atlasgo.io/AtlasSchema",
            (
                *_ATLAS,
                progressing("{@Ready.reason}", has("@Ready.message", "Reconciling", "GettingDevDB")),
                degraded("{@Ready.reason}"),
            ),
        ),
        (
            "db.atlasgo.io/AtlasMigration",
            (*_ATLAS, progressing("{@Ready.reason}", has("@Ready.reason", "Reconciling")), degraded("{@Ready.reason}")),
        ),
        ("clickhouse-keeper.altinity.com/ClickHouseKeeperInstallation", _clickhouse("ClickHouseKeeper")),
        ("clickhouse.altinity.com/ClickHouseInstallation", _clickhouse("ClickHouse")),
        ("elasticsearch.k8s.elastic.co/Elasticsearch", elasticsearch),
        ("beat.k8s.elastic.co/Beat", _elastic("Elastic Beat")),
        ("agent.k8s.elastic.co/Agent", _elastic("Elastic Agent")),
        ("kibana.k8s.elastic.co/Kibana", _elastic("Kibana")),
        (
            "logstash.k8s.elastic.co/Logstash",
            (
                progressing("Waiting for Logstash", has("status.health", None)),
                progressing("Logstash status is Yellow", has("status.health", "yellow")),
                *_elastic("Logstash"),
            ),
        ),
        ("minio.min.io/Tenant", _MINIO),
        ("solr.apache.org/SolrCloud", _SOLR),
        (
            "zookeeper.pravega.io/ZookeeperCluster",
            (
                healthy(
                    "All ZK Nodes have joined the ensemble",
                    lambda obj: number(obj, "status.replicas") > 0,
                    lambda obj: read(obj, "status.readyReplicas") == read(obj, "status.replicas"),
                ),
                progressing("Waiting for ZK Nodes to join the ensemble"),
            ),
        ),
    )
)
