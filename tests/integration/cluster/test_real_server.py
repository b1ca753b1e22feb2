"""What only a real API server can show."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from gitops_workers.adapters.cluster import discovery
from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.core.errors import ApplyRefused, ClusterUnavailable, Incomplete, InvalidObject, Retry, Superseded
from gitops_workers.core.objects import GroupKind, ObjectKey, key_of
from tests.contract.cluster_grounds import access_of, config_map, deployment, secret, transport_of


@pytest.fixture
def east(planes):
    return planes[0]


@pytest.fixture
def cluster(east) -> HttpCluster:
    return HttpCluster(transport_of(east))


def account_token(plane, namespace: str) -> str:
    """A token of a service account without any rights."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "guest"}}
    assert plane.call("POST", path, account)[0] in (201, 409)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    code, answer = plane.call("POST", f"{path}/guest/token", request)
    assert code == 201, answer
    return answer["status"]["token"]


def apply_until_refused(cluster: HttpCluster, manifest) -> None:
    """A server takes a moment to know its new configuration; bounded by the test's timeout."""
    while True:
        cluster.apply(manifest, dry_run=True)


ODD = [
    "\x7f",
    "\x80",
    "\x85",
    "\x9b",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "😀",
    "\t",
    "\x01",
    "é\x85\x7f😀",
]


def test_every_character_that_json_carries_arrives(cluster, namespace):
    """Applies are read as YAML: U+0085 came back changed, DEL was refused, before they were escaped."""
    wanted = {f"k{number}": f"a{text}b" for number, text in enumerate(ODD)}
    manifest = config_map(namespace, "odd", **wanted)
    manifest["metadata"]["annotations"] = {"text": "".join(ODD)}
    answer = cluster.apply(manifest, dry_run=False).manifest
    assert answer["data"] == wanted
    assert answer["metadata"]["annotations"]["text"] == "".join(ODD)


@pytest.mark.parametrize("change", [{"foo": 1}, {"replicas": "three"}])
def test_an_unknown_or_mistyped_field_is_a_refusal_of_the_object(cluster, namespace, change):
    manifest = deployment(namespace)
    manifest["spec"] |= change
    with pytest.raises(ApplyRefused, match=next(iter(change))):
        cluster.apply(manifest, dry_run=True)


