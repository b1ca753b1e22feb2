"""What a project allows: Argo CD's lists, as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.errors import PolicyRefused
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.policy.policy import allows, allows_repository, check
from gitops_workers.core.policy.project import AllowedDestination, KindRule, Project
from tests.unit.core.making import application

EVERYWHERE = AllowedDestination(server="*", namespace="*")
OPEN = Project("shop", source_repos=("*",), destinations=(EVERYWHERE,), cluster_allowed=(KindRule("*", "*"),))
CONFIG = ObjectKey("", "ConfigMap", "shop", "web")
ROLE = ObjectKey("rbac.authorization.k8s.io", "ClusterRole", "", "web")
SERVER = "https://east.example"
EAST = ClusterIdentity("east", frozenset({"east"}), frozenset({SERVER}))


def allowed(limits: Project | None, *keys: ObjectKey, project: str = "shop", **changes: Any) -> bool:
    app = replace(application(), project=project, limits=limits, **changes)
    try:
        check(app, keys, EAST)
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
    assert (allows(app, CONFIG, EAST), allows(app, ROLE, EAST)) == (config, role)


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
        check(app, [key], EAST)

    assert str(caught.value) == f"{key}: {text}"


@pytest.mark.parametrize(("kind", "group"), [("[^D]*", "apps"), ("[!D]*", "apps"), ("{Stateful,Replica}Set", "*")])
def test_classes_of_characters_and_alternatives_are_globs_of_kinds(kind, group):
    limits = replace(OPEN, namespaced_denied=(KindRule(group, kind),))

    assert not allowed(limits, ObjectKey("apps", "StatefulSet", "shop", "db"))
    assert allowed(limits, ObjectKey("apps", "Deployment", "shop", "web"))


def test_a_cluster_that_lends_some_namespaces_lends_no_others():
    lent = replace(EAST, namespaces=("shop",))
    app = application()

    assert allows(app, CONFIG, lent)
    assert not allows(app, CONFIG._replace(namespace="kube-system"), lent)
    assert not allows(app, ROLE, lent)
    assert allows(app, ROLE, replace(lent, cluster_resources=True))


def test_an_application_of_another_namespace_needs_the_projects_consent():
    elsewhere = "application/team-a/web"

    assert not allowed(OPEN, id=elsewhere)
    assert allowed(replace(OPEN, source_namespaces=("team-*",)), id=elsewhere)


def test_what_a_source_leads_to_obeys_the_rule_for_sources():
    app = replace(application(), project="shop", limits=replace(OPEN, source_repos=("https://git.test/team/*",)))
    assert allows_repository(app)("https://git.test/team/shared.git")
    assert not allows_repository(app)("https://git.test/other/secret.git")
    undeclared = replace(app, limits=None)
    assert not allows_repository(undeclared)("https://git.test/team/shared.git")
    assert allows_repository(replace(undeclared, project="default"))("https://git.test/team/shared.git")
