"""Knative, and KServe that serves models on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Table,
    met,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def _listed(found: list[dict[str, Any]]) -> str:
    return "".join(f"{n}: {text(item, 'type')} | {text(item, 'status')}\n" for n, item in enumerate(found, 1))


def _count(found: list[dict[str, Any]], wanted: dict[str, str]) -> int:
    """How many conditions have the status that is wanted of their type."""
    return sum(1 for item in found if wanted.get(text(item, "type")) == item.get("status") is not None)


_SERVING = ("Ready", "InstallSucceeded", "DependenciesInstalled", "DeploymentsAvailable")
_EVENTING = ("Ready", "InstallSucceeded")


def knative_operator(needed: tuple[str, ...], awaited: str) -> Callable[[Manifest], Health]:
    """The `needed` conditions are True; one that is Unknown, or `awaited` and False, means work goes on."""

    def judged(obj: Manifest) -> Health:
        kind = text(obj, "kind")
        if not isinstance(read(obj, "status.conditions"), list):
            return Health(HealthStatus.PROGRESSING, f"Waiting for {kind}")
        found = items(obj, "status.conditions")
        good = _count(found, dict.fromkeys(needed, "True"))
        unknown = any(item.get("status") == "Unknown" for item in found)
        if unknown or _count(found, {awaited: "False", "Ready": "False"}):
            return Health(HealthStatus.PROGRESSING, _listed(found))
        if good == len(needed):
            return Health(HealthStatus.HEALTHY, f"{kind} is healthy.")
        return Health(HealthStatus.DEGRADED, _listed(found))

    return judged


def knative_service(obj: Manifest) -> Health:
    """Three conditions must be True; the message tells why others are not."""
    found = items(obj, "status.conditions")
    if not isinstance(read(obj, "status.conditions"), list):
        return Health(HealthStatus.PROGRESSING, "Waiting for status update.")
    lines = []
    for item in found:
        if item.get("status") in ("False", "Unknown"):
            reason = f", since {text(item, 'reason')}." if text(item, "reason") else ""
            said = f" {text(item, 'message')}" if text(item, "message") else ""
            lines.append(f"{text(item, 'type')} is {text(item, 'status')}{reason}{said}\n")
    good = _count(found, dict.fromkeys(("ConfigurationsReady", "RoutesReady", "Ready"), "True"))
    if good == 3 and not lines:
        return Health(HealthStatus.HEALTHY, "Knative Service is healthy.")
    failed = any(item.get("status") == "False" for item in found)
    return Health(HealthStatus.DEGRADED if failed else HealthStatus.PROGRESSING, "".join(lines))


def inference_service(obj: Manifest) -> Health:
    """KServe: a model that still loads excuses its conditions; a stopped one is suspended."""
    stopped = any(all(test(item) for test in met("Stopped")) for item in items(obj, "status.conditions"))
    if read(obj, "metadata.annotations.'serving.kserve.io/stop'") == "true" or stopped:
        return Health(HealthStatus.SUSPENDED, "InferenceService is Stopped")
    found, moving = items(obj, "status.conditions"), text(obj, "status.modelStatus.transitionStatus")
    if not found:
        return Health(HealthStatus.PROGRESSING, "Waiting for InferenceService to report status...")
    waiting, failed = moving == "InProgress", moving not in ("", "UpToDate", "InProgress")
    lines = [f"0: transitionStatus | {moving}" if waiting or failed else ""]
    for position, item in enumerate(found, 1):
        status = read(item, "status")
        if status in ("False", "Unknown") and read(item, "type") != "Stopped":
            parts = [text(item, key) for key in ("type", "status", "reason", "message")]
            lines.append(f"{position}: " + " | ".join(part for part in parts if part))
            waiting = waiting or status == "Unknown" or text(item, "reason") in ("", "Stopped")
            failed = failed or status == "False"
    if not waiting and not failed:
        return Health(HealthStatus.HEALTHY, "InferenceService is healthy.")
    return Health(HealthStatus.PROGRESSING if waiting else HealthStatus.DEGRADED, " | ".join(lines))


RULES: Table = {
    "operator.knative.dev/KnativeServing": knative_operator(_SERVING, "DeploymentsAvailable"),
    "operator.knative.dev/KnativeEventing": knative_operator(_EVENTING, "Ready"),
    "serving.knative.dev/Service": knative_service,
    "serving.kserve.io/InferenceService": inference_service,
}
