"""Argo CD's rules for apps/v1: Deployment, StatefulSet, DaemonSet, ReplicaSet (gitops-engine health, Argo CD 3.5)."""

from __future__ import annotations

from gitops_workers.core.health.fields import condition, number, read, text
from gitops_workers.core.health.rules import Table
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def deployment(obj: Manifest) -> Health:
    """Paused, then observed, then the three stages of a rolling update."""
    if read(obj, "spec.paused") is True:
        return Health(HealthStatus.SUSPENDED, "Deployment is paused")
    if _unobserved(obj):
        return _waiting("observed deployment generation less than desired generation")
    progress = condition(obj, "Progressing") or {}
    if progress.get("reason") == "ProgressDeadlineExceeded":
        name = text(obj, "metadata.name")
        return Health(HealthStatus.DEGRADED, f'Deployment "{name}" exceeded its progress deadline')
    wanted, replicas = number(obj, "spec.replicas"), number(obj, "status.replicas")
    updated, available = number(obj, "status.updatedReplicas"), number(obj, "status.availableReplicas")
    if updated < wanted:
        return _waiting(f"{updated} out of {wanted} new replicas have been updated...")
    if replicas > updated:
        return _waiting(f"{replicas - updated} old replicas are pending termination...")
    if available < updated:
        return _waiting(f"{available} of {updated} updated replicas are available...")
    return Health(HealthStatus.HEALTHY)


def stateful_set(obj: Manifest) -> Health:
    """Ready pods first, then what the update strategy promises."""
    if number(obj, "status.observedGeneration") == 0 or _unobserved(obj):
        return Health(HealthStatus.PROGRESSING, "Waiting for statefulset spec update to be observed...")
    wanted, ready = number(obj, "spec.replicas"), number(obj, "status.readyReplicas")
    updated = number(obj, "status.updatedReplicas")
    if ready < wanted:
        return Health(HealthStatus.PROGRESSING, f"Waiting for {wanted - ready} pods to be ready...")
    strategy = read(obj, "spec.updateStrategy.type")
    partition = read(obj, "spec.updateStrategy.rollingUpdate.partition")
    if strategy in (None, "RollingUpdate") and isinstance(partition, int) and read(obj, "spec.replicas") is not None:
        if updated < wanted - partition:
            message = f"{updated} out of {wanted - partition} new pods have been updated..."
            return Health(HealthStatus.PROGRESSING, f"Waiting for partitioned roll out to finish: {message}")
        message = f"partitioned roll out complete: {updated} new pods have been updated..."
        return Health(HealthStatus.HEALTHY, message)
    if strategy == "OnDelete":
        return Health(HealthStatus.HEALTHY, f"statefulset has {ready} ready pods")
    update, current = text(obj, "status.updateRevision"), text(obj, "status.currentRevision")
    if update != current:
        message = f"waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        return Health(HealthStatus.PROGRESSING, message)
    now = number(obj, "status.currentReplicas")
    return Health(HealthStatus.HEALTHY, f"statefulset rolling update complete {now} pods at revision {current}...")


def daemon_set(obj: Manifest) -> Health:
    """Updated on every node, then available on every node."""
    if _unobserved(obj):
        return _waiting("observed daemon set generation less than desired generation")
    wanted = number(obj, "status.desiredNumberScheduled")
    updated, available = number(obj, "status.updatedNumberScheduled"), number(obj, "status.numberAvailable")
    if read(obj, "spec.updateStrategy.type") == "OnDelete":
        return Health(HealthStatus.HEALTHY, f"daemon set {updated} out of {wanted} new pods have been updated")
    rollout = f'Waiting for daemon set "{text(obj, "metadata.name")}" rollout to finish:'
    if updated < wanted:
        message = f"{rollout} {updated} out of {wanted} new pods have been updated..."
        return Health(HealthStatus.PROGRESSING, message)
    if available < wanted:
        return Health(HealthStatus.PROGRESSING, f"{rollout} {available} of {wanted} updated pods are available...")
    return Health(HealthStatus.HEALTHY)


def replica_set(obj: Manifest) -> Health:
    """A failure to create pods, then their availability."""
    if _unobserved(obj):
        return _waiting("observed replica set generation less than desired generation")
    failure = condition(obj, "ReplicaFailure") or {}
    if failure.get("status") == "True":
        return Health(HealthStatus.DEGRADED, text(failure, "message"))
    wanted, available = number(obj, "spec.replicas"), number(obj, "status.availableReplicas")
    if available < wanted:
        return _waiting(f"{available} out of {wanted} new replicas are available...")
    return Health(HealthStatus.HEALTHY)


def _unobserved(obj: Manifest) -> bool:
    return number(obj, "metadata.generation") > number(obj, "status.observedGeneration")


def _waiting(message: str) -> Health:
    return Health(HealthStatus.PROGRESSING, f"Waiting for rollout to finish: {message}")


RULES: Table = {
    "apps/Deployment": deployment,
    "apps/StatefulSet": stateful_set,
    "apps/DaemonSet": daemon_set,
    "apps/ReplicaSet": replica_set,
}
