"""Observability: Grafana, Prometheus, VictoriaMetrics, OpenTelemetry, Jaeger, Datadog, Coralogix, Humio, Keptn."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Stale,
    Step,
    Table,
    degraded,
    each,
    either,
    empty,
    false,
    filled,
    has,
    healthy,
    joined,
    lacks,
    missing,
    progressing,
    ready,
    suspended,
    text,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_SAID = "{reason} for {type} because {message}"


def _synchronized(item: object) -> bool:
    return text(item, "type").endswith("Synchronized")


_GRAFANA_OBJECT: tuple[Step, ...] = (
    each(
        "status.conditions",
        degraded(_SAID, has("type", "NoMatchingInstance", "InvalidSpec"), has("status", "True")),
        degraded(_SAID, _synchronized, has("status", "False")),
    ),
    each("status.conditions", healthy(_SAID, _synchronized, has("status", "True"))),
)
_DATASOURCE: Rule = (
    *_GRAFANA_OBJECT,
    degraded("can't find matching grafana instance", has("status.NoMatchingInstances", True)),
    healthy("", either(filled("status.hash"), filled("status.uid"))),
    progressing(""),
)
_GRAFANA: Rule = (
    progressing("Waiting for Grafana status info", empty("status")),
    degraded("{status.lastMessage}", has("status.stageStatus", "failed")),
    healthy("", has("status.stage", "complete"), has("status.stageStatus", "success")),
    progressing("{status.lastMessage}"),
)

_PROMETHEUS: Rule = (
    progressing("Waiting for initialization", empty("status.conditions")),
    each(
        "status.conditions",
        progressing(
            "{message|reason}", has("type", "Available"), lacks("status", "True"), has("reason", "SomePodsNotReady")
        ),
        degraded("{message|reason}", has("type", "Available", "Reconciled"), lacks("status", "True")),
    ),
    healthy("All instances are available", true("Available")),
    progressing("Waiting for initialization"),
)

_VICTORIA: Rule = (
    suspended("Reconciliation is paused", either(has("status.updateStatus", "paused"), has("spec.paused", True))),
    progressing("Waiting for the operator to reconcile", empty("status")),
    progressing("Waiting for the operator to reconcile", Stale(missing=True)),
    degraded("{status.reason}", has("status.updateStatus", "failed")),
    progressing("Reconciliation in progress", has("status.updateStatus", "expanding")),
    healthy("Resource is operational", has("status.updateStatus", "operational")),
    progressing("Waiting for the operator to reconcile"),
)


def collector(obj: Manifest) -> Health:
    """OpenTelemetry writes `ready/wanted`; a sidecar has no replicas of its own."""
    mode, replicas = text(obj, "spec.mode", "deployment"), text(obj, "status.scale.statusReplicas")
    if mode == "sidecar":
        return Health(HealthStatus.HEALTHY, "Collector is running in sidecar mode")
    done, _, wanted = replicas.partition("/")
    if not wanted:
        return Health(HealthStatus.PROGRESSING, "Waiting for OpenTelemetryCollector status")
    if wanted == "0" and mode == "daemonset":
        return Health(HealthStatus.HEALTHY, f"DaemonSet has no eligible nodes ({replicas})")
    if done == wanted:
        return Health(HealthStatus.HEALTHY, "All replicas are ready")
    return Health(HealthStatus.PROGRESSING, f"Only {replicas} replicas are ready")


_STATE = "Component state: {status.state}."
_HUMIO: Rule = (
    progressing("Update in progress", empty("status.state")),
    healthy(_STATE, has("status.state", "Exists")),
    missing(_STATE, has("status.state", "NotFound")),
    degraded(_STATE, has("status.state", "ConfigError")),
    unknown(_STATE),
)
_HUMIO_CLUSTER: Rule = (
    progressing("Update in progress", empty("status.state")),
    healthy("Cluster is in a healthy running state", has("status.state", "Running")),
    progressing("Cluster pods are being restarted", has("status.state", "Restarting")),
    progressing("Cluster pods are being upgraded", has("status.state", "Upgrading")),
    progressing("Cluster is waiting on resources to be provisioned", has("status.state", "Pending")),
    degraded("User-provided cluster specification resulted in configuration error", has("status.state", "ConfigError")),
    unknown(_STATE),
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
    healthy("{kind} is healthy", has("status.state", "Completed"), has("status.pass", True)),
    healthy("{kind} is healthy with warnings", has("status.state", "Completed"), has("status.warning", True)),
    degraded("{kind} is degraded", has("status.state", "Completed")),
    progressing("{kind} is progressing"),
)
_METRIC: Rule = (
    degraded("{kind} is degraded", filled("status.errMsg")),
    healthy("{kind} is healthy", filled("status.value")),
    progressing("{kind} is progressing"),
)
_DATADOG: Rule = (
    degraded("{@Error.reason}: {@Error.message}", true("Error")),
    healthy("{@Valid.message|@Active.message?DatadogMetric is valid}", either(true("Valid"), true("Updated"))),
    degraded("{@Valid.message?DatadogMetric is not valid}", false("Valid"), true("Active")),
    progressing("Waiting for DatadogMetric"),
)


RULES: Table = dict(
    (
        *joined(
            "grafana.integreatly.org",
            {
                "Grafana": _GRAFANA,
                "GrafanaDatasource": _DATASOURCE,
                "GrafanaDashboard GrafanaFolder GrafanaAlertRuleGroup GrafanaContactPoint GrafanaLibraryPanel": (
                    *_GRAFANA_OBJECT,
                    progressing(""),
                ),
            },
        ),
        ("grafana-org-operator.kubitus-project.gitlab.io/*", ready("Waiting ...")),
        *joined("monitoring.coreos.com", {"Prometheus PrometheusAgent Alertmanager ThanosRuler": _PROMETHEUS}),
        ("operator.victoriametrics.com/*", _VICTORIA),
        ("opentelemetry.io/OpenTelemetryCollector", collector),
        (
            "jaegertracing.io/Jaeger",
            (
                healthy("Jaeger is Running", has("status.phase", "Running")),
                degraded("Jaeger has failed", has("status.phase", "Failed")),
                progressing("Waiting for Jaeger"),
            ),
        ),
        ("datadoghq.com/DatadogMetric", _DATADOG),
        (
            "coralogix.com/*",
            ready("Waiting for status to be updated", "RemoteSynced", good="Resource is ready"),
        ),
        *joined("core.humio.com", {"HumioCluster": _HUMIO_CLUSTER, "*": _HUMIO}),
        ("lifecycle.keptn.sh/*", _KEPTN),
        *joined("metrics.keptn.sh", {"Analysis": _ANALYSIS, "KeptnMetric": _METRIC}),
    )
)
