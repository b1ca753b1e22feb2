"""What a sync would do, told without a cluster: order, actions and reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest
from gitops_workers.core.sync.preview import Preview, first_difference, preview
from tests.unit.core.making import application, crd, manifest

WEB = manifest("Deployment", "web", "apps/v1", "shop", wave=-1, spec={"replicas": 2})
CONFIG = manifest("ConfigMap", "web", namespace="shop", data={"a": "1"})


def shown(found: Preview) -> list[tuple[int, str, str]]:
    return [(row.wave, row.action, f"{row.key.kind}/{row.key.name}") for row in found.tasks]


def test_the_order_of_argo_cd_with_definitions_moved_ahead():
    objects = [CONFIG, WEB, manifest("Namespace", "shop"), manifest("Widget", "w", "example.com/v1", "shop", wave=2)]

    found = preview(application(prune=True), [*objects, crd("Widget", "example.com")], [])

    assert shown(found) == [
        (-1, "create", "Namespace/shop"),
        (-1, "create", "Deployment/web"),
        (0, "create", "ConfigMap/web"),
        (0, "create", "CustomResourceDefinition/widgets.example.com"),
        (2, "create", "Widget/w"),
    ]
    assert found.tasks[0].why == "not in the cluster; moved from wave 0 ahead of the first object that needs it"
    assert found.tasks[1].why == "not in the cluster; wave -1 by annotation"


def test_the_stages_of_flux():
    found = preview(
        application(Dialect.FLUX, prune=True),
        [CONFIG, manifest("StorageClass", "fast", "storage.k8s.io/v1"), manifest("Namespace", "shop")],
        [manifest("ConfigMap", "old", namespace="shop")],
    )

    assert shown(found) == [
        (0, "create", "Namespace/shop"),
        (1, "create", "StorageClass/fast"),
        (2, "create", "ConfigMap/web"),
        (2, "prune", "ConfigMap/old"),
    ]


def test_what_the_cluster_has_is_compared_in_what_git_names():
    live_web = {**WEB, "spec": {"replicas": 1, "paused": False}, "status": {"replicas": 1}}
    live_config = {**CONFIG, "metadata": {**CONFIG["metadata"], "uid": "1", "labels": {"x": "y"}}}

    found = preview(application(prune=True), [WEB, CONFIG], [live_web, live_config])

    assert [(row.action, row.why.partition(";")[0]) for row in found.tasks] == [
        ("update", "differs at spec.replicas"),
        ("none", "agrees with the live object"),
    ]


def test_what_left_git_is_pruned_in_turned_waves_or_kept_with_the_reason():
    early = manifest("ConfigMap", "early", namespace="shop", wave=0)
    late = manifest("ConfigMap", "late", namespace="shop", wave=5)
    kept = manifest("ConfigMap", "kept", namespace="shop")
    kept["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}

    found = preview(application(prune=True), [CONFIG], [CONFIG, early, late, kept])
    off = preview(application(prune=False), [CONFIG], [CONFIG, early])

    assert shown(found) == [
        (0, "prune", "ConfigMap/late"),
        (0, "none", "ConfigMap/web"),
        (5, "prune", "ConfigMap/early"),
        (0, "keep", "ConfigMap/kept"),
    ]
    assert off.tasks[-1].why == "no longer in Git, and prune is off"


def test_an_object_that_asks_for_a_confirmation_is_not_said_to_be_pruned():
    asking = manifest("ConfigMap", "asking", namespace="shop")
    asking["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=confirm"}
    gone = manifest("ConfigMap", "gone", namespace="shop")

    found = preview(application(prune=True), [CONFIG], [CONFIG, asking, gone])

    assert [(row.action, row.key.name) for row in found.tasks if row.key.name != "web"] == [
        ("prune", "gone"),
        ("confirm", "asking"),
    ]


def test_deletes_that_need_a_yes_say_so():
    many = [manifest("ConfigMap", f"c{number}", namespace="shop") for number in range(20)]

    assert "20 of 21 objects would be deleted" in preview(application(prune=True), [CONFIG], [CONFIG, *many]).consent
    assert not preview(application(prune=True), [CONFIG], [CONFIG]).consent


def test_objects_without_a_namespace_get_the_destinations_and_custom_ones_are_guessed():
    app = replace(application(prune=True))
    objects = [
        manifest("ConfigMap", "a"),
        manifest("ClusterIssuer", "b", "cert-manager.io/v1"),
        manifest("Issuer", "c", "cert-manager.io/v1"),
    ]

    places = {row.key.name: row.key.namespace for row in preview(app, objects, []).tasks}

    assert places == {"a": "shop", "b": "", "c": "shop"}


@pytest.mark.parametrize(
    ("desired", "live", "place"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, None),
        ({"a": 1}, {}, ("a",)),
        ({"a": {"b": [1]}}, {"a": {"b": [1, 2]}}, ("a", "b")),
        ({"a": [{"name": "x", "v": 1}]}, {"a": [{"name": "y"}, {"name": "x", "v": 1, "d": 2}]}, None),
        ({"a": [{"name": "x", "v": 1}]}, {"a": [{"name": "y"}]}, ("a", 0)),
        ({"a": [{"name": "x", "v": 1}]}, {"a": [{"name": "x", "v": 2}]}, ("a", 0, "v")),
        ({"a": "1"}, {"a": 1}, ("a",)),
        ({"a": None, "b": []}, {}, None),
        ({"rules": []}, {"rules": None}, None),
        ({"rules": []}, {"rules": [{}]}, ("rules",)),
        ({"annotations": {}, "data": {}}, {}, None),
        ({"emptyDir": {}}, {}, ("emptyDir",)),
        ({"env": [{"name": "A", "value": ""}]}, {"env": [{"name": "A"}]}, None),
        ({"storageClassName": ""}, {}, ("storageClassName",)),
        ({"limits": {"cpu": "1000m", "memory": 1073741824}}, {"limits": {"cpu": "1", "memory": "1Gi"}}, None),
        ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "2"}}, ("limits", "cpu")),
        ({"hard": {"pods": "010", "cpu": 0.5}}, {"hard": {"pods": "10", "cpu": "500m"}}, None),
        ({"limits": {"cpu": True}}, {"limits": {"cpu": "1"}}, ("limits", "cpu")),
        ({"target": {"averageValue": "1e3"}}, {"target": {"averageValue": "1k"}}, None),
        ({"data": {"cpu": "1000m"}}, {"data": {"cpu": "1"}}, ("data", "cpu")),
    ],
)
def test_the_first_difference(desired: Manifest, live: Manifest, place: Any):
    assert first_difference(desired, live) == place


@pytest.mark.parametrize(("text", "action"), [("1", "none"), ("2", "update")])
def test_the_texts_of_a_secret_are_compared_as_the_server_keeps_them(text: str, action: str):
    wanted = manifest("Secret", "a", namespace="shop", stringData={"v": text}, data={"w": "MQ=="})
    live = manifest("Secret", "a", namespace="shop", data={"v": "MQ==", "w": "MQ=="})
    assert shown(preview(application(), [wanted], [live])) == [(0, action, "Secret/a")]


def test_hooks_run_in_their_phases_and_live_ones_are_not_pruned():
    def task(name: str, phase: str) -> Manifest:
        found = manifest("Job", name, "batch/v1", "shop")
        found["metadata"]["annotations"] = {"argocd.argoproj.io/hook": phase}
        return found

    objects = [
        CONFIG,
        task("migrate", "PreSync"),
        task("warm", "PostSync"),
        task("cry", "SyncFail"),
        task("no", "Skip"),
        task("typo", "Presync"),
    ]

    found = preview(application(prune=True), objects, [CONFIG, task("earlier", "PreSync")])

    assert [(row.phase, row.wave, row.action, row.key.name) for row in found.tasks] == [
        ("PreSync", 0, "run", "migrate"),
        ("Sync", 0, "none", "web"),
        ("PostSync", 0, "run", "warm"),
        ("SyncFail", 0, "run", "cry"),
        ("Sync", 0, "skip", "typo"),
    ]
    assert "has Presync, known are" in found.tasks[4].why
    assert found.tasks[0].why == "hook; its object is deleted: BeforeHookCreation"
    assert found.tasks[3].why.startswith("hook; only when the sync has failed")
