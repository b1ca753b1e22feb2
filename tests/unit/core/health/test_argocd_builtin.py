"""Argo CD's rules for Kubernetes' own kinds, state by state."""

import json

import pytest

from gitops_workers.core.health import health_of
from gitops_workers.core.model import Dialect, Health, HealthStatus

H, P, D, S, U = (
    HealthStatus.HEALTHY,
    HealthStatus.PROGRESSING,
    HealthStatus.DEGRADED,
    HealthStatus.SUSPENDED,
    HealthStatus.UNKNOWN,
)
FINISH = "Waiting for rollout to finish:"


def obj(api, kind, spec=None, status=None, **metadata):
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "web", "generation": 2} | metadata,
        "spec": spec or {},
        "status": {"observedGeneration": 2} | (status or {}),
    }


def judged(manifest):
    return health_of(manifest, Dialect.ARGOCD)


def condition(kind, status="True", reason="", message=""):
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"replicas": 3}, {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}, Health(H)),
        ({"replicas": 0}, {}, Health(H)),
        ({"replicas": 3, "paused": True}, {}, Health(S, "Deployment is paused")),
        (
            {"replicas": 3},
            {"observedGeneration": 1, "updatedReplicas": 3},
            Health(P, f"{FINISH} observed deployment generation less than desired generation"),
        ),
        (
            {"replicas": 3},
            condition("Progressing", "False", "ProgressDeadlineExceeded"),
            Health(D, 'Deployment "web" exceeded its progress deadline'),
        ),
        (
            {"replicas": 3},
            {"updatedReplicas": 1},
            Health(P, f"{FINISH} 1 out of 3 new replicas have been updated..."),
        ),
        (
            {"replicas": 3},
            {"replicas": 5, "updatedReplicas": 3, "availableReplicas": 5},
            Health(P, f"{FINISH} 2 old replicas are pending termination..."),
        ),
        (
            {"replicas": 3},
            {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2},
            Health(P, f"{FINISH} 2 of 3 updated replicas are available..."),
        ),
    ],
)
def test_deployment(spec, status, expected):
    assert judged(obj("apps/v1", "Deployment", spec, status)) == expected


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        (
            {"replicas": 2},
            {"observedGeneration": 0},
            Health(P, "Waiting for statefulset spec update to be observed..."),
        ),
        ({"replicas": 3}, {"readyReplicas": 1}, Health(P, "Waiting for 2 pods to be ready...")),
        (
            {"replicas": 4, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
            {"readyReplicas": 4, "updatedReplicas": 2},
            Health(P, "Waiting for partitioned roll out to finish: 2 out of 3 new pods have been updated..."),
        ),
        (
            {"replicas": 4, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
            {"readyReplicas": 4, "updatedReplicas": 3},
            Health(H, "partitioned roll out complete: 3 new pods have been updated..."),
        ),
        (
            {"replicas": 2, "updateStrategy": {"type": "OnDelete"}},
            {"readyReplicas": 2, "currentRevision": "a", "updateRevision": "b"},
            Health(H, "statefulset has 2 ready pods"),
        ),
        (
            {"replicas": 2},
            {"readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"},
            Health(P, "waiting for statefulset rolling update to complete 1 pods at revision b..."),
        ),
        (
            {"replicas": 2},
            {"readyReplicas": 2, "currentReplicas": 2, "currentRevision": "a", "updateRevision": "a"},
            Health(H, "statefulset rolling update complete 2 pods at revision a..."),
        ),
    ],
)
def test_stateful_set(spec, status, expected):
    assert judged(obj("apps/v1", "StatefulSet", spec, status)) == expected


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}, Health(H)),
        (
            {"updateStrategy": {"type": "OnDelete"}},
            {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1},
            Health(H, "daemon set 1 out of 2 new pods have been updated"),
        ),
        (
            {},
            {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1},
            Health(P, 'Waiting for daemon set "web" rollout to finish: 1 out of 2 new pods have been updated...'),
        ),
        (
            {},
            {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1},
            Health(P, 'Waiting for daemon set "web" rollout to finish: 1 of 2 updated pods are available...'),
        ),
    ],
)
def test_daemon_set(spec, status, expected):
    assert judged(obj("apps/v1", "DaemonSet", spec, status)) == expected


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (obj("apps/v1", "ReplicaSet", {"replicas": 1}, {"availableReplicas": 1}), Health(H)),
        (
            obj("apps/v1", "ReplicaSet", {"replicas": 2}, {"availableReplicas": 1}),
            Health(P, f"{FINISH} 1 out of 2 new replicas are available..."),
        ),
        (obj("apps/v1", "ReplicaSet", {}, condition("ReplicaFailure", message="quota")), Health(D, "quota")),
        (obj("batch/v1", "Job"), Health(P)),
        (obj("batch/v1", "Job", {}, condition("Complete")), Health(H)),
        (obj("batch/v1", "Job", {}, condition("Failed", message="backoff limit")), Health(D, "backoff limit")),
        (obj("batch/v1", "Job", {}, condition("Suspended", message="Job suspended")), Health(S, "Job suspended")),
        (obj("batch/v1", "Job", {}, condition("Suspended", "False")), Health(P)),
        (
            obj(
                "batch/v1",
                "CronJob",
                {},
                {"lastScheduleTime": "2026-01-02T00:00:00Z", "lastSuccessfulTime": "2026-01-01T00:00:00Z"},
            ),
            Health(D, "CronJob has not completed its last execution successfully"),
        ),
        (
            obj("argoproj.io/v1alpha1", "Workflow", {}, {"phase": "Error", "message": "pod deleted"}),
            Health(D, "pod deleted"),
        ),
        (obj("v1", "Service", {"type": "ClusterIP"}), Health(H)),
        (obj("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {}}), Health(P)),
        (
            obj("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}),
            Health(H),
        ),
        (obj("networking.k8s.io/v1", "Ingress"), Health(P)),
        (obj("networking.k8s.io/v1", "Ingress", {}, {"loadBalancer": {"ingress": [{}]}}), Health(H)),
        (obj("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}), Health(H)),
        (obj("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}), Health(P)),
        (obj("v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}), Health(D)),
        (obj("v1", "PersistentVolumeClaim", {}, {"phase": "odd"}), Health(U)),
        (
            obj("apiregistration.k8s.io/v1", "APIService", {}, condition("Available", "True", "Passed", "all checks")),
            Health(H, "Passed: all checks"),
        ),
        (
            obj(
                "apiregistration.k8s.io/v1", "APIService", {}, condition("Available", "False", "Missing", "no endpoint")
            ),
            Health(P, "Missing: no endpoint"),
        ),
        (obj("apiregistration.k8s.io/v1", "APIService"), Health(P, "Waiting to be processed")),
        (obj("v1", "ConfigMap"), None),
        (obj("apps.example.com/v1", "Deployment", {"paused": True}), None),
    ],
)
def test_the_other_kinds(manifest, expected):
    assert judged(manifest) == expected


AUTOSCALING = "autoscaling.alpha.kubernetes.io/conditions"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], Health(P, "Waiting to Autoscale")),
        ([{"type": "AbleToScale", "status": "True", "message": "fine"}], Health(H, "fine")),
        (
            [
                {"type": "AbleToScale", "status": "True", "message": "fine"},
                {
                    "type": "ScalingActive",
                    "status": "False",
                    "reason": "FailedGetResourceMetric",
                    "message": "no metric",
                },
            ],
            Health(D, "no metric"),
        ),
        (
            [{"type": "AbleToScale", "status": "False", "reason": "FailedGetScale", "message": "gone"}],
            Health(D, "gone"),
        ),
    ],
)
def test_an_autoscaler_says_the_same_in_every_version(conditions, expected):
    new = obj("autoscaling/v2", "HorizontalPodAutoscaler", {}, {"conditions": conditions})
    old = obj("autoscaling/v1", "HorizontalPodAutoscaler", annotations={AUTOSCALING: json.dumps(conditions)})
    assert judged(new) == judged(old) == expected


def pod(phase, policy="Always", container=None, annotations=None, **status):
    containers = {"containerStatuses": [{"name": "app"} | (container or {})]}
    marks = {"annotations": annotations} if annotations else {}
    return obj("v1", "Pod", {"restartPolicy": policy}, {"phase": phase} | containers | status, **marks)


OPERATED = {"argocd.argoproj.io/ignore-restart-policy": "true"}
HOOKED = {**OPERATED, "argocd.argoproj.io/hook": "PreSync"}


WAITING = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (pod("Pending", container=WAITING), Health(D, "no such image")),
        (pod("Pending", "Never", container=WAITING), Health(P)),
        (pod("Succeeded", "Never"), Health(H)),
        (pod("Failed", "Never", message="evicted"), Health(D, "evicted")),
        (
            pod("Failed", "Never", {"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}),
            Health(D, "OOMKilled"),
        ),
        (
            pod("Failed", "Never", {"state": {"terminated": {"exitCode": 2}}}),
            Health(D, 'container "app" failed with exit code 2'),
        ),
        (pod("Running", **condition("Ready")), Health(H)),
        (pod("Running", container={"lastState": {"terminated": {"exitCode": 1}}}), Health(D)),
        (pod("Running"), Health(P)),
        (pod("Running", "OnFailure", **condition("Ready")), Health(P)),
        (pod("Running", "Never", annotations=OPERATED, **condition("Ready")), Health(H)),
        (pod("Running", "Never", annotations=OPERATED), Health(P)),
        (pod("Pending", "Never", WAITING, OPERATED), Health(D, "no such image")),
        (pod("Running", "Never", annotations=HOOKED, **condition("Ready")), Health(P)),
        (pod("Pending", "Never", WAITING, HOOKED), Health(P)),
        (pod("Strange"), Health(U)),
    ],
)
def test_pod(manifest, expected):
    assert judged(manifest) == expected


def test_a_finished_hook_that_our_finalizer_holds_keeps_its_health():
    leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    ours = leaving | {"finalizers": ["argocd.argoproj.io/hook-finalizer"]}
    done = condition("Complete")
    assert judged(obj("batch/v1", "Job", {}, done, **leaving)) == Health(P, "Pending deletion")
    assert judged(obj("batch/v1", "Job", {}, done, **ours)) == Health(H)
    assert judged(obj("v1", "ConfigMap", **leaving)) == Health(P, "Pending deletion")
