"""Grafana: instances, their data sources, and the objects inside an instance."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, text
from gitops_workers.core.health.rules import (
    Rule,
    Table,
    conditions,
    degraded,
    has,
    healthy,
    joined,
    lacks,
    met,
    progressing,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def grafana_object(obj: Manifest) -> Health:
    """The conditions add up to one message, until one that is not met; the last one that is met makes it healthy."""
    status, told = HealthStatus.PROGRESSING, ""
    for item in items(obj, "status.conditions"):
        if item.get("status") is None:
            continue
        told += ", " if told else ""
        if item.get("reason") is not None:
            told += text(item, "reason")
            if item.get("type") is not None:
                told += f" for {text(item, 'type')}"
                told += "" if item.get("message") is None else f" because {text(item, 'message')}"
        if item.get("status") == "False":
            return Health(HealthStatus.DEGRADED, told)
        status = HealthStatus.HEALTHY if item.get("status") == "True" else status
    return Health(status, told)


_DATASOURCE: Rule = (
    progressing("", has("status", None)),
    progressing("", has("status.uid", "")),
    degraded("can't find matching grafana instance", lacks("status.NoMatchingInstances", None, False)),
    healthy(""),
)
_GRAFANA: Rule = (
    progressing("Waiting for Grafana status info", has("status.stageStatus", None)),
    degraded("Failed at stage {status.stage}", has("status.stageStatus", "failed")),
    healthy("", has("status.stage", "complete"), has("status.stageStatus", "success")),
    progressing("{status.stage}"),
)
_KUBITUS: Rule = (
    conditions(
        degraded("{message}", *unmet("Ready")),
        healthy("{message}", *met("Ready")),
        progressing("{message}", has("type", "Ready")),
    ),
    progressing("Waiting ..."),
)


RULES: Table = dict(
    (
        *joined(
            "grafana.integreatly.org",
            {
                "Grafana": _GRAFANA,
                "GrafanaDatasource": _DATASOURCE,
                "GrafanaDashboard GrafanaFolder GrafanaAlertRuleGroup GrafanaContactPoint GrafanaLibraryPanel": (
                    grafana_object
                ),
            },
        ),
        ("grafana-org-operator.kubitus-project.gitlab.io/*", _KUBITUS),
    )
)
