"""Messaging: Strimzi, Confluent, Koperator (banzaicloud), RabbitMQ."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    conditions,
    degraded,
    false,
    has,
    healthy,
    joined,
    met,
    not_empty,
    progressing,
    reason,
    true,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def _strimzi(name: str) -> tuple[Step, ...]:
    """The first condition that tells; of one that is being created only that it is waited for."""
    return (
        conditions(
            healthy("", *met("Ready")),
            progressing("{message}", *met("NotReady"), has("reason", "Creating")),
            degraded("{message}", *met("NotReady")),
        ),
        progressing(f"Waiting for {name}"),
    )


_CONFLUENT: Rule = (
    healthy("{kind} running", has("status.phase", "RUNNING")),
    progressing("{kind} provisioning", has("status.phase", "PROVISIONING")),
    degraded("{kind} {status.phase}", has("status.phase", "ERROR", "FAILED", "DEGRADED")),
    progressing("{kind} {status.phase}", not_empty("status.phase")),
    progressing("Waiting for {kind}"),
)


def connector(obj: Manifest) -> Health:
    """Confluent: what it runs as, an error with its only condition, then failed tasks."""
    state, failed = read(obj, "status.state"), read(obj, "status.failedTasksCount")
    if state == "CREATED" and read(obj, "status.connectorState") == "RUNNING" and failed is None:
        return Health(HealthStatus.HEALTHY, "Connector running")
    if state == "ERROR":
        found = items(obj, "status.conditions")
        return Health(HealthStatus.DEGRADED, text(found[0], "message") if found else "No conditions available")
    if state is not None and number(obj, "status.failedTasksCount") > 0:
        return Health(HealthStatus.DEGRADED, "Connector has failed tasks")
    return Health(HealthStatus.PROGRESSING, "Waiting for Kafka Connector")


_SETTLED = ("GracefulUpscaleSucceeded", "GracefulDownscaleSucceeded")


def _settled(broker: object) -> bool:
    state = read(broker, "gracefulActionState.cruiseControlState")
    return read(broker, "configurationState") == "ConfigInSync" and state in _SETTLED


def kafka_cluster(obj: Manifest) -> Health:
    """Koperator: an upgrade first, then whether all brokers are settled, then Cruise Control and the state."""
    waiting = Health(HealthStatus.PROGRESSING, "Waiting for KafkaCluster")
    brokers = read(obj, "status.brokersState")
    if not isinstance(brokers, dict):
        return waiting
    topic, state = text(obj, "status.cruiseControlTopicStatus"), text(obj, "status.state")
    if state == "ClusterRollingUpgrading":
        return Health(HealthStatus.PROGRESSING, "Kafka Cluster is Rolling Upgrading.")
    if not all(map(_settled, brokers.values())):
        return Health(HealthStatus.DEGRADED, "Broker Config is out of Sync or CruiseControlState is not Ready")
    if topic == "CruiseControlTopicReady" and state == "ClusterRunning":
        return Health(HealthStatus.HEALTHY, "Kafka Brokers, CruiseControl and cluster are in Healthy State.")
    if state == "ClusterReconciling":
        return Health(HealthStatus.PROGRESSING, "Kafka Cluster is Reconciling.")
    return waiting


def rabbitmq_object(obj: Manifest) -> Health:
    """What the topology operator manages: created, refused or not looked at yet."""
    name = f"RabbitMQ {text(obj, 'kind').lower()}"
    if true("Ready")(obj) and reason("Ready", "SuccessfulCreateOrUpdate")(obj):
        return Health(HealthStatus.HEALTHY, f"{name} ready")
    if false("Ready")(obj) and reason("Ready", "FailedCreateOrUpdate")(obj):
        return Health(HealthStatus.DEGRADED, f"{name} failed to be created or updated")
    return Health(HealthStatus.UNKNOWN, f"{name} status is unknown")


_UNSURE = "Waiting for RabbitMQ cluster readiness (conditions unknown)"


def rabbitmq(obj: Manifest) -> Health:
    """A failed reconciliation first, then what the last conditions of cluster and replicas say."""
    last: dict[str, dict[str, Any]] = {}
    for item in items(obj, "status.conditions"):
        if all(test(item) for test in unmet("ReconcileSuccess")):
            return Health(HealthStatus.DEGRADED, text(item, "message"))
        last[text(item, "type")] = item
    replicas, cluster = last.get("AllReplicasReady", {}), last.get("ClusterAvailable", {})
    both = (cluster.get("status"), replicas.get("status"))
    if "Unknown" in both:
        return Health(HealthStatus.PROGRESSING, _UNSURE)
    if replicas.get("reason") == "ScaledToZero" and both[1] == "False" and read(obj, "spec.replicas") == 0:
        return Health(HealthStatus.SUSPENDED, "RabbitmqCluster is scaled to 0 replicas")
    if both[0] == "False":
        return Health(HealthStatus.PROGRESSING, "Waiting for RabbitMQ cluster formation")
    if both[1] == "False":
        return Health(HealthStatus.PROGRESSING, "Waiting for RabbitMQ instances ready")
    if both == ("True", "True"):
        return Health(HealthStatus.HEALTHY, "RabbitMQ cluster ready")
    return Health(HealthStatus.PROGRESSING, "Waiting for RabbitMQ Operator")


RULES: Table = dict(
    (
        *joined(
            "kafka.strimzi.io",
            {
                "Kafka": _strimzi("Kafka Cluster"),
                "KafkaBridge": _strimzi("KafkaBridge"),
                "KafkaConnect": _strimzi("Kafka Connect"),
                "KafkaConnector": _strimzi("KafkaConnector"),
                "KafkaMirrorMaker KafkaMirrorMaker2": _strimzi("Kafka Mirror Maker"),
                "KafkaRebalance": _strimzi("Kafka Rebalance"),
                "KafkaTopic": _strimzi("Kafka Topic"),
                "KafkaUser": _strimzi("Kafka User"),
            },
        ),
        *joined("platform.confluent.io", {"Connector": connector, "*": _CONFLUENT}),
        ("kafka.banzaicloud.io/KafkaCluster", kafka_cluster),
        *joined("rabbitmq.com", {"RabbitmqCluster": rabbitmq, "*": rabbitmq_object}),
    )
)
