"""T33: a cluster's certificate is verified, and only that cluster's own declaration can say otherwise."""

from __future__ import annotations

import pytest

from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.objects import ObjectKey
from tests.contract.cluster_grounds import transport_of

KEY = ObjectKey("", "ConfigMap", "default", "absent")


def test_a_certificate_of_somebody_else_is_refused_before_the_token_is_sent(planes):
    stranger = planes.named("west").ca_pem
    for ca in ("", stranger):
        with pytest.raises(ClusterUnavailable, match="not trusted"):
            HttpCluster(transport_of(planes.named("east"), ca=ca)).get(KEY)


def test_a_certificate_for_another_name_is_refused(planes):
    with pytest.raises(ClusterUnavailable, match="not trusted"):
        HttpCluster(transport_of(planes.named("east"), server_name="other.example.com")).get(KEY)


def test_the_expected_name_may_differ_from_the_address(planes):
    assert HttpCluster(transport_of(planes.named("east"), server_name="kubernetes.default.svc")).get(KEY) is None


def test_one_cluster_can_be_declared_unverified(planes):
    assert HttpCluster(transport_of(planes.named("east"), ca="", insecure=True)).get(KEY) is None


@pytest.mark.parametrize("field", ["ca", "cert", "key"])
def test_a_damaged_pem_is_named_and_not_quoted(planes, field):
    with pytest.raises(ClusterUnavailable, match="no valid PEM") as caught:
        HttpCluster(transport_of(planes.named("east"), **{field: "canary-t33"})).get(KEY)
    assert "canary-t33" not in str(caught.value)
