"""kstatus as Flux runs it (flux.md section 2; fluxcd/cli-utils with the Job reader of kustomize-controller 1.9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from gitops_workers.core.health.fields import condition, items, number, read, text
from gitops_workers.core.health.rules import false, reason, true
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest, group_of

UNSCHEDULABLE_GRACE: Final = 15.0
"""Seconds that a pod may be unschedulable before that counts as a failure: an autoscaler needs a moment."""


def health(obj: Manifest, now: float | None = None) -> Health:
    """The status of a live object. `now` is seconds since 1970; without it an unschedulable pod is still waiting."""
    if read(obj, "metadata.deletionTimestamp") is not None:
        return Health(HealthStatus.TERMINATING, "Resource scheduled for deletion")
    generation, seen = read(obj, "metadata.generation"), read(obj, "status.observedGeneration")
    kind, group = text(obj, "kind"), group_of(text(obj, "apiVersion"))
    if generation is not None and seen is not None and seen != generation:
        return _waiting(f"{kind} generation is {generation}, but latest observed generation is {seen}")
    for item in items(obj, "status.conditions"):
        if item.get("status") == "True" and item.get("type") == "Reconciling":
            return _waiting(text(item, "message"))
        if item.get("status") == "True" and item.get("type") == "Stalled":
            return _failed(text(item, "message"))
    if (group, kind) == ("", "Pod"):
        return _pod(obj, now)
    rule = _KINDS.get((group, kind))
    return rule(obj) if rule is not None else _generic(obj)


def _generic(obj: Manifest) -> Health:
    ready = condition(obj, "Ready")
    if ready is None or ready.get("status") == "True":
        return _current(text(ready, "message", "Resource is current"))
    return _waiting(text(ready, "message", "Ready is not True"))


def _always(_: Manifest) -> Health:
    return _current("Resource is always ready")


def _service(obj: Manifest) -> Health:
    if read(obj, "spec.type") == "LoadBalancer" and not text(obj, "spec.clusterIP"):
        return _waiting("Service of type LoadBalancer has no cluster IP yet")
    return _current("Service is ready")


def _claim(obj: Manifest) -> Health:
    phase = text(obj, "status.phase", "unknown")
    return _current("PVC is Bound") if phase == "Bound" else _waiting(f"PVC is not Bound. phase: {phase}")


def _pod(obj: Manifest, now: float | None) -> Health:
    phase = text(obj, "status.phase")
    if phase in ("Succeeded", "Failed"):
        return _current(f"Pod has completed with phase {phase}")
    if phase == "Running":
        if true("Ready")(obj):
            return _current("Pod is Ready")
        crashing = [
            text(item, "name")
            for item in items(obj, "status.containerStatuses")
            if read(item, "state.waiting.reason") == "CrashLoopBackOff"
        ]
        return (
            _failed(f"Containers in CrashLoop state: {', '.join(crashing)}")
            if crashing
            else _waiting("Pod is running but is not Ready")
        )
    if phase == "Pending" and false("PodScheduled")(obj) and reason("PodScheduled", "Unschedulable")(obj):
        age = _age(obj, now)
        if age is not None and age >= UNSCHEDULABLE_GRACE:
            return _failed("Pod could not be scheduled")
        return _waiting("Pod has not been scheduled")
    if phase in ("", "Pending"):
        return _waiting("Pod is pending" if phase else "Pod phase not available")
    return Health(HealthStatus.UNKNOWN, f"unknown pod phase: {phase}")


def _age(obj: Manifest, now: float | None) -> float | None:
    try:
        created = datetime.fromisoformat(text(obj, "metadata.creationTimestamp"))
    except ValueError:
        return None
    return None if now is None or created.tzinfo is None else now - created.timestamp()


def _deployment(obj: Manifest) -> Health:
    wanted, replicas = number(obj, "spec.replicas", 1), number(obj, "status.replicas")
    updated, available = number(obj, "status.updatedReplicas"), number(obj, "status.availableReplicas")
    ready = number(obj, "status.readyReplicas")
    if reason("Progressing", "ProgressDeadlineExceeded")(obj):
        return _failed("Progress deadline exceeded")
    if wanted > replicas:
        return _waiting(f"replicas: {replicas}/{wanted}")
    if wanted > updated:
        return _waiting(f"Updated: {updated}/{wanted}")
    if replicas > wanted:
        return _waiting(f"Pending termination: {replicas - wanted}")
    if updated > available:
        return _waiting(f"Available: {available}/{updated}")
    if wanted > ready:
        return _waiting(f"Ready: {ready}/{wanted}")
    rolled_out = true("Progressing")(obj) and reason("Progressing", "NewReplicaSetAvailable")(obj)
    if read(obj, "spec.progressDeadlineSeconds") is not None and not rolled_out:
        return _waiting("ReplicaSet not Available")
    if not true("Available")(obj):
        return _waiting("Deployment not Available")
    return _current(f"Deployment is available. Replicas: {replicas}")


def _replica_set(obj: Manifest) -> Health:
    if true("ReplicaFailure")(obj):
        return _waiting("Replica Failure condition. Check Pods")
    wanted = number(obj, "spec.replicas", 1)
    for name, field in (
        ("Labelled", "fullyLabeledReplicas"),
        ("Available", "availableReplicas"),
        ("Ready", "readyReplicas"),
    ):
        if wanted > number(obj, f"status.{field}"):
            return _waiting(f"{name}: {number(obj, f'status.{field}')}/{wanted}")
    replicas = number(obj, "status.replicas")
    if replicas > wanted:
        return _waiting(f"replicas: {replicas}/{wanted}")
    return _current(f"ReplicaSet is available. Replicas: {replicas}")


def _stateful_set(obj: Manifest) -> Health:
    if read(obj, "spec.updateStrategy.type") == "OnDelete":
        return _current("StatefulSet is using the ondelete update strategy")
    wanted, replicas = number(obj, "spec.replicas", 1), number(obj, "status.replicas")
    ready, current = number(obj, "status.readyReplicas"), number(obj, "status.currentReplicas")
    updated = number(obj, "status.updatedReplicas")
    if wanted > replicas:
        return _waiting(f"Replicas: {replicas}/{wanted}")
    if wanted > ready:
        return _waiting(f"Ready: {ready}/{wanted}")
    if replicas > wanted:
        return _waiting(f"Pending termination: {replicas - wanted}")
    partition = number(obj, "spec.updateStrategy.rollingUpdate.partition", -1)
    if partition > 0:
        if updated < wanted - partition:
            return _waiting(f"updated: {updated}/{wanted - partition}")
        return _current(f"Partition rollout complete. updated: {updated}")
    if wanted > current:
        return _waiting(f"current: {current}/{wanted}")
    if read(obj, "status.currentRevision") != read(obj, "status.updateRevision"):
        return _waiting("Waiting for updated revision to match current")
    return _current(f"All replicas scheduled as expected. Replicas: {replicas}")


def _daemon_set(obj: Manifest) -> Health:
    if read(obj, "metadata.generation") is None or read(obj, "status.observedGeneration") is None:
        return _waiting("Missing generation or observedGeneration")
    if read(obj, "status.desiredNumberScheduled") is None:
        return _waiting("Missing .status.desiredNumberScheduled")
    wanted = number(obj, "status.desiredNumberScheduled")
    for name, field in (
        ("Current", "currentNumberScheduled"),
        ("Updated", "updatedNumberScheduled"),
        ("Available", "numberAvailable"),
        ("Ready", "numberReady"),
    ):
        if wanted > number(obj, f"status.{field}"):
            return _waiting(f"{name}: {number(obj, f'status.{field}')}/{wanted}")
    return _current(f"All replicas scheduled as expected. Replicas: {wanted}")


def _job(obj: Manifest) -> Health:
    # Plain kstatus calls a running Job Current; Flux waits for its end, except for one that is suspended on purpose.
    if read(obj, "spec.suspend") is True:
        return _current("Job is suspended")
    parallelism = number(obj, "spec.parallelism", 1)
    completions = number(obj, "spec.completions", parallelism)
    active, succeeded, failures = (number(obj, f"status.{name}") for name in ("active", "succeeded", "failed"))
    for item in items(obj, "status.conditions"):
        if (text(item, "type"), text(item, "status")) == ("Complete", "True"):
            return _current(f"Job Completed. succeeded: {succeeded}/{completions}")
        if (text(item, "type"), text(item, "status")) == ("Failed", "True"):
            why = f" error: {text(item, 'message')}" if text(item, "message") else ""
            return _failed(f"Job Failed. failed: {failures}/{completions}{why}")
    if not text(obj, "status.startTime"):
        return _waiting(f"Job not started. active: 0/{parallelism}")
    return _waiting(f"Job in progress. success:{succeeded}, active: {active}, failed: {failures}")


def _crd(obj: Manifest) -> Health:
    if false("NamesAccepted")(obj):
        return _failed(text(obj, "@NamesAccepted.message"))
    if false("Established")(obj) and not reason("Established", "Installing")(obj):
        return _failed(text(obj, "@Established.message"))
    return _current("CRD is established") if true("Established")(obj) else _waiting("Install in progress")


_KINDS: Final[dict[tuple[str, str], Callable[[Manifest], Health]]] = {
    ("", "ConfigMap"): _always,
    ("", "Secret"): _always,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _always,
    ("policy", "PodDisruptionBudget"): _always,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
}


def _current(message: str) -> Health:
    return Health(HealthStatus.CURRENT, message)


def _waiting(message: str) -> Health:
    return Health(HealthStatus.IN_PROGRESS, message)


def _failed(message: str) -> Health:
    return Health(HealthStatus.FAILED, message)
