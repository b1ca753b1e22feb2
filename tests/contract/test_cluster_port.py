"""What the pipeline may rely on of a cluster: one suite over a real API server and over the twin in memory."""

from __future__ import annotations

import pytest

from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.core.diff.field_manager_migration import after_replace, migration
from gitops_workers.core.errors import ApplyRefused, Superseded
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import GroupKind, ObjectKey, key_of
from gitops_workers.testing.volatile_cluster import VolatileCluster
from tests.contract.cluster_grounds import (
    PART_OF,
    Ground,
    config_map,
    definition,
    deployment,
    transport_of,
)

CONFIG_MAP = GroupKind("", "ConfigMap")


@pytest.fixture(params=["volatile", "real"])
def ground(request) -> Ground:
    if request.param == "volatile":
        twin = VolatileCluster()
        twin.edit({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        return Ground(twin, "shop", twin.edit, lambda manifest: twin.remove(key_of(manifest)))
    plane, namespace = request.getfixturevalue("planes")[0], request.getfixturevalue("namespace")
    path = f"/api/v1/namespaces/{namespace}/configmaps"

    def edit(manifest, manager=""):
        query = f"?fieldManager={manager}" if manager else ""
        status, answer = plane.call("PATCH", f"{path}/{manifest['metadata']['name']}{query}", manifest)
        if status == 404:
            status, answer = plane.call("POST", f"{path}{query}", manifest)
        assert status in (200, 201), answer
        return answer

    def remove(manifest):
        assert plane.call("DELETE", f"{path}/{manifest['metadata']['name']}")[0] == 200

    return Ground(HttpCluster(transport_of(plane)), namespace, edit, remove)


def test_an_apply_creates_then_updates(ground):
    first = ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=False)
    second = ground.cluster.apply(config_map(ground.namespace, a="2"), dry_run=False)
    assert (first.created, second.created) == (True, False)
    assert first.manifest["metadata"]["uid"] == second.manifest["metadata"]["uid"]
    assert first.manifest["metadata"]["resourceVersion"] != second.manifest["metadata"]["resourceVersion"]
    assert ground.cluster.get(key_of(config_map(ground.namespace)))["data"] == {"a": "2"}


def test_an_apply_that_changes_nothing_keeps_the_resource_version(ground):
    first = ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=False)
    again = ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=False)
    assert again.manifest["metadata"]["resourceVersion"] == first.manifest["metadata"]["resourceVersion"]


def test_a_field_that_is_no_longer_applied_goes_away_and_a_strangers_stays(ground):
    ground.cluster.apply(config_map(ground.namespace, ours="1", kept="1"), dry_run=False)
    ground.edit(config_map(ground.namespace, theirs="1"))
    answer = ground.cluster.apply(config_map(ground.namespace, kept="1"), dry_run=False)
    assert answer.manifest["data"] == {"kept": "1", "theirs": "1"}


def test_fields_that_were_handed_over_go_with_the_next_apply(ground):
    ground.edit(config_map(ground.namespace, kept="1", edited="1"), "kubectl-edit")
    would_be = ground.cluster.apply(config_map(ground.namespace, kept="1"), dry_run=True).manifest
    live = ground.cluster.get(key_of(would_be))
    found = migration(Dialect.FLUX, live, would_be)

    assert found.excess == (("data", "edited"),)
    version = ground.cluster.set_managed_fields(
        key_of(live), found.fields, resource_version=live["metadata"]["resourceVersion"], version="v1"
    )
    answer = ground.cluster.apply(config_map(ground.namespace, kept="1"), dry_run=False, resource_version=version)

    assert answer.manifest["data"] == {"kept": "1"}
    assert answer.manifest["metadata"]["uid"] == live["metadata"]["uid"]
    assert migration(Dialect.FLUX, answer.manifest, answer.manifest) is None


def test_fields_of_an_object_that_moved_on_are_not_handed_over(ground):
    ground.edit(config_map(ground.namespace, a="1"), "kubectl-edit")
    live = ground.cluster.get(key_of(config_map(ground.namespace)))
    ground.edit(config_map(ground.namespace, a="2"), "kubectl-edit")

    with pytest.raises(Superseded):
        ground.cluster.set_managed_fields(key_of(live), (), resource_version=live["metadata"]["resourceVersion"])
    ground.remove(live)
    with pytest.raises(Superseded):
        ground.cluster.set_managed_fields(key_of(live), (), resource_version=live["metadata"]["resourceVersion"])


