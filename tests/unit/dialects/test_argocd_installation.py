"""Every key of `argocd-cm` is done, told, or a reason to refuse whom it concerns; none is passed over."""

from __future__ import annotations

import pytest

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.settings.installation import Installation, Scope
from gitops_workers.dialects.argocd.installation import installation
from gitops_workers.dialects.validation import validate
from tests.servers.rules import load_yaml
from tests.unit.dialects.manifests import load

EAST = ClusterIdentity("east", frozenset({"east"}), frozenset({"https://east.local"}))
EXCLUSIONS = """
- apiGroups: [networking.k8s.io]
  kinds: [NetworkPolicy]
- apiGroups: ['*.cilium.io', '']
  kinds: ['*']
  clusters: ['https://west.*']
"""


def read(**data: str) -> Installation:
    return installation(data, load_yaml, "argocd-cm.yaml")


@pytest.mark.parametrize(
    ("inclusions", "exclusions", "kind", "left_out"),
    [
        ("", "", ("apps", "Deployment"), False),
        ("", "", ("", "Event"), True),
        ("", "", ("events.k8s.io", "Event"), True),
        ("", EXCLUSIONS, ("networking.k8s.io", "NetworkPolicy"), True),
        ("", EXCLUSIONS, ("networking.k8s.io", "Ingress"), False),
        ("", EXCLUSIONS, ("", "Secret"), False),
        ("", "[{kinds: [Secret], clusters: ['https://e*']}]", ("", "Secret"), True),
        ("", "[{clusters: ['https://east.local']}]", ("apps", "Deployment"), True),
        ("[{apiGroups: [apps]}]", "", ("apps", "Deployment"), False),
        ("[{apiGroups: [apps]}]", "", ("", "Secret"), True),
        ("[{apiGroups: [apps], clusters: [elsewhere]}]", "", ("", "Secret"), False),
        ("[{apiGroups: [apps]}]", "[{kinds: [Deployment]}]", ("apps", "Deployment"), True),
    ],
)
def test_kinds_are_left_out_by_argocds_rule(inclusions, exclusions, kind, left_out):
    found = read(**{"resource.inclusions": inclusions, "resource.exclusions": exclusions})

    assert bool(found.excludes(kind[0], kind[1], EAST)) is left_out


@pytest.mark.parametrize(
    ("key", "text", "scope"),
    [
        ("kustomize.buildOptions", "--reorder legacy", Scope.KUSTOMIZE),
        ("kustomize.buildOptions", "--enable-helm --helm-command /x", Scope.KUSTOMIZE),
        ("kustomize.buildOptions", "'", Scope.KUSTOMIZE),
        ("kustomize.enable", "false", Scope.KUSTOMIZE),
        ("helm.enable", "false", Scope.HELM),
        ("globalProjects", "[{projectName: base}]", Scope.EVERY),
        ("application.sync.impersonation.enabled", "true", Scope.EVERY),
        ("resource.selectors", "[{selector: a=b}]", Scope.EVERY),
        ("resource.compareoptions", "ignoreAggregatedRoles: true", Scope.AGGREGATED_ROLES),
        ("resource.compareoptions", "ignoreResourceStatusField: none", Scope.NONE),
        ("resource.compareoptions", "ignoreAggregateRoles: true", Scope.NONE),
        ("urls", "https://argocd.example", Scope.NONE),
        ("timeout.reconciliation", "300s", Scope.NONE),
        ("application.instanceLabelKey", "example.com/app", Scope.NONE),
        ("resource.exclusion", "[]", Scope.NONE),
        ("something.new", "x", Scope.NONE),
    ],
)
def test_what_is_not_done_is_named_with_whom_it_concerns(key, text, scope):
    (found,) = read(**{key: text}).unheeded

    assert (found.key, found.scope) == (key, scope)
    assert found.advice


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("url", "https://argocd.example"),
        ("accounts.alice", "login"),
        ("dex.config", "connectors: []"),
        ("resource.customizations.health.a_B", "return {}"),
        ("resource.customizations.actions.apps_Deployment", "x"),
        ("resource.exclusions", EXCLUSIONS),
        ("kustomize.buildOptions", "--enable-helm --load-restrictor LoadRestrictionsNone"),
        ("kustomize.buildOptions", "--load-restrictor=LoadRestrictionsRootOnly"),
        ("kustomize.enable", "true"),
        ("application.sync.impersonation.enabled", "false"),
        ("resource.compareoptions", "ignoreResourceStatusField: all"),
        ("resource.compareoptions", "ignoreDifferencesOnResourceUpdates: true"),
        ("cluster.inClusterEnabled", "false"),
    ],
)
def test_what_is_done_or_means_nothing_here_is_not_spoken_of(key, text):
    assert read(**{key: text}).unheeded == ()


@pytest.mark.parametrize(
    "text", ["a: b", "[x]", "[{kinds: Secret}]", "[{selector: a=b}]", "{", "- - x", "[{kind: [Secret]}]"]
)
@pytest.mark.parametrize("key", ["resource.exclusions", "resource.inclusions"])
def test_kinds_that_cannot_be_read_are_an_error_and_never_none(key, text):
    with pytest.raises(InvalidManifest, match=key):
        read(**{key: text})


@pytest.mark.parametrize(
    ("options", "anywhere"),
    [
        ("", False),
        ("--load-restrictor LoadRestrictionsNone", True),
        ("--load-restrictor=LoadRestrictionsRootOnly", False),
    ],
)
def test_the_load_restriction_of_kustomize_is_the_installations(options, anywhere):
    assert read(**{"kustomize.buildOptions": options}).load_anywhere is anywhere


def test_a_refusal_names_the_key_and_what_to_do():
    with pytest.raises(Refused, match=r"argocd-cm: helm\.enable .*every application that uses helm.*remove the key"):
        read(**{"helm.enable": "false"}).refuse(Scope.HELM)


def test_validate_tells_of_each_key():
    text = (
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n"
        b"data: {kustomize.buildOptions: --reorder legacy, timeout.reconciliation: 60s, url: https://x}\n"
    )

    problems = validate({"cm.yaml": text}, load)

    told = {problem.path for problem in problems if problem.message.startswith("argocd-cm: ")}
    assert told == {"data['kustomize.buildOptions']", "data['timeout.reconciliation']"}
    assert all(problem.known for problem in problems)


def test_validate_refuses_kinds_that_cannot_be_read():
    text = (
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n"
        b"data: {resource.exclusions: x}\n"
    )

    (problem,) = [one for one in validate({"cm.yaml": text}, load) if "exclusions" in one.message]

    assert not problem.known
