"""What an application depends on, in either dialect, and what is wrong with it."""

import pytest

from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.dialects import Document, parse
from gitops_workers.dialects.dependencies import ANNOTATION
from tests.unit.dialects.manifests import (
    APPLICATION,
    KUSTOMIZATION,
    REPOSITORY,
    changed,
    error_paths,
    errors,
    parse_values,
    remarks,
)

PLACE = f"metadata.annotations['{ANNOTATION}']"
INFRA = changed(KUSTOMIZATION, "metadata.name", "infra")
DB = changed(APPLICATION, "metadata", {"name": "db", "namespace": "argocd"})


def annotated(base, text):
    return changed(base, "metadata.annotations", {ANNOTATION: text})


def depends_on(parsed, name="shop"):
    (app,) = [app for app in parsed.applications if app.name == name]
    return app.depends_on


def test_fluxs_own_field_means_a_kustomization_of_the_own_namespace():
    entries = [{"name": "infra"}, {"name": "base", "namespace": "platform", "readyExpr": "dep.spec.prune"}]
    parsed = parse_values(REPOSITORY, INFRA, changed(KUSTOMIZATION, "spec.dependsOn", entries))

    first, second = depends_on(parsed)
    assert first == Dependency("kustomization/flux-system/infra")
    assert (second.id, second.ready) == ("kustomization/platform/base", "dep.spec.prune")


@pytest.mark.parametrize(
    ("base", "text", "ids"),
    [
        (APPLICATION, "kustomization/flux-system/infra", ["kustomization/flux-system/infra"]),
        (APPLICATION, " infra , application/argocd/db,", ["kustomization/flux-system/infra", "application/argocd/db"]),
        (KUSTOMIZATION, "db", ["application/argocd/db"]),
        (KUSTOMIZATION, "", []),
    ],
)
def test_the_annotation_names_applications_of_either_dialect(base, text, ids):
    parsed = parse_values(REPOSITORY, INFRA, DB, annotated(base, text))

    assert errors(parsed) == []
    assert [item.id for item in depends_on(parsed)] == ids
    assert not any(item.problem for item in depends_on(parsed))


def test_the_field_and_the_annotation_add_up():
    parsed = parse_values(
        REPOSITORY, INFRA, DB, annotated(changed(KUSTOMIZATION, "spec.dependsOn", [{"name": "infra"}]), "db")
    )

    assert [item.id for item in depends_on(parsed)] == ["kustomization/flux-system/infra", "application/argocd/db"]


def test_a_bare_name_means_another_application_before_ones_own():
    parsed = parse_values(REPOSITORY, KUSTOMIZATION, annotated(APPLICATION, "shop"))

    assert [item.id for app in parsed.applications for item in app.depends_on] == ["kustomization/flux-system/shop"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nobody", "no application has this name"),
        ("application/argocd/nobody", "it is not declared: add it or correct the name"),
        ("infra", "the name means application/argocd/infra and kustomization/flux-system/infra: write the id"),
    ],
)
def test_a_name_that_means_nobody_or_several_is_a_remark_and_stops_nobody_else(text, problem):
    other = changed(APPLICATION, "metadata.name", "infra")
    parsed = parse_values(REPOSITORY, INFRA, other, annotated(APPLICATION, text))

    assert errors(parsed) == []
    (remark,) = remarks(parsed)
    assert problem in remark.message
    assert remark.path == PLACE
    (app,) = [app for app in parsed.applications if app.name == "shop"]
    assert problem in app.depends_on[0].problem
    assert problem in app.conditions[0].message
    assert app.refusal == ""


def test_who_is_declared_wrongly_or_stands_in_a_file_that_cannot_be_read_is_there_all_the_same():
    wrong = changed(DB, "spec.source.repoURL", 7)
    shop = annotated(APPLICATION, "db, application/argocd/far")
    documents = [Document(f"{index}.yaml", value) for index, value in enumerate([wrong, shop])]

    (app,) = parse(documents, standing=["application/argocd/far"]).applications

    assert [item.problem for item in app.depends_on] == ["", ""]


@pytest.mark.parametrize("text", ["a/b", "Application/argocd/db", "job/x/y", "application/argocd/", "UPPER", "a b"])
def test_what_is_no_name_is_an_error(text):
    parsed = parse_values(annotated(APPLICATION, text))

    assert f"{PLACE}: found '{text}', allowed are ids like" in errors(parsed)[0]


def test_more_dependencies_than_anybody_can_mean_are_an_error():
    parsed = parse_values(annotated(APPLICATION, ",".join(f"a{number}" for number in range(101))))

    assert "found 101 dependencies, allowed are at most 100" in errors(parsed)[0]


@pytest.mark.parametrize("entry", [{}, {"name": "A"}, {"name": "a", "kind": "HelmRelease"}])
def test_a_wrong_entry_is_an_error_at_its_place(entry):
    (path,) = error_paths(parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec.dependsOn", [entry])))

    assert path.startswith("spec.dependsOn[0]")


def test_a_cycle_is_an_error_of_every_member_and_of_nobody_else():
    infra = annotated(INFRA, "db")
    shop = annotated(APPLICATION, "db")
    parsed = parse_values(REPOSITORY, infra, annotated(DB, "infra"), shop)

    found = {app.name: app.refusal.partition(": ")[2] for app in parsed.applications}
    one, other = "application/argocd/db", "kustomization/flux-system/infra"
    assert found == {
        "db": f"{one} -> {other} -> {one}. Take one of them out.",
        "infra": f"{other} -> {one} -> {other}. Take one of them out.",
        "shop": "",
    }
    assert error_paths(parsed) == [PLACE] * 2
    assert parsed.rejected == {}


def test_fluxs_cycle_is_named_at_its_field():
    parsed = parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec.dependsOn", [{"name": "shop"}]))

    assert error_paths(parsed) == ["spec.dependsOn"]
    assert "kustomization/flux-system/shop -> kustomization/flux-system/shop" in parsed.applications[0].refusal
