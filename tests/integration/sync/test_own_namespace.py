"""One commit must not take everybody's records away: the engine's namespace on a real cluster."""

from __future__ import annotations

import json

from gitops_workers.core.model import SyncStatus
from gitops_workers.core.objects import Manifest
from gitops_workers.core.record.record import applyset_id, record_name
from tests.integration.sync.test_mishaps import tell, value
from tests.integration.sync.yard import Yard, config_map

NAMESPACE = "/api/v1/namespaces/gitops-workers"
OWN: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gitops-workers"}}


def test_git_that_names_the_engines_namespace_is_refused_and_writes_nothing(yard: Yard) -> None:
    yard.adopt()
    yard.commit(config_map("a", v="1"))
    yard.until_synced()

    yard.commit(config_map("a", v="2"), OWN)
    message = tell(yard, "Namespace gitops-workers: namespace gitops-workers holds the records")
    assert "Take it out of Git" in message
    assert value(yard, "a") == "1"

    yard.commit(config_map("a", v="3"))
    yard.until_synced()
    assert yard.plane.call("GET", NAMESPACE)[1]["status"]["phase"] == "Active"


def test_a_namespace_that_was_adopted_earlier_stays_when_git_drops_it(yard: Yard) -> None:
    """As an earlier release left it: in the inventory, with both of the application's marks on it."""
    yard.adopt()
    yard.commit(config_map("a", v="1"))
    yard.until_synced()
    path = f"{NAMESPACE}/configmaps/{record_name(yard.app)}"
    document = json.loads(yard.plane.call("GET", path)[1]["data"]["record"])
    document["inventory"].append(["", "Namespace", "", "gitops-workers", "v1"])
    assert yard.plane.call("PATCH", path, {"data": {"record": json.dumps(document)}})[0] == 200
    name = yard.applications[yard.app].name
    marks = {
        "labels": {"applyset.kubernetes.io/part-of": applyset_id(yard.app)},
        "annotations": {"argocd.argoproj.io/tracking-id": f"{name}:/Namespace:/gitops-workers"},
    }
    assert yard.plane.call("PATCH", NAMESPACE, {"metadata": marks})[0] == 200
    try:
        yard.commit(config_map("a", v="2"))
        yard.until_synced()
        yard.ask(yard.app, prune=True)
        yard.run(30)
        namespace = yard.plane.call("GET", NAMESPACE)[1]
        assert "deletionTimestamp" not in namespace["metadata"]
        assert yard.status(yard.app).sync is SyncStatus.SYNCED
        assert value(yard, "a") == "2"
    finally:
        bare = {key: dict.fromkeys(value) for key, value in marks.items()}
        assert yard.plane.call("PATCH", NAMESPACE, {"metadata": bare})[0] == 200


def test_a_record_that_is_gone_with_our_copy_of_it_is_rebuilt_from_the_marks(yard: Yard) -> None:
    """What Git does not have any more is kept until somebody agrees: marks may outlive their application."""
    service: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    yard.adopt()
    yard.commit(config_map("a", v="1"), config_map("left", v="1"), service)
    yard.until_synced()
    assert yard.plane.call("DELETE", f"{NAMESPACE}/configmaps/{record_name(yard.app)}")[0] == 200
    yard.flush()

    yard.commit(config_map("a", v="2"), service)
    yard.until(lambda: value(yard, "a") == "2", "the sync")
    yard.until(lambda: yard.status(yard.app).sync is SyncStatus.OUT_OF_SYNC, "the status")
    assert "RecordRebuiltWarning" in [item.type for item in yard.status(yard.app).conditions]
    assert value(yard, "left") == "1"
    stored = yard.real.records("east").load(yard.app)
    assert stored is not None
    assert {item.key.name for item in stored.record.inventory} == {"a", "left", "web"}
    assert {item.key.kind for item in stored.record.inventory} == {"ConfigMap", "Service"}, "no mirror of the Service"

    yard.ask(yard.app, prune=True)
    yard.until(lambda: value(yard, "left") is None, "the prune")
    yard.until_synced()
