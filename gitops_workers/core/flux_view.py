"""An application as a Flux Kustomization shows itself: what `readyExpr` reads as `dep` and `self`.

What is known here and no more; a field that is missing is an error of the expression, as it is in Flux:

    metadata.name, .namespace, .labels, .annotations (always empty), .generation (always 1)
    spec.path, .prune, .suspend, .wait, .force, .targetNamespace
    status.observedGeneration       1 once something is known of the application, before that -1
    status.conditions               Ready (True, False, Unknown), Reconciling while a sync runs, Healthy with `wait`;
                                    each with type, status, reason, message, observedGeneration
    status.lastAppliedRevision      `main@sha1:<commit>` of the last good sync, missing before it
    status.lastAttemptedRevision    the same of the commit that was last looked at with changed inputs
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_workers.core.health import settled
from gitops_workers.core.model import Application, Health, Phase, SyncStatus
from gitops_workers.core.readiness import unready
from gitops_workers.core.status import Status


def flux_view(app: Application, status: Status) -> dict[str, Any]:
    """The object."""
    seen = 1 if status.revision else -1
    attempted, applied = _revision(status, status.revision), _applied(status)
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {
            "name": app.name,
            "namespace": app.namespace,
            "labels": dict(app.labels),
            "annotations": {},
            "generation": 1,
        },
        "spec": {
            "path": app.source.path,
            "prune": app.sync.prune,
            "suspend": status.suspended,
            "wait": app.sync.wait,
            "force": app.sync.force,
            "targetNamespace": app.destination.namespace,
        },
        "status": {
            "observedGeneration": seen,
            "conditions": [{**item, "observedGeneration": seen} for item in _conditions(app, status)],
            **({"lastAttemptedRevision": attempted} if attempted else {}),
            **({"lastAppliedRevision": applied} if applied else {}),
        },
    }


def _conditions(app: Application, status: Status) -> list[dict[str, str]]:
    operation = status.operation
    if operation is not None and operation.phase is Phase.RUNNING:
        found = [
            _condition("Reconciling", "True", "Progressing", operation.message),
            _condition("Ready", "Unknown", "Progressing", operation.message),
        ]
    elif not status.revision and status.sync is SyncStatus.UNKNOWN:
        return []  # nobody has looked at it
    elif not unready(app, replace(status, suspended=False)):  # a suspended object keeps its conditions
        found = [_condition("Ready", "True", "ReconciliationSucceeded", f"Applied revision: {_applied(status)}")]
    else:
        found = [_condition("Ready", "False", "ReconciliationFailed", status.message)]
    if app.sync.wait:
        healthy = settled(app.dialect, Health(status.health))
        reason = "Succeeded" if healthy else "HealthCheckFailed"
        found.append(_condition("Healthy", "True" if healthy else "False", reason, status.health_message))
    return found


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _applied(status: Status) -> str:
    if status.sync is SyncStatus.SYNCED:
        return _revision(status, status.revision)
    operation = status.operation
    if operation is None or operation.phase is not Phase.SUCCEEDED:
        return ""
    return _revision(status, operation.revision)


def _revision(status: Status, commit: str) -> str:
    """Flux's spelling."""
    return (f"{status.ref}@sha1:{commit}" if status.ref else f"sha1:{commit}") if commit else ""
