"""What a project allows: Argo CD's lists, as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.errors import PolicyRefused
from gitops_workers.core.model import Destination
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.policy import check, permits
from gitops_workers.core.project import AllowedDestination, KindRule, Project
from tests.unit.core.making import application

EVERYWHERE = AllowedDestination(server="*", namespace="*")
OPEN = Project("shop", source_repos=("*",), destinations=(EVERYWHERE,), cluster_allowed=(KindRule("*", "*"),))
CONFIG = ObjectKey("", "ConfigMap", "shop", "web")
ROLE = ObjectKey("rbac.authorization.k8s.io", "ClusterRole", "", "web")
SERVER = "https://east.example"


def allowed(limits: Project | None, *keys: ObjectKey, project: str = "shop", **changes: Any) -> bool:
    app = replace(application(), project=project, limits=limits, **changes)
    try:
        check(app, keys, "east", SERVER)
    except PolicyRefused:
        return False
    return True


def test_a_project_nobody_declared_allows_nothing_except_default():
    assert allowed(None, CONFIG, ROLE, project="default")
    assert not allowed(None, project="shpo")
    assert allowed(OPEN, CONFIG, ROLE)


def test_our_own_records_are_nobodys():
    record = ObjectKey("", "ConfigMap", "gitops-workers", "x")

    assert not allowed(OPEN, record)
    assert not allowed(None, record, project="default")


@pytest.mark.parametrize(
    ("repos", "fits"),
    [
        (("*",), True),
        (("https://git.example/shop.git",), True),
        (("https://git.example/shop",), True),
        (("https://git.example/*",), True),
        (("https://*/shop.git",), True),
        (("https://*",), False),
        (("https://**",), True),
        (("https://git.example/other.git",), False),
        (("*", "!https://git.example/shop.git"), False),
        (("!https://git.example/other.git",), False),
        ((), False),
    ],
)
def test_repositories(repos: tuple[str, ...], fits: bool):
    assert allowed(replace(OPEN, source_repos=repos)) is fits


@pytest.mark.parametrize(
    ("rules", "fits"),
    [
        ([AllowedDestination(SERVER, "", "shop")], True),
        ([AllowedDestination("", "east", "sh*")], True),
        ([AllowedDestination("https://*.example", "", "*")], True),
        ([AllowedDestination("", "west", "*")], False),
        ([AllowedDestination(SERVER, "", "other")], False),
        ([EVERYWHERE, AllowedDestination("*", "", "!shop")], False),
        ([EVERYWHERE, AllowedDestination("*", "", "!kube-*")], True),
        ([EVERYWHERE, AllowedDestination(f"!{SERVER}", "", "*")], False),
        ([EVERYWHERE, AllowedDestination(f"!{SERVER}", "", "kube-*")], True),
        ([EVERYWHERE, AllowedDestination(f"!{SERVER}", "", "{kube,sh}*")], False),
        ([EVERYWHERE, AllowedDestination(f"!{SERVER}", "", "!kube-*")], False),
        ([EVERYWHERE, AllowedDestination(f"!{SERVER}", "", "!shop")], True),
        ([EVERYWHERE, AllowedDestination("", "!east", "shop")], False),
        ([EVERYWHERE, AllowedDestination("*", "", "!{shop,kube-system}")], False),
        ([AllowedDestination("", "{east,west}", "shop")], True),
        ([AllowedDestination("*", "", "!kube-system")], False),
        ([], False),
    ],
)
def test_destinations(rules: list[AllowedDestination], fits: bool):
    assert allowed(replace(OPEN, destinations=tuple(rules))) is fits


def test_the_in_cluster_address_is_known_by_the_name_the_manifest_uses():
    rules = (AllowedDestination("https://kubernetes.default.svc", "", "*"),)
    here = Destination(server="https://kubernetes.default.svc", namespace="shop")

    assert allowed(replace(OPEN, destinations=rules), destination=here)
    assert not allowed(replace(OPEN, destinations=rules))


def test_an_objects_own_namespace_counts_beside_the_applications():
    limits = replace(OPEN, destinations=(AllowedDestination("*", "", "shop"),))

    assert allowed(limits, CONFIG)
    assert not allowed(limits, CONFIG._replace(namespace="kube-system"))


@pytest.mark.parametrize(
    ("changes", "config", "role"),
    [
        ({}, True, True),
        ({"cluster_allowed": ()}, True, False),
        ({"cluster_allowed": (KindRule("rbac.*", "Cluster*"),)}, True, True),
        ({"cluster_allowed": (KindRule("*", "*", "other-*"),)}, True, False),
        ({"cluster_denied": (KindRule("*", "ClusterRole"),)}, True, False),
        ({"namespaced_allowed": ()}, False, True),
        ({"namespaced_allowed": (KindRule("", "ConfigMap"),)}, True, True),
        ({"namespaced_denied": (KindRule("", "ConfigMap"),)}, False, True),
        ({"namespaced_allowed": (KindRule("*", "*"),), "namespaced_denied": (KindRule("*", "*"),)}, False, True),
    ],
)
def test_kinds(changes: dict[str, Any], config: bool, role: bool):
    limits = replace(OPEN, **changes)
    app = replace(application(), project="shop", limits=limits)

    assert (allowed(limits, CONFIG), allowed(limits, ROLE)) == (config, role)
    assert (permits(app, CONFIG, "east", SERVER), permits(app, ROLE, "east", SERVER)) == (config, role)


@pytest.mark.parametrize(
    ("changes", "key", "text"),
    [
        ({"cluster_allowed": ()}, ROLE, "project shop does not list this kind in clusterResourceWhitelist."),
        (
            {"cluster_denied": (KindRule("*", "ClusterRole"),)},
            ROLE,
            "project shop lists this kind in clusterResourceBlacklist.",
        ),
        ({"namespaced_allowed": ()}, CONFIG, "project shop does not list this kind in namespaceResourceWhitelist."),
        (
            {"namespaced_allowed": (KindRule("*", "*"),), "namespaced_denied": (KindRule("", "*"),)},
            CONFIG,
            "project shop lists this kind in namespaceResourceBlacklist.",
        ),
    ],
)
def test_the_message_names_the_object_the_project_and_the_list(changes: dict[str, Any], key: ObjectKey, text: str):
    app = replace(application(), project="shop", limits=replace(OPEN, **changes))
    with pytest.raises(PolicyRefused) as caught:
        check(app, [key], "east", SERVER)

    assert str(caught.value) == f"{key}: {text}"


def test_an_application_of_another_namespace_needs_the_projects_consent():
    elsewhere = "application/team-a/web"

    assert not allowed(OPEN, id=elsewhere)
    assert allowed(replace(OPEN, source_namespaces=("team-*",)), id=elsewhere)
