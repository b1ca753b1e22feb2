"""What `argocd-cm` says about kinds and tools counts for every Argo CD application, at every verb."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.cluster.access import IN_CLUSTER_SERVER
from gitops_workers.core.model import AppId, Dialect
from gitops_workers.core.settings.customizations import Customizations
from gitops_workers.core.settings.installation import Installation, KindRule, Scope, Unheeded
from tests.servers.rules import InProcess
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

NETWORK = manifest("NetworkPolicy", "web", "networking.k8s.io/v1", "shop", spec={"podSelector": {}})
PLAIN = manifest("ConfigMap", "web", "v1", "shop", data={"a": "b"})
NO_NETWORK = Installation(exclusions=(KindRule(("networking.k8s.io",), ("NetworkPolicy",)),))


def governed(it: Lab, installation: Installation) -> None:
    it.context = replace(it.context, rules=UserRules(InProcess(), Customizations(installation=installation)))


def lab(installation: Installation, dialect: Dialect = Dialect.ARGOCD) -> tuple[Lab, AppId]:
    it = Lab()
    governed(it, installation)
    app = it.declare(dialect, automated=True, prune=True)
    it.push(NETWORK, PLAIN)
    it.run(5)
    return it, app


def live(it: Lab) -> bool:
    return it.live("NetworkPolicy", "web", "networking.k8s.io") is not None


def test_an_excluded_kind_is_not_created_and_the_application_says_so() -> None:
    it, app = lab(NO_NETWORK)

    assert not live(it)
    assert it.live("ConfigMap", "web") is not None
    status = it.status(app)
    assert status.sync == "Synced"
    (told,) = [item.message for item in status.conditions if item.type == "ExcludedResourceWarning"]
    assert "networking.k8s.io/NetworkPolicy web is excluded in the settings (resource.exclusions)" in told


def test_flux_knows_no_such_setting() -> None:
    it, _ = lab(NO_NETWORK, Dialect.FLUX)

    assert live(it)


@pytest.mark.parametrize("in_git", [True, False])
def test_what_was_created_before_its_kind_was_excluded_is_neither_changed_nor_pruned(in_git: bool) -> None:
    it, app = lab(Installation())
    assert live(it)

    governed(it, NO_NETWORK)
    changed = {**NETWORK, "spec": {"podSelector": {"matchLabels": {"a": "b"}}}}
    it.push(*([changed] if in_git else []), {**PLAIN, "data": {"a": "c"}})
    it.poll_repository()
    it.run(5)

    assert it.live("NetworkPolicy", "web", "networking.k8s.io")["spec"] == {"podSelector": {}}
    assert it.live("ConfigMap", "web")["data"] == {"a": "c"}
    assert it.status(app).sync == "Synced"


def test_once_it_is_in_sight_again_it_is_managed_again() -> None:
    it, _ = lab(Installation())
    governed(it, NO_NETWORK)
    it.push(PLAIN)
    it.poll_repository()
    it.run(5)
    assert live(it)

    governed(it, Installation())
    it.push(PLAIN, {**PLAIN, "metadata": {"name": "more", "namespace": "shop"}})
    it.poll_repository()
    it.run(5)

    assert not live(it)


@pytest.mark.parametrize(
    ("scope", "concerned"),
    [(scope, scope is Scope.EVERY) for scope in Scope],
)
def test_a_setting_that_is_not_done_refuses_the_applications_it_concerns(scope: Scope, concerned: bool) -> None:
    it, app = lab(Installation(unheeded=(Unheeded("some.key", scope, "remove it"),)))

    assert live(it) is not concerned
    assert ("some.key" in it.status(app).message) is concerned


def test_an_aggregated_role_is_refused_where_its_rules_are_to_be_ignored() -> None:
    it = Lab()
    governed(it, Installation(unheeded=(Unheeded("resource.compareoptions", Scope.AGGREGATED_ROLES, "remove it"),)))
    app = it.declare(Dialect.ARGOCD, automated=True)
    role = manifest("ClusterRole", "all", "rbac.authorization.k8s.io/v1", aggregationRule={"clusterRoleSelectors": []})
    it.push(role)
    it.run(5)

    assert "resource.compareoptions" in it.status(app).message


@pytest.mark.parametrize("allowed", [True, False])
def test_our_own_cluster_is_a_destination_where_that_is_allowed(allowed: bool) -> None:
    it = Lab()
    governed(it, Installation(in_cluster=allowed))
    app = it.declare(Dialect.ARGOCD, automated=True)
    other = it.applications[app]
    it.applications[app] = replace(other, destination=replace(other.destination, name="", server=IN_CLUSTER_SERVER))
    it.enroll()
    it.push(PLAIN)
    it.run(5)

    assert (it.live("ConfigMap", "web") is not None) is allowed