def test_unknown_fields_are_left_out_where_they_need_not_be_known(cluster, namespace):
    manifest = deployment(namespace)
    manifest["spec"] |= {"foo": 1, "bar": {"x": [1]}}
    manifest["spec"]["template"]["spec"]["containers"][0]["baz"] = 1
    for dry_run in (True, False):
        answer = cluster.apply(manifest, dry_run=dry_run, validate=False)
        assert answer.created
        assert not {"foo", "bar"} & answer.manifest["spec"].keys()
        assert answer.manifest["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1"

    with pytest.raises(ApplyRefused, match="unknown field"):
        rehearsed(cluster, manifest)
    assert "foo" not in rehearsed(cluster, manifest, validate=False).manifest["spec"]

    manifest["spec"]["replicas"] = "three"
    with pytest.raises(ApplyRefused, match="expected numeric"):
        cluster.apply(manifest, dry_run=True, validate=False)


def rehearsed(cluster, manifest, **options):
    """The answer to a replace of the live object as it is now; its controller writes status meanwhile."""
    while True:
        live = cluster.get(key_of(manifest), "v1")
        version = live["metadata"]["resourceVersion"]
        with suppress(Superseded):
            return cluster.replace(manifest, dry_run=True, resource_version=version, **options)


IMMUTABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "statefulsets": ("apps/v1", {"serviceName": "a", "selector": {"matchLabels": {"a": "b"}}, "template": {}}),
    "jobs": ("batch/v1", {"template": {}}),
    "pods": ("v1", {"containers": [{"name": "main", "image": "nginx:1"}]}),
    "persistentvolumeclaims": (
        "v1",
        {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    ),
}
KINDS = {"statefulsets": "StatefulSet", "jobs": "Job", "pods": "Pod", "persistentvolumeclaims": "PersistentVolumeClaim"}


@pytest.mark.parametrize("plural", IMMUTABLE)
def test_a_field_that_keeps_its_value_is_told_by_the_code_of_the_answer(cluster, namespace, plural):
    """What an opt-in to delete and create goes by, whatever words a kind has for it."""
    api, spec = IMMUTABLE[plural]
    pod = {"containers": [{"name": "main", "image": "nginx:1"}], "restartPolicy": "Never"}
    spec = dict(spec)
    if "template" in spec:
        pod |= {} if plural == "jobs" else {"restartPolicy": "Always"}
        spec["template"] = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
    metadata = {"name": "fixed", "namespace": namespace}
    manifest = {"apiVersion": api, "kind": KINDS[plural], "metadata": metadata, "spec": spec}
    cluster.apply(manifest, dry_run=False)
    changes: dict[str, dict[str, Any]] = {
        "statefulsets": {"serviceName": "other"},
        "jobs": {"template": {"metadata": {"labels": {"a": "c"}}, "spec": pod}},
        "pods": {"containers": [{"name": "main", "image": "nginx:1", "command": ["x"]}]},
        "persistentvolumeclaims": {"accessModes": ["ReadWriteMany"]},
    }
    with pytest.raises(InvalidObject, match="be created anew"):
        cluster.apply({**manifest, "spec": {**spec, **changes[plural]}}, dry_run=True)


def test_a_refused_change_says_what_to_do(cluster, namespace):
    cluster.apply(deployment(namespace), dry_run=False)
    changed = deployment(namespace)
    changed["spec"]["selector"]["matchLabels"] = changed["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(InvalidObject, match="be created anew"):
        cluster.apply(changed, dry_run=True)


def test_the_values_of_a_secret_are_in_no_refusal(cluster, namespace):
    canary = "canary-7f3a"
    fixed = {**secret(namespace, "s", canary), "immutable": True}
    cluster.apply(fixed, dry_run=False)
    wrong_type = {**secret(namespace, "t", canary), "data": {"password": {"nested": canary}}}
    not_base64 = {**secret(namespace, "u", canary), "data": {"password": f"{canary}!"}}
    changed = {**secret(namespace, "s", f"{canary}2"), "immutable": True}
    for manifest, words in ((wrong_type, "may quote the Secret"), (not_base64, "Secret"), (changed, "be created anew")):
        with pytest.raises(ApplyRefused, match=words) as caught:
            cluster.apply(manifest, dry_run=True)
        assert canary not in str(caught.value)


def test_a_webhook_that_is_down_does_not_look_like_a_dead_cluster(cluster, east, namespace):
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    hook = {
        "name": "down.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
    }
    configuration = {"metadata": {"name": namespace}, "webhooks": [hook]}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    assert east.call("POST", path, kind | configuration)[0] == 201
    try:
        with pytest.raises(Retry, match="webhook") as caught:
            apply_until_refused(cluster, config_map(namespace))
        assert not isinstance(caught.value, ClusterUnavailable)
    finally:
        east.call("DELETE", f"{path}/{namespace}")


def test_a_group_whose_server_is_down_is_unknown_and_never_empty(cluster, east, namespace):
    group = f"{namespace}.example"
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 10,
            "insecureSkipTLSVerify": True,
            "service": {"name": "nobody", "namespace": namespace},
        },
    }
    assert east.call("POST", path, service)[0] == 201
    try:
        while group not in cluster.discovery(refresh=True).failed:
            pass  # bounded by the test's timeout
        with pytest.raises(Incomplete, match=group):
            cluster.list_metadata([GroupKind(group, "Thing")])
        ours = config_map(namespace, "a")
        cluster.apply(ours, dry_run=False)
        found = cluster.list_metadata([GroupKind("", "ConfigMap"), GroupKind(group, "Thing")])
        assert list(found.unknown) == [GroupKind(group, "Thing")]
        assert key_of(ours) in found.seen
        with pytest.raises(Incomplete, match=group):
            cluster.get(ObjectKey(group, "Thing", namespace, "a"))
        assert cluster.get(ObjectKey("", "ConfigMap", namespace, "b")) is None
    finally:
        east.call("DELETE", f"{path}/v1.{group}")


