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
from gitops_workers.core.model import AppId, Application, Health, Phase, SyncStatus
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync.readiness import unready

KINDS = {"kustomization": "Kustomization", "helmrelease": "HelmRelease"}


def kind_of(app: AppId) -> str:
    """`Kustomization` of `kustomization/flux-system/apps`."""
    word = app.partition("/")[0]
    return KINDS.get(word, word)


def ready(app: Application, status: Status) -> str:
    """The status of its condition Ready: True, False or, where Flux would have none yet, Unknown."""
    return next((item["status"] for item in _conditions(app, status) if item["type"] == "Ready"), "Unknown")


def flux_view(app: Application, status: Status) -> dict[str, Any]:
    """The object."""
    seen = 1 if status.revision else -1
    last, good = attempted(status), applied(status)
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
            **({"lastAttemptedRevision": last} if last else {}),
            **({"lastAppliedRevision": good} if good else {}),
        },
    }


def _conditions(app: Application, status: Status) -> list[dict[str, str]]:
    operation = status.operation
    if operation is not None and operation.phase is Phase.RUNNING:
        found = [
            _condition("Reconciling", "True", "Progressing", operation.message),
            _condition("Ready", "Unknown", "Progressing", operation.message),
        ]
    elif not status.revision and status.sync is SyncStatus.UNKNOWN and not status.message:
        return []  # nobody has looked at it
    elif not unready(app, replace(status, suspended=False)):  # a suspended object keeps its conditions
        found = [_condition("Ready", "True", "ReconciliationSucceeded", f"Applied revision: {applied(status)}")]
    else:
        found = [_condition("Ready", "False", "ReconciliationFailed", status.message)]
    if app.sync.wait:
        healthy = settled(app.dialect, Health(status.health))
        reason = "Succeeded" if healthy else "HealthCheckFailed"
        found.append(_condition("Healthy", "True" if healthy else "False", reason, status.health_message))
    return found


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def applied(status: Status) -> str:
    """`main@sha1:<commit>` of the last good sync, "" before it."""
    if status.sync is SyncStatus.SYNCED:
        return _revision(status, status.revision)
    operation = status.operation
    if operation is None or operation.phase is not Phase.SUCCEEDED:
        return ""
    return _revision(status, operation.revision)


def attempted(status: Status) -> str:
    """The same of the commit that was last looked at with changed inputs."""
    return _revision(status, status.revision)


def _revision(status: Status, commit: str) -> str:
    """Flux's spelling."""
    return (f"{status.ref}@sha1:{commit}" if status.ref else f"sha1:{commit}") if commit else ""