def test_a_replace_leaves_what_the_manifest_has_and_nothing_else(ground):
    first = ground.cluster.apply(config_map(ground.namespace, kept="1", gone="1"), dry_run=False).manifest
    ground.edit(config_map(ground.namespace, theirs="1"), "somebody")
    seen = ground.cluster.get(key_of(first))["metadata"]["resourceVersion"]

    for dry_run in (True, False):
        answer = ground.cluster.replace(
            config_map(ground.namespace, kept="1", new="1"), dry_run=dry_run, resource_version=seen
        )
        assert (answer.created, answer.manifest["data"]) == (False, {"kept": "1", "new": "1"})

    live = ground.cluster.get(key_of(first))
    assert live["data"] == {"kept": "1", "new": "1"}
    assert live["metadata"]["uid"] == first["metadata"]["uid"]
    assert live["metadata"]["resourceVersion"] == answer.manifest["metadata"]["resourceVersion"] != seen


def test_what_a_replace_brought_goes_with_an_apply_after_it_was_handed_over(ground):
    first = ground.cluster.apply(config_map(ground.namespace, kept="1"), dry_run=False).manifest
    version = first["metadata"]["resourceVersion"]
    replaced = ground.cluster.replace(
        config_map(ground.namespace, kept="1", new="1"), dry_run=False, resource_version=version
    ).manifest

    would_be = ground.cluster.apply(config_map(ground.namespace, kept="1"), dry_run=True).manifest
    assert would_be["data"] == {"kept": "1", "new": "1"}
    assert migration(Dialect.ARGOCD, replaced, would_be, kubectl=False).excess == (("data", "new"),)

    ground.cluster.set_managed_fields(
        key_of(first), after_replace(Dialect.ARGOCD, replaced), resource_version=replaced["metadata"]["resourceVersion"]
    )
    answer = ground.cluster.apply(config_map(ground.namespace, kept="1"), dry_run=False).manifest
    assert answer["data"] == {"kept": "1"}
    assert migration(Dialect.ARGOCD, answer, answer) is None


def test_an_object_is_created_once_and_is_ours_after_it_was_handed_over(ground):
    manifest = config_map(ground.namespace, kept="1", gone="1")
    assert ground.cluster.create(manifest, dry_run=True).created
    assert ground.cluster.get(key_of(manifest)) is None
    made = ground.cluster.create(manifest, dry_run=False).manifest
    for dry_run in (True, False):
        with pytest.raises(Superseded):
            ground.cluster.create(config_map(ground.namespace, other="1"), dry_run=dry_run)

    version = made["metadata"]["resourceVersion"]
    ground.cluster.set_managed_fields(key_of(made), after_replace(Dialect.ARGOCD, made), resource_version=version)
    answer = ground.cluster.apply(config_map(ground.namespace, kept="1"), dry_run=False).manifest
    assert answer["data"] == {"kept": "1"}


def test_an_object_that_moved_on_or_is_gone_is_not_replaced(ground):
    seen = ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=False).manifest["metadata"]
    ground.edit(config_map(ground.namespace, b="2"))
    for dry_run in (True, False):
        with pytest.raises(Superseded):
            ground.cluster.replace(
                config_map(ground.namespace, a="3"), dry_run=dry_run, resource_version=seen["resourceVersion"]
            )
    assert ground.cluster.get(key_of(config_map(ground.namespace)))["data"] == {"a": "1", "b": "2"}
    ground.remove(config_map(ground.namespace))
    with pytest.raises(Superseded):
        ground.cluster.replace(
            config_map(ground.namespace, a="3"), dry_run=False, resource_version=seen["resourceVersion"]
        )
    assert ground.cluster.get(key_of(config_map(ground.namespace))) is None


def test_what_every_server_knows_is_written_without_validation_too(ground):
    manifest = config_map(ground.namespace, a="1")
    first = ground.cluster.apply(manifest, dry_run=False, validate=False).manifest
    version = first["metadata"]["resourceVersion"]
    changed = config_map(ground.namespace, a="2")
    answer = ground.cluster.replace(changed, dry_run=False, resource_version=version, validate=False)
    assert answer.manifest["data"] == {"a": "2"}


def test_a_conflicting_field_is_taken_back(ground):
    ground.cluster.apply(config_map(ground.namespace, a="git"), dry_run=False)
    ground.edit(config_map(ground.namespace, a="by hand"))
    assert ground.cluster.apply(config_map(ground.namespace, a="git"), dry_run=False).manifest["data"] == {"a": "git"}


def test_a_dry_run_shows_the_result_and_changes_nothing(ground):
    created = ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=True)
    assert created.created
    assert ground.cluster.get(key_of(created.manifest)) is None
    ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=False)
    updated = ground.cluster.apply(config_map(ground.namespace, a="2"), dry_run=True)
    assert (updated.created, updated.manifest["data"]) == (False, {"a": "2"})
    assert ground.cluster.get(key_of(created.manifest))["data"] == {"a": "1"}