def test_discovery_is_the_same_on_a_server_without_the_aggregated_form(east, monkeypatch):
    new = discovery.discover(transport_of(east))
    monkeypatch.setattr(discovery, "AGGREGATED", "application/json")
    old = discovery.discover(transport_of(east))
    own = {kind for kind in new.resources if ".example" not in kind.group}  # other tests' kinds come and go
    assert {kind: new.resources[kind] for kind in own} == {kind: old.resources[kind] for kind in own}
    assert own
    assert discovery.from_bytes(discovery.to_bytes(new)) == new


def test_more_objects_than_a_page_are_all_seen(cluster, east, namespace):
    for number in range(510):
        cluster.apply(config_map(namespace, f"many-{number}"), dry_run=False)
    seen = cluster.list_metadata([GroupKind("", "ConfigMap")]).seen
    assert len([key for key in seen if key.namespace == namespace]) == 510


def test_a_namespace_that_is_going_away_is_waited_for(cluster, east, namespace):
    keeper = {**config_map(namespace, "keeper")}
    keeper["metadata"]["finalizers"] = ["test.example/keep"]
    path = f"/api/v1/namespaces/{namespace}"
    assert east.call("POST", f"{path}/configmaps", keeper)[0] == 201
    east.call("DELETE", path)
    try:
        with pytest.raises(Retry, match="being deleted"):
            apply_until_refused(cluster, config_map(namespace, "late"))
    finally:
        east.call("PATCH", f"{path}/configmaps/keeper", {"metadata": {"finalizers": None}})


def test_without_the_right_to_do_it_the_object_is_refused_and_the_list_unknown(east, namespace):
    guest = HttpCluster(transport_of(east, token=account_token(east, namespace)))
    with pytest.raises(ApplyRefused, match=r"forbidden.*grant"):
        guest.apply(config_map(namespace), dry_run=True)
    with pytest.raises(ApplyRefused, match="forbidden"):
        guest.get(key_of(config_map(namespace)))
    with pytest.raises(Incomplete, match="nothing is known of ConfigMap"):
        guest.list_metadata([GroupKind("", "ConfigMap")])


def test_a_cluster_limited_to_namespaces_is_listed_namespace_by_namespace(east, namespace):
    token = account_token(east, namespace)
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    subject = {"kind": "ServiceAccount", "name": "guest", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "all"}
    assert east.call("POST", f"{path}/roles", {"metadata": {"name": "all"}, "rules": rules})[0] == 201
    binding = {"metadata": {"name": "all"}, "roleRef": role, "subjects": [subject]}
    assert east.call("POST", f"{path}/rolebindings", binding)[0] == 201
    limited = HttpCluster(transport_of(east, token=token, namespaces=(namespace,)))
    key = key_of(limited.apply(config_map(namespace), dry_run=False).manifest)
    assert list(limited.list_metadata([GroupKind("", "ConfigMap")]).seen) == [key]


@pytest.mark.parametrize(("token", "words"), [("wrong", "renew it"), ("", "no credential")])
def test_a_credential_that_is_refused_says_so(east, token, words):
    with pytest.raises(ClusterUnavailable, match=words) as caught:
        HttpCluster(transport_of(east, token=token)).get(ObjectKey("", "ConfigMap", "default", "a"))
    assert "wrong" not in str(caught.value)


def test_a_stopped_and_a_frozen_server_are_unavailable(planes):
    from gitops_workers.adapters.cluster.transport import Transport

    west = planes.named("west")
    cluster = HttpCluster(Transport(access_of(west), connect_timeout=1, read_timeout=0.5))
    cluster.discovery()
    west.freeze()
    try:
        with pytest.raises(ClusterUnavailable, match="in time"):
            cluster.get(ObjectKey("", "ConfigMap", "default", "a"))
    finally:
        west.thaw()
    west.stop()
    try:
        with pytest.raises(ClusterUnavailable):
            cluster.get(ObjectKey("", "ConfigMap", "default", "a"))
    finally:
        west.restart()
    patient = HttpCluster(transport_of(west))
    assert patient.get(ObjectKey("", "ConfigMap", "default", "a")) is None
