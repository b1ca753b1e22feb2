"""Messaging: Strimzi, Confluent, Koperator (banzaicloud), RabbitMQ."""

from __future__ import annotations

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


def _strimzi(name: str) -> tuple[Step, ...]:
    return (
        progressing("{@NotReady.message}", true("NotReady"), reason("NotReady", "Creating")),
        degraded("{@NotReady.message}", true("NotReady")),
        healthy("{@Ready.message}", true("Ready")),
        progressing(f"Waiting for {name}"),
    )


_CONFLUENT: Rule = (
    healthy("{kind} running", has("status.phase", "RUNNING")),
    progressing("{kind} provisioning", has("status.phase", "PROVISIONING")),
    degraded("{kind} {status.phase}", has("status.phase", "ERROR", "FAILED", "DEGRADED")),
    progressing("{kind} {status.phase}", filled("status.phase")),
    progressing("Waiting for {kind}"),
)
_CONNECTOR: Rule = (
    healthy("Connector running", has("status.connectorState", "RUNNING")),
    degraded("Connector failed", has("status.connectorState", "FAILED")),
    suspended("Connector paused", has("status.connectorState", "PAUSED", "STOPPED")),
    progressing("Connector provisioning"),
)


def kafka_cluster(obj: Manifest) -> Health:
    """Koperator: what the cluster does, then whether brokers and Cruise Control agree with the configuration."""
    state = text(obj, "status.state")
    if state == "ClusterReconciling":
        return Health(HealthStatus.PROGRESSING, "Kafka Cluster is Reconciling.")
    if state == "ClusterRollingUpgrading":
        return Health(HealthStatus.PROGRESSING, "Kafka Cluster is Rolling Upgrading.")
    brokers = read(obj, "status.brokersState")
    found = list(brokers.values()) if isinstance(brokers, dict) else []
    actions = [text(broker, "gracefulActionState.cruiseControlState") for broker in found]
    if any(action.endswith("CompletedWithError") for action in actions):
        return Health(HealthStatus.DEGRADED, "Kafka Cluster has brokers whose graceful action failed.")
    settled = all(text(broker, "configurationState") == "ConfigInSync" for broker in found) and all(
        action.endswith(("Succeeded", "NotRequired")) for action in actions
    )
    topic = text(obj, "status.cruiseControlTopicStatus")
    if found and settled and state == "ClusterRunning" and topic == "CruiseControlTopicReady":
        return Health(HealthStatus.HEALTHY, "Kafka Brokers, CruiseControl and cluster are in Healthy State.")
    return Health(HealthStatus.PROGRESSING, "Waiting for KafkaCluster")


def rabbitmq_object(obj: Manifest) -> Health:
    """What the topology operator manages: created, refused or not looked at yet."""
    name = f"RabbitMQ {text(obj, 'kind').lower()}"
    if true("Ready")(obj):
        return Health(HealthStatus.HEALTHY, f"{name} ready")
    if reason("Ready", "FailedCreateOrUpdate")(obj):
        return Health(HealthStatus.DEGRADED, f"{name} failed to be created or updated")
    return Health(HealthStatus.UNKNOWN, f"{name} status is unknown")


_RABBITMQ: Rule = (
    progressing("Waiting for RabbitMQ Operator", empty("status.conditions")),
    degraded("{@ReconcileSuccess.message}", false("ReconcileSuccess")),
    progressing(
        "Waiting for RabbitMQ cluster readiness (conditions unknown)",
        lambda obj: "Unknown" in (read(obj, "@AllReplicasReady.status"), read(obj, "@ClusterAvailable.status")),
    ),
    progressing("Waiting for RabbitMQ cluster formation", false("ClusterAvailable")),
    progressing("Waiting for RabbitMQ cluster replicas ready", false("AllReplicasReady")),
    degraded("{@NoWarnings.message}", false("NoWarnings"), filled("@NoWarnings.message")),
    healthy("RabbitMQ cluster ready", true("AllReplicasReady"), true("ClusterAvailable")),
    unknown("RabbitMQ cluster status is unknown"),
)

RULES: Table = dict(
    (
        *joined(
            "kafka.strimzi.io",
            {
                "Kafka": _strimzi("Kafka"),
                "KafkaBridge": _strimzi("Kafka Bridge"),
                "KafkaConnect": _strimzi("Kafka Connect"),
                "KafkaConnector": _strimzi("Kafka Connector"),
                "KafkaMirrorMaker KafkaMirrorMaker2": _strimzi("Kafka Mirror Maker"),
                "KafkaRebalance": _strimzi("Kafka Rebalance"),
                "KafkaTopic": _strimzi("Kafka Topic"),
                "KafkaUser": _strimzi("Kafka User"),
            },
        ),
        *joined("platform.confluent.io", {"Connector": _CONNECTOR, "*": _CONFLUENT}),
        ("kafka.banzaicloud.io/KafkaCluster", kafka_cluster),
        *joined("rabbitmq.com", {"RabbitmqCluster": _RABBITMQ, "*": rabbitmq_object}),
    )
)
