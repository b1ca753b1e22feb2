"""T32: a destination means exactly one configured cluster, or none."""

from __future__ import annotations

import pytest

from gitops_workers.adapters.cluster.registry import ConfiguredClusters
from gitops_workers.core.cluster.access import ClusterAccess
from gitops_workers.core.errors import PolicyRefused

EAST = ClusterAccess("east", "https://East.example.com:443/", token="e", fleet="edge")
WEST = ClusterAccess("west", "https://west.example.com:6443/k8s/c-1")
TWIN = ClusterAccess("twin", "https://west.example.com:6443/k8s/c-1/", token="another")


def clusters(*accesses: ClusterAccess, in_cluster: str = "east") -> ConfiguredClusters:
    return ConfiguredClusters(accesses or (EAST, WEST), in_cluster=in_cluster, refused=[("broken", "its file is gone")])


@pytest.mark.parametrize(
    ("name", "server", "found"),
    [
        ("east", "", "east"),
        ("", "https://east.example.com", "east"),
        ("", "HTTPS://EAST.EXAMPLE.COM/", "east"),
        ("", "https://east.example.com:443", "east"),
        ("", "https://West.Example.com:6443/k8s/c-1/", "west"),
        ("east", "https://east.example.com/", "east"),
        ("in-cluster", "", "east"),
        ("", "https://kubernetes.default.svc", "east"),
        ("", "https://kubernetes.default.svc/", "east"),
        ("", "", "east"),
    ],
)
def test_one_cluster_under_every_spelling(name, server, found):
    assert clusters().resolve(name, server) == found


@pytest.mark.parametrize(
    ("name", "server", "words"),
    [
        ("north", "", "configured are east, west"),
        ("East", "", "not configured"),
        ("east ", "", "not configured"),
        ("", "https://west.example.com:6443", "not configured"),
        ("", "https://west.example.com:6443/k8s/C-1", "not configured"),
        ("", "http://east.example.com:443", "not configured"),
        ("", "https://east.example.com.evil.com", "not configured"),
        ("", "https://east.example.com@evil.com", "not configured"),
        ("", "https://east.example.com:99999", "not configured"),
        ("east", "https://west.example.com:6443/k8s/c-1", "give one of them"),
        ("broken", "", "its file is gone"),
    ],
)
def test_what_is_not_configured_is_refused(name, server, words):
    with pytest.raises(PolicyRefused, match=words):
        clusters().resolve(name, server)


def test_two_credentials_for_one_server_are_told_apart_by_name_only():
    both = clusters(WEST, TWIN, in_cluster="west")
    with pytest.raises(PolicyRefused, match="twin, west"):
        both.resolve("", WEST.server)
    assert both.resolve("twin", "") == "twin"


def test_a_second_declaration_cannot_take_over_a_name():
    impostor = ClusterAccess("east", "https://evil.example.com", origin="Secret argocd/evil")
    for action in (lambda c: c.resolve("east", ""), lambda c: c.open("east"), lambda c: c.resolve("", EAST.server)):
        with pytest.raises(PolicyRefused, match="declared more than once"):
            action(clusters(EAST, impostor))


def test_without_a_cluster_of_our_own_nothing_means_it():
    for name, server in (("in-cluster", ""), ("", "https://kubernetes.default.svc"), ("", "")):
        with pytest.raises(PolicyRefused, match="GITOPS_IN_CLUSTER"):
            clusters(in_cluster="").resolve(name, server)


def test_connections_belong_to_one_credential():
    registry = clusters()
    east, west = registry.open("east"), registry.open("west")
    assert registry.open("east") is east
    registry.configure([ClusterAccess("east", EAST.server, token="rotated"), WEST], in_cluster="east")
    assert registry.open("east") is not east
    assert registry.open("west") is west
    assert registry.fleet("east") == "default"


def test_only_so_many_clusters_stay_connected():
    registry = ConfiguredClusters([EAST, WEST], connected=1)
    east = registry.open("east")
    registry.open("west")
    assert registry.open("east") is not east
