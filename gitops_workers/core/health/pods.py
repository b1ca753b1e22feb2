"""Argo CD's rule for Pods: what a container says counts before what the phase says (gitops-engine health)."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import Table, true
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_IGNORE_RESTART_POLICY = "argocd.argoproj.io/ignore-restart-policy"
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")
_BY_PHASE = {
    "Pending": HealthStatus.PROGRESSING,
    "Succeeded": HealthStatus.HEALTHY,
    "Failed": HealthStatus.DEGRADED,
    "Running": HealthStatus.PROGRESSING,
}


def pod(obj: Manifest) -> Health:
    """A container that cannot start, then the phase; a running pod that is restarted must be ready."""
    restarts = _restarts(obj)
    stuck = _cannot_start(obj) if restarts else None
    if stuck is not None:
        return Health(HealthStatus.DEGRADED, stuck)
    phase, message = text(obj, "status.phase"), text(obj, "status.message")
    status = _BY_PHASE.get(phase, HealthStatus.UNKNOWN)
    if phase == "Failed":
        return Health(status, message or _failure(obj))
    if phase == "Running" and restarts:
        if true("Ready")(obj):
            status = HealthStatus.HEALTHY
        elif any(read(item, "lastState.terminated") for item in items(obj, "status.containerStatuses")):
            status = HealthStatus.DEGRADED
    return Health(status, message)


def _restarts(obj: Manifest) -> bool:
    """Whether it runs on: by its restart policy, or because an operator cares for it (argo-cd 28249); never a hook."""
    found = read(obj, "metadata.annotations")
    annotations = found if isinstance(found, dict) else {}
    if read(obj, "spec.restartPolicy") in (None, "Always"):
        return True
    return annotations.get(_IGNORE_RESTART_POLICY) == "true" and not any(hook in annotations for hook in _HOOKS)


def _cannot_start(obj: Manifest) -> str | None:
    stuck = [
        text(item, "state.waiting.message")
        for item in items(obj, "status.containerStatuses")
        if _is_error(text(item, "state.waiting.reason"))
    ]
    return ", ".join(stuck) if stuck else None


def _is_error(reason: str) -> bool:
    return reason.startswith("Err") or reason.endswith(("Error", "BackOff"))


def _failure(obj: Manifest) -> str:
    containers = items(obj, "status.initContainerStatuses") + items(obj, "status.containerStatuses")
    return next((found for found in map(_container_failure, containers) if found), "")


def _container_failure(container: dict[str, Any]) -> str:
    message, reason = text(container, "state.terminated.message"), text(container, "state.terminated.reason")
    if message:
        return message
    if reason == "OOMKilled":
        return reason
    code = number(container, "state.terminated.exitCode")
    return f'container "{text(container, "name")}" failed with exit code {code}' if code else ""


RULES: Table = {"/Pod": pod}
