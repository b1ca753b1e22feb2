"""Rendered objects become desired ones: namespace, marks, identity."""

from __future__ import annotations

import pytest

from gitops_workers.core.diff.ownership import owned
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import ObjectKey
from tests.unit.core.making import application, crd, desired, manifest


def test_the_destination_namespace_fills_in_only_what_is_missing() -> None:
    app = application()
    first, second, third = desired(
        app, manifest("ConfigMap", "a"), manifest("ConfigMap", "b", namespace="other"), manifest("Namespace", "shop")
    )
    assert [item.key.namespace for item in (first, second, third)] == ["shop", "other", ""]
    assert first.manifest["metadata"]["namespace"] == "shop"
    assert "namespace" not in third.manifest["metadata"]


def test_argocd_objects_carry_the_tracking_id_and_crds_do_not() -> None:
    item, definition = desired(application(), manifest("Deployment", "web", "apps/v1"), crd("Widget", "shop.io"))
    annotations = item.manifest["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/tracking-id"] == "web:apps/Deployment:shop/web"
    assert "annotations" not in definition.manifest["metadata"]
    assert "applyset.kubernetes.io/part-of" in definition.manifest["metadata"]["labels"]


def test_flux_objects_carry_the_owner_labels() -> None:
    (item,) = desired(application(Dialect.FLUX), manifest("ConfigMap", "a"))
    labels = item.manifest["metadata"]["labels"]
    assert labels["kustomize.toolkit.fluxcd.io/name"] == "web"
    assert labels["kustomize.toolkit.fluxcd.io/namespace"] == "flux-system"


@pytest.mark.parametrize("dialect", Dialect)
def test_a_copied_label_alone_is_no_ownership(dialect: Dialect) -> None:
    app = application(dialect)
    (item,) = desired(app, manifest("ConfigMap", "a"))
    assert owned(app, item.key, item.manifest)
    stranger = manifest("ConfigMap", "a", namespace="shop")
    part_of = item.manifest["metadata"]["labels"]["applyset.kubernetes.io/part-of"]
    stranger["metadata"]["labels"] = {"applyset.kubernetes.io/part-of": part_of}
    assert not owned(app, item.key, stranger)


def test_an_exported_manifest_loses_what_only_the_server_writes() -> None:
    exported = manifest("ConfigMap", "a", status={"x": 1})
    exported["metadata"] |= {"uid": "1", "resourceVersion": "2", "managedFields": [], "creationTimestamp": None}
    (item,) = desired(application(), exported)
    assert set(item.manifest["metadata"]) == {"name", "namespace", "labels", "annotations"}
    assert "status" not in item.manifest


@pytest.mark.parametrize(("aggregation", "ours"), [({"clusterRoleSelectors": [{}]}, False), (None, True), ({}, True)])
def test_the_rules_of_an_aggregated_role_are_its_controllers(aggregation: object, ours: bool) -> None:
    role = manifest("ClusterRole", "a", "rbac.authorization.k8s.io/v1", aggregationRule=aggregation, rules=[])
    (item,) = desired(application(), role)
    assert ("rules" in item.manifest) is ours


def test_a_kind_defined_by_the_same_application_is_known() -> None:
    items = desired(application(), crd("Widget", "shop.io"), manifest("Widget", "w", "shop.io/v1"))
    assert items[1].key == ObjectKey("shop.io", "Widget", "shop", "w")


@pytest.mark.parametrize(("namespace", "expected"), [("", "shop"), ("other", "other")])
def test_a_kind_that_may_come_later_is_taken_for_a_namespaced_one(namespace: str, expected: str) -> None:
    gadget = manifest("Gadget", "g", "x.io/v1", namespace=namespace)
    (item,) = desired(application(skip_missing=True), gadget)
    assert item.key == ObjectKey("x.io", "Gadget", expected, "g")
    gadget["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true"}
    assert desired(application(), gadget)[0].key == item.key


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ([manifest("Gadget", "g", "x.io/v1")], "Gadget.x.io g: the cluster does not serve this kind"),
        ([manifest("ConfigMap", "a"), manifest("ConfigMap", "a", namespace="shop")], "rendered twice"),
    ],
)
def test_refusals_name_the_object(objects: list[dict[str, object]], words: str) -> None:
    with pytest.raises(RenderFailed, match=words):
        desired(application(), *objects)


def test_no_namespace_anywhere_is_refused() -> None:
    with pytest.raises(RenderFailed, match="names no namespace"):
        desired(application(namespace=""), manifest("ConfigMap", "a"))
