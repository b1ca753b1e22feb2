"""Elastic's operator: Elasticsearch, and the Beat, Agent, Kibana and Logstash that stand around it."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.kinds.databases import REPORT
from gitops_workers.core.health.rules import Step, Table, degraded, has, healthy, lacks, progressing, unknown
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


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
    return Health(HealthStatus.UNKNOWN, f"Elasticsearch Cluster status is unknown. {REPORT}")


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
        unknown(f"{name} status is unknown. {REPORT}"),
    )


RULES: Table = {
    "elasticsearch.k8s.elastic.co/Elasticsearch": elasticsearch,
    "beat.k8s.elastic.co/Beat": _elastic("Elastic Beat"),
    "agent.k8s.elastic.co/Agent": _elastic("Elastic Agent"),
    "kibana.k8s.elastic.co/Kibana": _elastic("Kibana"),
    "logstash.k8s.elastic.co/Logstash": (
        progressing("Waiting for Logstash", has("status.health", None)),
        progressing("Logstash status is Yellow", has("status.health", "yellow")),
        *_elastic("Logstash"),
    ),
}
