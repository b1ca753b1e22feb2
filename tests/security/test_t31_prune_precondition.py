"""T31: a delete hits the object that was seen, and no other that carries its name."""

from __future__ import annotations

from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.core.objects import GroupKind, key_of
from tests.contract.cluster_grounds import config_map, transport_of


def test_an_object_recreated_between_read_and_delete_survives(planes, namespace):
    east = planes[0]
    cluster = HttpCluster(transport_of(east))
    key = key_of(cluster.apply(config_map(namespace), dry_run=False).manifest)
    seen = cluster.list_metadata([GroupKind("", "ConfigMap")]).seen[key]
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    assert east.call("DELETE", f"{path}/{key.name}")[0] == 200
    assert east.call("POST", path, config_map(namespace, a="a stranger's"))[0] == 201
    assert cluster.delete(key, uid=seen.uid) is False
    assert cluster.get(key)["data"] == {"a": "a stranger's"}
