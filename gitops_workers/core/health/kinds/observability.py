"""Observability: Prometheus, VictoriaMetrics, OpenTelemetry, Jaeger, Datadog, Coralogix, Humio, Keptn."""

from __future__ import annotations

import re

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Stale,
    Table,
    conditions,
    degraded,
    either,
    has,
    healthy,
    joined,
    met,
    missing,
    not_empty,
    progressing,
    ready,
    suspended,
    unknown,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_PROMETHEUS: Rule = (
    conditions(
        healthy("All instances are available", *met("Available")),
        progressing("{message|reason}", has("type", "Available"), has("reason", "SomePodsNotReady")),
        degraded("{message|reason}", has("type", "Available")),
        backwards=True,
    ),
    progressing("Waiting for initialization"),
)

_UPDATE = "status.updateStatus"
_VICTORIA: Rule = (
    progressing("Waiting for the operator to reconcile", has("status", None)),
    progressing("Waiting for the operator to reconcile", Stale()),
    healthy("All components are operational", has(_UPDATE, "operational")),
    progressing("{status.reason?Reconciliation in progress}", has(_UPDATE, "expanding")),
    suspended("{status.reason?Reconciliation is paused}", has(_UPDATE, "paused")),
    degraded("{status.reason?Reconciliation failed}", has(_UPDATE, "failed")),
    progressing("Waiting for the operator to report status"),
)
_REPLICAS = re.compile(r"(\d+)/(\d+)")


def collector(obj: Manifest) -> Health:
    """OpenTelemetry writes `ready/wanted`; a sidecar has no replicas of its own."""
    if not isinstance(read(obj, "status"), dict):
        return Health(HealthStatus.PROGRESSING, "Waiting for OpenTelemetry Collector status")
    replicas, mode = read(obj, "status.scale.statusReplicas"), read(obj, "spec.mode")
    if replicas is None:
        if mode == "sidecar":
            return Health(HealthStatus.HEALTHY, "Collector is running in sidecar mode")
        return Health(HealthStatus.PROGRESSING, "Scale status not available")
    found = _REPLICAS.search(str(replicas))
    if found is None:
        return Health(HealthStatus.PROGRESSING, f"Unable to parse replica status: {replicas}")
    ready, wanted = map(int, found.groups())
    if ready == wanted == 0 and mode == "daemonset":
        return Health(HealthStatus.HEALTHY, "DaemonSet has no eligible nodes (0/0)")
    if ready == 0:
        return Health(HealthStatus.DEGRADED, "No replicas are ready")
    if ready == wanted:
        return Health(HealthStatus.HEALTHY, "All replicas are ready")
    return Health(HealthStatus.PROGRESSING, "Replicas are starting up")


_STATE = "Component state: {status.state}."
_HUMIO: Rule = (
    healthy(_STATE, has("status.state", "Exists")),
    missing(_STATE, has("status.state", "NotFound")),
    degraded(_STATE, has("status.state", "ConfigError")),
    unknown(_STATE, has("status.state", "Unknown")),
    progressing("Update in progress"),
)


def _told(words: str) -> str:
    return f"{{status.message?{words}}}"


_CONFIGURED_WRONGLY = "User-provided cluster specification resulted in a configuration error"
_HUMIO_CLUSTER: Rule = (
    healthy(_told("Cluster is in a healthy running state"), has("status.state", "Running")),
    progressing(_told("Cluster pods are being restarted"), has("status.state", "Restarting")),
    progressing(_told("Cluster pods are being upgraded"), has("status.state", "Upgrading")),
    progressing(_told("Cluster is waiting on resources to be provisioned"), has("status.state", "Pending")),
    degraded(_told(_CONFIGURED_WRONGLY), has("status.state", "ConfigError")),
    unknown(_told("Component state: Unknown."), has("status.state", "Unknown")),
    progressing("Update in progress"),
)

_KEPTN: Rule = (
    healthy("{kind} is healthy", either(has("status.status", "Succeeded"), has("status.overallStatus", "Succeeded"))),
    degraded(
        "{kind} is degraded",
        either(has("status.status", "Failed", "Deprecated"), has("status.overallStatus", "Failed")),
    ),
    progressing("{kind} is progressing"),
)
_ANALYSIS: Rule = (
    healthy("{kind} is healthy", has("status.pass", True)),
    healthy("{kind} is healthy with warnings", has("status.warning", True)),
    degraded("{kind} is degraded", has("status.pass", False)),
    progressing("{kind} is progressing"),
)
_METRIC: Rule = (
    degraded("{kind} is degraded", not_empty("status.errMsg")),
    healthy("{kind} is healthy", not_empty("status.value")),
    progressing("{kind} is progressing"),
)


def datadog(obj: Manifest) -> Health:
    """An error first, then whether the query is valid; a metric nobody complains about is healthy."""
    found = items(obj, "status.conditions")
    for item in found:
        if all(test(item) for test in met("Error")):
            reason = f"{text(item, 'reason')}: " if text(item, "reason") else ""
            said = text(item, "message", "DatadogMetric reported an error")
            return Health(HealthStatus.DEGRADED, f"{reason}{said}")
    for item in found:
        if all(test(item) for test in unmet("Valid")):
            return Health(HealthStatus.DEGRADED, text(item, "message", "DatadogMetric is not valid"))
    return Health(HealthStatus.HEALTHY, "DatadogMetric is healthy")


RULES: Table = dict(
    (
        *joined("monitoring.coreos.com", {"Prometheus PrometheusAgent Alertmanager ThanosRuler": _PROMETHEUS}),
        ("operator.victoriametrics.com/*", _VICTORIA),
        ("opentelemetry.io/OpenTelemetryCollector", collector),
        (
            "jaegertracing.io/Jaeger",
            (
                healthy("Jaeger is Running", has("status.phase", "Running")),
                degraded("Jaeger Failed For Some Reason", has("status.phase", "Failed")),
                progressing("Waiting for Jaeger"),
            ),
        ),
        ("datadoghq.com/DatadogMetric", datadog),
        (
            "coralogix.com/*",
            ready("Waiting for status to be updated", "RemoteSynced", good="Resource is ready"),
        ),
        *joined("core.humio.com", {"HumioCluster": _HUMIO_CLUSTER, "*": _HUMIO}),
        ("lifecycle.keptn.sh/*", _KEPTN),
        *joined("metrics.keptn.sh", {"Analysis": _ANALYSIS, "KeptnMetric": _METRIC}),
    )
)
