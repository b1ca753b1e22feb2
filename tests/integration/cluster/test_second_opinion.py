"""What we did on a real API server, as the official client sees it: the same kubeconfig, and no code of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient, ApiException, Configuration
from kubernetes.config import load_kube_config

from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.adapters.kubeconfig import read_kubeconfig
from gitops_workers.core.objects import GroupKind, key_of
from gitops_workers.local.control_planes import ControlPlanes, write_kubeconfig
from tests.contract.cluster_grounds import PART_OF, config_map, deployment


@pytest.fixture
def kubeconfig(planes: ControlPlanes, tmp_path: Path) -> Path:
    return write_kubeconfig([planes.named("east")], tmp_path / "config")


@pytest.fixture
def cluster(kubeconfig: Path) -> HttpCluster:
    (access,) = read_kubeconfig(str(kubeconfig)).accesses
    return HttpCluster(Transport(access))


@pytest.fixture
def official(kubeconfig: Path) -> Iterator[ApiClient]:
    configuration = Configuration()
    load_kube_config(str(kubeconfig), client_configuration=configuration)
    with ApiClient(configuration) as client:
        yield client


def asked(official: ApiClient, path: str, **query: str) -> Any:
    """The JSON that the official client is answered."""
    request = official.param_serialize(
        "GET",
        path,
        query_params=list(query.items()),
        header_params={"Accept": "application/json"},
        auth_settings=["BearerToken"],
    )
    answer = official.call_api(*request)
    answer.read()
    if answer.status != 200:
        raise ApiException(status=answer.status)
    return json.loads(answer.data)


@pytest.mark.parametrize(
    ("made", "plural"), [(config_map, "api/v1/{}/configmaps/settings"), (deployment, "apis/apps/v1/{}/deployments/web")]
)
def test_an_applied_object_is_there_whole_and_ours_for_the_official_client(
    cluster: HttpCluster, official: ApiClient, namespace: str, made: Any, plural: str
) -> None:
    manifest = made(namespace)
    cluster.apply(manifest, dry_run=False)
    theirs = asked(official, "/" + plural.format(f"namespaces/{namespace}"))
    assert theirs["metadata"]["labels"] == manifest["metadata"]["labels"]
    managers = {entry["manager"]: entry["operation"] for entry in theirs["metadata"]["managedFields"]}
    assert managers["gitops-workers"] == "Apply"
    ours = cluster.get(key_of(manifest))
    for side in (ours, theirs):  # a controller may write its status between the two
        side.pop("status", None)
        side["metadata"] = {name: side["metadata"][name] for name in ("name", "namespace", "uid", "labels")}
    assert ours == theirs


def test_both_list_the_same_objects_at_the_same_versions(
    cluster: HttpCluster, official: ApiClient, namespace: str
) -> None:
    for number in range(3):
        cluster.apply(config_map(namespace, f"settings-{number}"), dry_run=False)
    mark = f"of-{namespace}"
    listed = cluster.list_metadata([GroupKind("", "ConfigMap")], part_of=mark)
    theirs = asked(official, f"/api/v1/namespaces/{namespace}/configmaps", labelSelector=f"{PART_OF}={mark}")
    versions = {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in theirs["items"]}
    assert len(versions) == 3
    assert {seen.uid: seen.resource_version for seen in listed.seen.values()} == versions


def test_a_deleted_object_is_gone_for_the_official_client(
    cluster: HttpCluster, official: ApiClient, namespace: str
) -> None:
    key = key_of(config_map(namespace))
    applied = cluster.apply(config_map(namespace), dry_run=False)
    asked(official, f"/api/v1/namespaces/{namespace}/configmaps/settings")
    cluster.delete(key, uid=applied.manifest["metadata"]["uid"])
    with pytest.raises(ApiException, match="404"):
        asked(official, f"/api/v1/namespaces/{namespace}/configmaps/settings")
