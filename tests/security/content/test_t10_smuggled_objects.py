"""T10: what is checked is what is applied: lists are opened, doubles refused, values read as Kubernetes reads them."""

from __future__ import annotations

import json

import pytest

from gitops_workers.core.errors import RenderFailed
from tests.servers.rendering import RenderWorld, config_map

BINDING = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "evil"}}


def test_a_list_in_a_list_is_opened(repo: RenderWorld):
    inner = f"{{apiVersion: v1, kind: List, items: [{json.dumps(BINDING)}]}}"

    assert repo.objects({"a.yaml": f"apiVersion: v1\nkind: List\nitems: [{inner}]\n"}) == [BINDING]


def test_members_of_a_typed_list_get_its_kind(repo: RenderWorld):
    text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBindingList\nitems: [{metadata: {name: evil}}]\n"

    assert repo.objects({"a.yaml": text}) == [BINDING]


def test_lists_without_end_are_refused(repo: RenderWorld):
    text = "{apiVersion: v1, kind: List, items: [" * 20 + "]}" * 20

    with pytest.raises(RenderFailed, match="nested"):
        repo.objects({"a.yaml": text})


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: a, namespace: kube-system}\n",
        (
            '{"apiVersion": "v1", "kind": "ConfigMap",'
            ' "metadata": {"name": "a", "namespace": "a", "namespace": "kube-system"}}'
        ),
    ],
)
@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_of_a_key_that_stands_twice_policy_sees_the_one_that_is_applied(repo: RenderWorld, text, name):
    rendered = repo.rendered(repo.commit({name: text}))

    assert rendered.objects[0]["metadata"] == {"name": "a", "namespace": "kube-system"}
    assert "'namespace' stands twice" in rendered.remarks[0]


def test_two_objects_of_one_identity_are_refused_with_both_places(repo: RenderWorld):
    with pytest.raises(RenderFailed, match=r"ConfigMap a stands twice: a\.yaml and b\.yaml, document 2"):
        repo.objects({"a.yaml": config_map("a"), "b.yaml": config_map("b") + "---\n" + config_map("a")})


def test_another_version_is_the_same_identity(repo: RenderWorld):
    deployment = "apiVersion: apps/%s\nkind: Deployment\nmetadata: {name: a}\n"

    with pytest.raises(RenderFailed, match="stands twice"):
        repo.objects({"a.yaml": deployment % "v1", "b.yaml": deployment % "v1beta1"})


@pytest.mark.parametrize(
    "metadata",
    [
        "{}",
        "{generateName: a-}",
        "{name: ''}",
        "{name: null}",
        "[]",
        "a",
        "{name: a, namespace: [x]}",
        "{name: {a: b}}",
    ],
)
def test_an_object_without_a_whole_identity_is_refused(repo: RenderWorld, metadata):
    with pytest.raises(RenderFailed, match=r"a\.yaml: "):
        repo.objects({"a.yaml": f"apiVersion: v1\nkind: Pod\nmetadata: {metadata}\n"})


@pytest.mark.parametrize(
    ("text", "value"), [("22:22", "22:22"), ("yes", True), ("2026-01-02", "2026-01-02"), ("010", 8), ("1_000", 1000)]
)
def test_values_are_what_kubernetes_takes_them_for(repo: RenderWorld, text, value):
    (found,) = repo.objects({"a.yaml": config_map("a", x=text)})

    assert found["data"]["x"] == value


def test_a_number_that_json_cannot_hold_is_refused(repo: RenderWorld):
    with pytest.raises(RenderFailed, match="no JSON number"):
        repo.objects({"a.yaml": config_map("a", x=".nan")})


def test_what_only_python_takes_for_a_number_is_text(repo: RenderWorld):
    manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": NaN, "z": Infinity}}'

    assert repo.objects({"a.json": manifest})[0]["data"] == {"x": "NaN", "z": "Infinity"}