def test_an_object_that_moved_on_is_not_overwritten(ground):
    seen = ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=False).manifest["metadata"]
    ground.edit(config_map(ground.namespace, b="2"))
    for dry_run in (True, False):
        with pytest.raises(Superseded):
            ground.cluster.apply(
                config_map(ground.namespace, a="3"), dry_run=dry_run, resource_version=seen["resourceVersion"]
            )
    assert ground.cluster.get(key_of(config_map(ground.namespace)))["data"] == {"a": "1", "b": "2"}


def test_the_version_that_was_read_may_be_written(ground):
    seen = ground.cluster.apply(config_map(ground.namespace, a="1"), dry_run=False).manifest["metadata"]
    manifest = config_map(ground.namespace, a="2")
    answer = ground.cluster.apply(manifest, dry_run=False, resource_version=seen["resourceVersion"])
    assert answer.manifest["data"] == {"a": "2"}


def test_the_servers_own_fields_in_a_manifest_are_ignored(ground):
    exported = config_map(ground.namespace, a="1")
    exported["metadata"] |= {"resourceVersion": "1", "uid": "x", "generation": 3, "creationTimestamp": None}
    assert ground.cluster.apply(exported, dry_run=False).created


def test_a_missing_namespace_names_the_way_out(ground):
    with pytest.raises(ApplyRefused, match=r"no namespace nowhere.*CreateNamespace=true"):
        ground.cluster.apply(config_map("nowhere"), dry_run=True)


def test_an_unknown_kind_names_the_way_out(ground):
    unknown = {"apiVersion": "x.example/v1", "kind": "Gizmo", "metadata": {"name": "a", "namespace": ground.namespace}}
    with pytest.raises(ApplyRefused, match=r"Gizmo\.x\.example is not served.*CustomResourceDefinition"):
        ground.cluster.apply(unknown, dry_run=True)


def test_an_unserved_version_names_the_served_ones(ground):
    with pytest.raises(ApplyRefused, match=r"version v1beta1.*serves v1"):
        ground.cluster.apply({**deployment(ground.namespace), "apiVersion": "apps/v1beta1"}, dry_run=True)


def test_what_does_not_exist_is_none(ground):
    assert ground.cluster.get(ObjectKey("", "ConfigMap", ground.namespace, "absent")) is None
    assert ground.cluster.get(ObjectKey("", "ConfigMap", "nowhere", "absent")) is None
    assert ground.cluster.get(ObjectKey("", "ConfigMap", "same", "same")) is None
    assert ground.cluster.get(ObjectKey("", "Namespace", "", "absent")) is None


def test_a_kind_can_be_used_as_soon_as_its_definition_is_there(ground):
    group = f"{ground.namespace}.example"
    widget = {
        "apiVersion": f"{group}/v1",
        "kind": "Widget",
        "metadata": {"name": "a", "namespace": ground.namespace, "labels": {PART_OF: "x"}},
        "spec": {"size": 1},
    }
    kind = GroupKind(group, "Widget")
    with pytest.raises(ApplyRefused):
        ground.cluster.apply(widget, dry_run=False)
    ground.cluster.apply(definition(group), dry_run=False)
    while kind not in ground.cluster.discovery(refresh=True).resources:
        pass  # bounded by the test's timeout: an API server takes 0.1 s
    while True:
        try:
            answer = ground.cluster.apply(widget, dry_run=False)
            break
        except ApplyRefused:  # discovered a moment before it is served
            continue
    assert answer.created
    assert answer.manifest["metadata"]["generation"] == 1
    assert list(ground.cluster.list_metadata([kind]).seen) == [key_of(widget)]


def test_generation_counts_changes_of_the_spec_only(ground):
    first = ground.cluster.apply(deployment(ground.namespace), dry_run=False).manifest
    labelled = deployment(ground.namespace)
    labelled["metadata"]["labels"]["tier"] = "front"
    second = ground.cluster.apply(labelled, dry_run=False).manifest
    third = ground.cluster.apply(deployment(ground.namespace, replicas=1), dry_run=False).manifest
    generations = [manifest["metadata"]["generation"] for manifest in (first, second, third)]
    assert generations == [1, 1, 2]


def test_observe_finds_all_of_ours_and_nothing_else(ground):
    ours = [config_map(ground.namespace, f"c-{number}") for number in range(3)]
    answers = {key_of(item): ground.cluster.apply(item, dry_run=False).manifest["metadata"] for item in ours}
    unmarked = config_map(ground.namespace, "unmarked")
    unmarked["metadata"]["labels"] = {"app": "x"}
    ground.edit(unmarked)
    ground.cluster.apply(deployment(ground.namespace), dry_run=False)
    kinds = [CONFIG_MAP, GroupKind("apps", "Deployment"), GroupKind("none.example", "Gizmo")]
    seen = ground.cluster.list_metadata(kinds).seen
    here = {key: value for key, value in seen.items() if key.namespace == ground.namespace}
    assert here.keys() == answers.keys() | {key_of(deployment(ground.namespace))}
    for key, metadata in answers.items():
        assert (here[key].uid, here[key].resource_version) == (metadata["uid"], metadata["resourceVersion"])
        assert (here[key].generation, here[key].part_of) == (0, f"of-{ground.namespace}")


