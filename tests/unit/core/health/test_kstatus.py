"""kstatus as Flux runs it, rule by rule."""

import pytest

from gitops_workers.core.health import health_of
from gitops_workers.core.model import Dialect, HealthStatus

CURRENT, WAITING, FAILED = HealthStatus.CURRENT, HealthStatus.IN_PROGRESS, HealthStatus.FAILED
CREATED = "2026-01-01T00:00:00Z"
CREATED_AT = 1767225600.0


def obj(api, kind, spec=None, status=None, **metadata):
    found = {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "web", "generation": 2} | metadata,
        "spec": spec or {},
    }
    return found if status is None else found | {"status": status}


def conditions(*pairs):
    return {"conditions": [{"type": kind, "status": status, "reason": reason} for kind, status, reason in pairs]}


def judged(manifest, now=None):
    return health_of(manifest, Dialect.FLUX, now=now).status


REPLICAS = dict.fromkeys(
    ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas", "currentReplicas", "fullyLabeledReplicas"), 3
)
AVAILABLE = conditions(("Available", "True", ""), ("Progressing", "True", "NewReplicaSetAvailable"))
DAEMONS = dict.fromkeys(
    ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady"), 3
)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (obj("v1", "ConfigMap", deletionTimestamp=CREATED), HealthStatus.TERMINATING),
        (obj("example.com/v1", "Thing", {}, {"observedGeneration": 1} | conditions(("Ready", "True", ""))), WAITING),
        (obj("example.com/v1", "Thing", {}, {"observedGeneration": -1}), WAITING),
        (obj("example.com/v1", "Thing", {}, conditions(("Ready", "True", ""), ("Reconciling", "True", ""))), WAITING),
        (obj("example.com/v1", "Thing", {}, conditions(("Stalled", "True", ""), ("Ready", "False", ""))), FAILED),
        (obj("example.com/v1", "Thing", {}, conditions(("Reconciling", "True", ""), ("Stalled", "True", ""))), WAITING),
        (obj("example.com/v1", "Thing", {}, conditions(("Ready", "True", ""))), CURRENT),
        (obj("example.com/v1", "Thing", {}, conditions(("Ready", "False", ""))), WAITING),
        (obj("example.com/v1", "Thing", {}, conditions(("Ready", "Unknown", ""))), WAITING),
        (obj("example.com/v1", "Thing"), CURRENT),
        (obj("v1", "Secret"), CURRENT),
        (obj("policy/v1", "PodDisruptionBudget", {}, conditions(("DisruptionAllowed", "False", ""))), CURRENT),
        (obj("v1", "Service", {"type": "LoadBalancer"}), WAITING),
        (obj("v1", "Service", {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}), CURRENT),
        (obj("v1", "Service", {"type": "NodePort"}), CURRENT),
        (obj("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}), CURRENT),
        (obj("v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}), WAITING),
        (obj("v1", "Pod", {}, {"phase": "Failed"}), CURRENT),
        (obj("v1", "Pod", {}, {"phase": "Succeeded"}), CURRENT),
        (obj("v1", "Pod", {}, {"phase": "Running"} | conditions(("Ready", "True", ""))), CURRENT),
        (obj("v1", "Pod", {}, {"phase": "Running"}), WAITING),
        (obj("v1", "Pod", {}, {}), WAITING),
        (obj("v1", "Pod", {}, {"phase": "Odd"}), HealthStatus.UNKNOWN),
        (
            obj(
                "v1",
                "Pod",
                {},
                {
                    "phase": "Running",
                    "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
                },
            ),
            FAILED,
        ),
        (obj("apps/v1", "Deployment", {"replicas": 3}, REPLICAS | AVAILABLE), CURRENT),
        (obj("apps/v1", "Deployment", {"replicas": 3}, REPLICAS), WAITING),
        (obj("apps/v1", "Deployment", {"replicas": 4}, REPLICAS | AVAILABLE), WAITING),
        (obj("apps/v1", "Deployment", {"replicas": 2}, REPLICAS | AVAILABLE), WAITING),
        (obj("apps/v1", "Deployment", {"replicas": 3}, REPLICAS | AVAILABLE | {"availableReplicas": 2}), WAITING),
        (obj("apps/v1", "Deployment", {"replicas": 3}, REPLICAS | AVAILABLE | {"readyReplicas": 2}), WAITING),
        (
            obj(
                "apps/v1",
                "Deployment",
                {"replicas": 3, "progressDeadlineSeconds": 60},
                REPLICAS | conditions(("Available", "True", ""), ("Progressing", "True", "ReplicaSetUpdated")),
            ),
            WAITING,
        ),
        (obj("apps/v1", "Deployment", {}, conditions(("Progressing", "False", "ProgressDeadlineExceeded"))), FAILED),
        (obj("apps/v1", "ReplicaSet", {"replicas": 3}, REPLICAS), CURRENT),
        (obj("apps/v1", "ReplicaSet", {"replicas": 3}, REPLICAS | conditions(("ReplicaFailure", "True", ""))), WAITING),
        (obj("apps/v1", "StatefulSet", {"replicas": 3}, REPLICAS), CURRENT),
        (obj("apps/v1", "StatefulSet", {"replicas": 3}, REPLICAS | {"currentReplicas": 2}), WAITING),
        (
            obj("apps/v1", "StatefulSet", {"replicas": 3}, REPLICAS | {"currentRevision": "a", "updateRevision": "b"}),
            WAITING,
        ),
        (obj("apps/v1", "StatefulSet", {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}, {}), CURRENT),
        (
            obj(
                "apps/v1",
                "StatefulSet",
                {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
                REPLICAS | {"updatedReplicas": 1, "currentReplicas": 2},
            ),
            CURRENT,
        ),
        (obj("apps/v1", "DaemonSet", {}, {"observedGeneration": 2} | DAEMONS), CURRENT),
        (obj("apps/v1", "DaemonSet", {}, DAEMONS), WAITING),
        (obj("apps/v1", "DaemonSet", {}, {"observedGeneration": 2} | DAEMONS | {"numberReady": 2}), WAITING),
        (obj("batch/v1", "Job"), WAITING),
        (obj("batch/v1", "Job", {}, {"startTime": CREATED, "active": 1}), WAITING),
        (obj("batch/v1", "Job", {"suspend": True}), CURRENT),
        (obj("batch/v1", "Job", {}, conditions(("Complete", "True", ""))), CURRENT),
        (obj("batch/v1", "Job", {"suspend": True}, conditions(("Failed", "True", ""))), CURRENT),
        (obj("batch/v1", "Job", {}, conditions(("Failed", "True", ""))), FAILED),
        (obj("apiextensions.k8s.io/v1", "CustomResourceDefinition"), WAITING),
        (
            obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, conditions(("Established", "True", ""))),
            CURRENT,
        ),
        (
            obj(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                {},
                conditions(("Established", "False", "Installing")),
            ),
            WAITING,
        ),
        (
            obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, conditions(("NamesAccepted", "False", ""))),
            FAILED,
        ),
    ],
)
def test_a_kind_is_judged_as_flux_judges_it(manifest, expected):
    assert judged(manifest) is expected


@pytest.mark.parametrize(
    ("now", "expected"), [(None, WAITING), (CREATED_AT + 14.9, WAITING), (CREATED_AT + 15, FAILED)]
)
def test_a_pod_may_be_unschedulable_for_fifteen_seconds(now, expected):
    status = {"phase": "Pending"} | conditions(("PodScheduled", "False", "Unschedulable"))
    assert judged(obj("v1", "Pod", {}, status, creationTimestamp=CREATED), now) is expected
