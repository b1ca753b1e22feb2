"""The registry of manifest kinds, and what follows from it for manifests that are misspelt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Dialect
from gitops_workers.core.telemetry.figures import RESOURCE_INFO
from gitops_workers.dialects.kinds import KINDS, contributing, dialect_of, in_order
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind
from gitops_workers.web.metrics.applications import FLUX_KINDS
from tests.unit.dialects.manifests import APPLICATION, KUSTOMIZATION, REPOSITORY, changed, error_paths, parse_values

PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "shop"},
    "spec": {"destinations": [{"server": "*", "namespace": "*"}], "sourceRepos": ["*"]},
}


def test_no_two_kinds_share_a_name_that_manifests_or_ids_use():
    assert len({(kind.group, kind.kind) for kind in KINDS}) == len(KINDS)
    assert len({(kind.dialect, kind.kind) for kind in KINDS}) == len(KINDS)
    words = [kind.kind.lower() for kind in contributing(Contribution.APPLICATION)]
    assert len(set(words)) == len(words)


def test_what_flux_kinds_contribute_is_shown_under_the_group_and_version_that_they_are_read_in():
    shown = (*contributing(Contribution.SOURCE), *contributing(Contribution.APPLICATION))
    for kind in (kind for kind in shown if policy_of(kind.dialect).metrics.gauge == RESOURCE_INFO):
        assert FLUX_KINDS[kind.kind] == (kind.group, kind.versions[0])


@given(kinds=st.permutations(KINDS))
def test_a_kind_is_read_behind_all_that_it_refers_to_in_whatever_order_kinds_are_registered(kinds: list[ManifestKind]):
    order = list(in_order(kinds))
    assert sorted(order, key=KINDS.index) == list(KINDS)
    for place, kind in enumerate(order):
        assert not kind.refers_to & {later.contributes for later in order[place + 1 :]}


def test_kinds_that_refer_to_each_other_are_an_error_that_names_them():
    source, project = contributing(Contribution.SOURCE)[0], contributing(Contribution.PROJECT)[0]
    circle = [
        replace(source, refers_to=frozenset({Contribution.PROJECT})),
        replace(project, refers_to=frozenset({Contribution.SOURCE})),
    ]
    with pytest.raises(ValueError, match=f"{source.kind}, {project.kind}"):
        list(in_order(circle))


@pytest.mark.parametrize(
    ("app", "dialect"),
    [
        ("application/argocd/shop", Dialect.ARGOCD),
        ("kustomization/flux-system/shop", Dialect.FLUX),
        ("gitrepository/flux-system/shop", None),
        ("helmrelease/flux-system/shop", None),
    ],
)
def test_the_dialect_of_an_id_is_that_of_its_kind(app: str, dialect: Dialect | None):
    assert dialect_of(app) is dialect


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "Aplication"),
        ("apiVersion", "argoproj.io/v1"),
        ("apiVersion", "argoprj.io/v1alpha1"),
        ("apiVersion", None),
    ],
)
def test_an_application_whose_kind_is_misspelt_is_wrong_and_not_gone(field: str, value: Any):
    parsed = parse_values(changed(APPLICATION, field, value))

    assert parsed.applications == ()
    assert list(parsed.rejected) == ["application/argocd/shop"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "AppProjct"),
        ("apiVersion", "argoproj.io/v1"),
        ("apiVersion", "argoprj.io/v1alpha1"),
        ("apiVersion", None),
    ],
)
def test_the_applications_of_a_project_whose_kind_is_misspelt_do_nothing(field: str, value: Any):
    app = changed(APPLICATION, "spec.project", "shop")

    (found,) = parse_values(app, changed(PROJECT, field, value)).applications
    assert found.refusal.startswith("AppProject shop has errors: 1.yaml")
    (found,) = parse_values(app, PROJECT).applications
    assert (found.refusal, found.limits is None) == ("", False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "GitRepositry"),
        ("apiVersion", "source.toolkit.fluxcd.io/v1beta2"),
        ("apiVersion", "source.toolkit.flux.io/v1"),
        ("apiVersion", None),
    ],
)
def test_a_kustomization_says_where_its_misspelt_source_stands(field: str, value: Any):
    parsed = parse_values(KUSTOMIZATION, changed(REPOSITORY, field, value))

    (app,) = parsed.applications
    assert "GitRepository flux-system/fleet has errors: see 1.yaml" in app.refusal
    assert error_paths(parsed) == [field]
