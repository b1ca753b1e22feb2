"""`destinations` of a project: what Argo CD's own tables say, and every name that a cluster has."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.cluster.access import ClusterAccess, ClusterIdentity
from gitops_workers.core.cluster.destinations import Destinations
from gitops_workers.core.errors import PolicyRefused
from gitops_workers.core.policy.allowed_destinations import allows
from gitops_workers.core.policy.project import AllowedDestination

HERE = "https://kubernetes.default.svc"


def rule(server: str = "", namespace: str = "", name: str = "") -> AllowedDestination:
    return AllowedDestination(server=server, name=name, namespace=namespace)


@pytest.mark.parametrize(
    ("rules", "server", "namespace", "admitted"),
    [
        # Argo CD 3.5, types_test: IsDestinationPermitted and IsNegatedDestinationPermitted.
        ([rule(HERE, "default")], HERE, "default", True),
        ([rule(HERE, "default")], HERE, "kube-system", False),
        ([rule("https://my-cluster", "default")], HERE, "default", False),
        ([rule(HERE, "*")], HERE, "kube-system", True),
        ([rule("https://*.default.svc", "default")], HERE, "default", True),
        ([rule("https://team1-*", "default")], "https://test2-dev-cluster", "default", False),
        ([rule(HERE, "test-*")], HERE, "test-foo", True),
        ([rule(HERE, "test-*")], HERE, "test", False),
        ([rule("*", "*")], HERE, "test", True),
        ([rule(f"!{HERE}", "default")], HERE, "default", False),
        ([rule(HERE, "!default")], HERE, "kube-system", True),
        ([rule("!https://my-cluster", "default")], HERE, "default", True),
        ([rule(f"!{HERE}", "*")], HERE, "kube-system", False),
        ([rule("!https://*.default.svc", "default")], HERE, "default", False),
        ([rule("!https://team1-*", "default")], "https://test2-dev-cluster", "default", True),
        ([rule(HERE, "!test-*")], HERE, "test-foo", False),
        ([rule(HERE, "!test-*")], HERE, "test", True),
        ([rule("*", "kube-system"), rule("*", "!kube-system")], HERE, "kube-system", False),
        ([rule("*", "*"), rule("*", "!kube-system")], HERE, "kube-system", False),
        ([rule(HERE, "*"), rule(f"!{HERE}", "*")], HERE, "kube-system", False),
        ([rule("*", "*"), rule(f"!{HERE}", "kube-system")], HERE, "kube-system", False),
        ([rule("*", "*"), rule(f"!{HERE}", "kube-system"), rule("*", "!kube-system")], HERE, "default", False),
        (
            [rule("*", "*"), rule(f"!{HERE}", "kube-system"), rule("*", "!kube-system")],
            "https://test-dev-cluster",
            "kube-system",
            False,
        ),
        ([], HERE, "default", False),
        # Its code, beyond its tables.
        ([rule("*", "!kube-system")], HERE, "default", True),
        ([rule("*", "*"), rule("https://elsewhere", "!kube-system")], HERE, "kube-system", False),
        ([rule("*", "*"), rule(f"!{HERE}", "!kube-system")], HERE, "default", False),
        ([rule("https://{a,b}.example", "{x,y}")], "https://b.example", "y", True),
        # The server as it may be written.
        ([rule("HTTPS://Kubernetes.Default.svc:443/", "*")], HERE, "default", True),
        ([rule("*", "*"), rule("!HTTPS://Kubernetes.Default.svc:443/", "*")], HERE, "default", False),
        ([rule("*", "*"), rule("!https://*:*", "*")], HERE, "default", False),
        ([rule("https://h/k8s/C-*", "*")], "https://h/k8s/c-1", "default", False),
    ],
)
def test_rules_by_server_admit_what_argocds_code_admits(rules, server, namespace, admitted):
    cluster = ClusterIdentity("somewhere", frozenset({"somewhere"}), frozenset({server}))

    assert allows(rules, cluster, namespace) is admitted


@pytest.mark.parametrize(
    ("rules", "namespace", "admitted"),
    [
        ([rule(namespace="*", name="prod")], "default", True),
        ([rule(namespace="*", name="test2")], "default", False),
        ([rule(namespace="*", name="!prod")], "default", False),
        ([rule(namespace="*", name="!test2")], "default", True),
        ([rule(namespace="*", name="prod"), rule(namespace="*", name="!prod")], "default", False),
        ([rule("*", "*"), rule(namespace="kube-system", name="!prod")], "default", False),
        ([rule("*", "*"), rule(namespace="kube-system", name="!test2")], "default", True),
        # A rule with both fits by either.
        ([rule("https://elsewhere", "*", "prod")], "default", True),
        ([rule("https://prod.example", "*", "test2")], "default", True),
        ([rule("https://elsewhere", "*", "test2")], "default", False),
        # Stricter than upstream, where the server makes it fit.
        ([rule("*", "*", "!prod")], "default", False),
        ([rule("!https://prod.example", "*", "prod")], "default", False),
    ],
)
def test_rules_by_name_admit_what_argocds_code_admits(rules, namespace, admitted):
    prod = ClusterIdentity("prod", frozenset({"prod"}), frozenset({"https://prod.example"}))

    assert allows(rules, prod, namespace) is admitted


KIND = ClusterAccess("kind", "https://10.0.0.1:6443")
EAST = ClusterAccess("east", "https://East.example:443/")
TWIN = ClusterAccess("east-admin", "https://east.example")
DECLARED = ClusterAccess("in-cluster", HERE)


@pytest.mark.parametrize(
    ("accesses", "own"),
    [((KIND, EAST), "kind"), ((EAST, TWIN), "east"), ((KIND, DECLARED), "kind"), ((KIND, EAST), "")],
)
def test_every_way_to_name_a_destination_meets_the_same_rules(accesses, own):
    """What routes to a cluster is what a project may say of it, and nothing else is."""
    all_of_them = Destinations(accesses, own)
    names = ["", "in-cluster", "kind", "east", "east-admin"]
    servers = ["", HERE, f"{HERE}/", "https://10.0.0.1:6443", "https://EAST.example", "https://east.example:443"]
    for name, server in itertools.product(names, servers):
        try:
            cluster = all_of_them.identity(all_of_them.resolve(name, server))
        except PolicyRefused:
            continue
        for part, value in (("name", name), ("server", server)):
            if value:
                assert allows([AllowedDestination(**{part: value}, namespace="*")], cluster, "shop")
                denied = AllowedDestination(**{part: f"!{value}"}, namespace="kube-system")
                assert not allows([rule("*", "*"), denied], cluster, "shop")


def test_in_cluster_and_its_url_are_one_for_the_rules():
    kind = Destinations((KIND, EAST), "kind").identity("kind")

    assert allows([rule(HERE, "*")], kind, "shop")
    assert allows([rule(namespace="*", name="in-cluster")], kind, "shop")
    assert allows([rule(namespace="*", name="kind")], kind, "shop")
    assert not allows([rule(HERE, "*")], Destinations((KIND, EAST), "kind").identity("east"), "shop")


def test_the_name_in_cluster_is_that_of_the_secret_that_has_it():
    both = Destinations((KIND, DECLARED), "kind")

    assert not allows([rule(HERE, "*")], both.identity("kind"), "shop")
    assert allows([rule(HERE, "*")], both.identity("in-cluster"), "shop")


def test_a_second_credential_is_denied_with_the_first_and_not_allowed_with_it():
    twin = Destinations((EAST, TWIN)).identity("east-admin")

    assert not allows([rule("*", "*"), rule(namespace="*", name="!east")], twin, "shop")
    assert not allows([rule(namespace="*", name="east")], twin, "shop")


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("https://prod.example:6443", "https://PROD.example.:6443/"),
        ("https://prod.example.", "https://prod.example:443"),
        ("https://10.0.0.1:6443", "https://0x0a.1:6443"),
        ("https://[2001:db8::1]:6443", "https://[2001:DB8:0:0::1]:6443/"),
    ],
)
def test_a_server_is_denied_however_it_is_written(declared, written):
    all_of_them = Destinations((ClusterAccess("prod", declared),))
    prod = all_of_them.identity(all_of_them.resolve("", written))

    for server in (declared, written):
        assert allows([rule(server, "*")], prod, "shop")
        assert not allows([rule("*", "*"), rule(f"!{server}", "*")], prod, "shop")


PLACES = st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True)


@given(PLACES, PLACES, st.data())
def test_nothing_else_admits_what_one_rule_denies(name, namespace, data):
    """Whatever the other rules are, in any order."""
    cluster = ClusterIdentity(name, frozenset({name}), frozenset({f"https://{name}:6443"}))

    def part(value: str, start: str = "") -> str:
        cut = data.draw(st.integers(0, len(value)))
        return f"!{start}{value[:cut]}*"

    denial = data.draw(
        st.sampled_from(
            [
                AllowedDestination(name=part(name), namespace=data.draw(PLACES)),
                AllowedDestination(server=part(name, "https://"), namespace=data.draw(PLACES)),
                AllowedDestination(server=data.draw(PLACES), namespace=part(namespace)),
                AllowedDestination(server="*", name=part(name), namespace="*"),
            ]
        )
    )
    words = st.sampled_from(["*", name, f"https://{name}:6443", "!other", namespace, ""])
    others = data.draw(st.lists(st.builds(AllowedDestination, words, words, words), max_size=3))
    rules = data.draw(st.permutations([*others, rule("*", "*"), denial]))

    assert not allows(rules, cluster, namespace)