def test_delete_hits_only_the_incarnation_that_was_seen(ground):
    manifest = config_map(ground.namespace, a="1")
    key = key_of(manifest)
    old = ground.cluster.apply(manifest, dry_run=False).manifest["metadata"]["uid"]
    ground.remove(manifest)
    new = ground.cluster.apply(manifest, dry_run=False).manifest["metadata"]["uid"]
    assert ground.cluster.delete(key, uid=old) is False
    assert ground.cluster.get(key) is not None
    assert ground.cluster.delete(key, uid=new) is True
    assert ground.cluster.get(key) is None
    assert ground.cluster.delete(key, uid=new) is False


def test_what_a_finalizer_holds_is_deleted_when_it_is_released(ground):
    manifest = config_map(ground.namespace, a="1")
    manifest["metadata"]["finalizers"] = ["example.com/ours", "example.com/theirs"]
    key = key_of(manifest)
    uid = ground.cluster.apply(manifest, dry_run=False).manifest["metadata"]["uid"]
    assert ground.cluster.delete(key, uid=uid) is True
    assert ground.cluster.delete(key, uid=uid) is True, "it is still there, and still on its way"
    assert "deletionTimestamp" in ground.cluster.get(key)["metadata"]

    for left in (["example.com/theirs"], []):
        version = ground.cluster.get(key)["metadata"]["resourceVersion"]
        ground.cluster.set_finalizers(key, left, resource_version=version, version="v1")
        live = ground.cluster.get(key)
        assert (live["metadata"]["finalizers"] if live else []) == left
    assert ground.cluster.get(key) is None


def test_a_released_object_that_nobody_deletes_stays_as_it_is(ground):
    manifest = config_map(ground.namespace, a="1")
    manifest["metadata"]["finalizers"] = ["example.com/ours"]
    before = ground.cluster.apply(manifest, dry_run=False).manifest
    ground.cluster.set_finalizers(key_of(manifest), [], resource_version=before["metadata"]["resourceVersion"])
    after = ground.cluster.get(key_of(manifest))
    assert not after["metadata"].get("finalizers")
    assert (after["metadata"]["uid"], after["data"]) == (before["metadata"]["uid"], {"a": "1"})


def test_only_the_version_that_was_seen_is_released(ground):
    manifest = config_map(ground.namespace, a="1")
    manifest["metadata"]["finalizers"] = ["example.com/ours"]
    seen = ground.cluster.apply(manifest, dry_run=False).manifest["metadata"]["resourceVersion"]
    ground.edit(config_map(ground.namespace, a="2"))
    with pytest.raises(Superseded):
        ground.cluster.set_finalizers(key_of(manifest), [], resource_version=seen)
    assert ground.cluster.get(key_of(manifest))["metadata"]["finalizers"] == ["example.com/ours"]

    absent = ObjectKey("", "ConfigMap", ground.namespace, "absent")
    ground.cluster.set_finalizers(absent, [], resource_version=seen)
    assert ground.cluster.get(absent) is None


def test_discovery_knows_scope_plural_and_versions(ground):
    found = ground.cluster.discovery()
    deployments = found.resources[GroupKind("apps", "Deployment")]
    assert (deployments.plural, deployments.namespaced, deployments.versions) == ("deployments", True, ("v1",))
    assert not found.resources[GroupKind("", "Namespace")].namespaced
    assert {"v1", "apps/v1", "v1/ConfigMap", "apps/v1/Deployment"} <= set(found.api_versions)
    assert found.kube_version.startswith("v1.")
    assert found.failed == frozenset()


def test_a_finalizer_keeps_a_deleted_object_until_it_is_taken_away(ground):
    held = config_map(ground.namespace, "held")
    held["metadata"]["finalizers"] = ["example.com/keep"]
    ground.edit(held, "keeper")
    key = key_of(held)
    uid = ground.cluster.get(key)["metadata"]["uid"]
    assert ground.cluster.delete(key, uid=uid) is True
    metadata = ground.cluster.get(key)["metadata"]
    assert (metadata["uid"], metadata["finalizers"]) == (uid, ["example.com/keep"])
    assert metadata["deletionTimestamp"]
    held["metadata"]["finalizers"] = None
    ground.edit(held, "keeper")
    assert ground.cluster.get(key) is None
