"""What was agreed is remembered exactly, and status never looks like a change."""

from __future__ import annotations

import json

from gitops_workers.core.diff.sync_baseline import ObjectBaseline, SyncBaseline, content_of, fingerprint, is_baseline
from gitops_workers.core.documents.kinds import BASELINE
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import ObjectKey
from tests.unit.core.making import application, desired, manifest

KEY = ObjectKey("apps", "Deployment", "shop", "web")


def test_an_agreement_survives_its_trip_through_the_store() -> None:
    health = Health(HealthStatus.PROGRESSING, "waiting | for it")
    agreement = SyncBaseline(
        "c" * 40,
        "closure",
        "rendered",
        "synced",
        {KEY: ObjectBaseline("d", "u", "7", "x", health), KEY._replace(name="b"): ObjectBaseline("e", "v", "8", "y")},
    )
    assert BASELINE.loads(json.loads(json.dumps(BASELINE.dumps(agreement)))) == agreement


def test_status_and_versions_are_no_change_of_content() -> None:
    live = manifest("Deployment", "web", "apps/v1", namespace="shop", spec={"replicas": 1})
    later = json.loads(json.dumps(live)) | {"status": {"replicas": 1}}
    later["metadata"] |= {"resourceVersion": "9", "generation": 3, "managedFields": [{}]}
    later["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "1"}
    assert content_of(later) == content_of(live)


def test_a_hand_made_change_is_one() -> None:
    live = manifest("Deployment", "web", "apps/v1", namespace="shop", spec={"replicas": 1})
    assert content_of(live) != content_of({**live, "spec": {"replicas": 2}})


def test_the_fingerprint_is_that_of_the_cluster_poll() -> None:
    (item,) = desired(application(), manifest("ConfigMap", "a"))
    live = {**item.manifest, "metadata": {**item.manifest["metadata"], "uid": "u", "resourceVersion": "5"}}
    agreement = SyncBaseline(objects={item.key: is_baseline(item, live, None)})
    assert agreement.fingerprint == fingerprint([(item.key, "u", "5")])
    assert agreement.fingerprint != fingerprint([(item.key, "u", "6")])
