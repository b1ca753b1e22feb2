"""kubectl's and the former engine's fields become ours: which of them go, and when nothing has to be done."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.diff.field_manager_migration import after_replace, migration
from gitops_workers.core.diff.managed_fields import field_paths, merged, places
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **more}


def data(*names: str) -> dict[str, Any]:
    return {"f:data": {".": {}, **{f"f:{name}": {} for name in names}}}


def config(*fields: dict[str, Any], **metadata: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web", **metadata, "managedFields": list(fields)},
        "data": {"a": "1", "b": "2"},
    }


OURS = entry("gitops-workers", data("a"), "Apply")


@pytest.mark.parametrize(
    ("manager", "argocd", "flux"),
    [
        ("kubectl-client-side-apply", True, True),
        ("kubectl-edit", False, True),
        ("kubectl", False, True),
        ("before-first-apply", False, True),
        ("argocd-controller", True, False),
        ("argocd-application-controller", True, False),
        ("argocd-server", False, False),
        ("kustomize-controller", False, True),
        ("gotk-kustomize-controller", False, False),
        ("kube-controller-manager", False, False),
        ("helm", False, False),
    ],
)
def test_whose_fields_are_absorbed(manager: str, argocd: bool, flux: bool):
    found = config(OURS, entry(manager, data("a", "b")))

    assert (migration(Dialect.ARGOCD, found, found) is not None) is argocd
    assert (migration(Dialect.FLUX, found, found) is not None) is flux


@pytest.mark.parametrize(
    ("dialect", "engine"), [(Dialect.ARGOCD, "argocd-controller"), (Dialect.FLUX, "kustomize-controller")]
)
def test_who_leaves_kubectl_its_fields_takes_the_former_engines(dialect: Dialect, engine: str):
    theirs, edited = entry(engine, data("a", "b"), "Apply"), entry("kubectl-client-side-apply", data("c"))
    found = config(OURS, theirs, edited)

    result = migration(dialect, found, found, kubectl=False)

    assert result is not None
    assert result.excess == (("data", "b"),)
    assert result.fields == (entry("gitops-workers", data("a", "b"), "Apply"), edited)


def test_what_argo_cd_writes_on_its_own_kinds_is_not_from_git():
    theirs = entry("argocd-application-controller", {"f:operation": {}, "f:status": {}})
    found = config(OURS, {**theirs, "apiVersion": "argoproj.io/v1alpha1"}) | {"apiVersion": "argoproj.io/v1alpha1"}

    assert migration(Dialect.ARGOCD, found, found) is None


def test_what_git_does_not_have_goes_and_the_rest_becomes_ours():
    status = entry("kubectl-edit", {"f:status": {}}, subresource="status")
    other = entry("controller", {"f:metadata": {"f:labels": {"f:x": {}}}})
    found = config(OURS, entry("kubectl-edit", data("a", "b")), other, status)

    result = migration(Dialect.FLUX, found, found)

    assert result is not None
    assert result.excess == (("data", "b"),)
    assert result.fields == (entry("gitops-workers", data("a", "b"), "Apply"), other, status)


@pytest.mark.parametrize(
    "foreign",
    [
        [entry("kubectl-edit", data("a"))],
        [entry("kubectl-edit", data("a", "b")), entry("controller", data("b"))],
        [entry("kubectl-client-side-apply", {"f:metadata": {"f:annotations": {".": {}, f"f:{LAST}": {}}}})],
        [entry("kubectl-edit", data("a", "b"), apiVersion="v1beta1")],
        [],
    ],
    ids=["the same fields", "somebody else has them too", "kubectl's own copy", "another version's words", "nobody"],
)
def test_nothing_is_done_where_nothing_would_go(foreign: list[dict[str, Any]]):
    found = config(OURS, *foreign)

    assert migration(Dialect.FLUX, found, found) is None


@pytest.mark.parametrize("dialect", Dialect)
def test_what_kubectl_added_may_be_left_to_it(dialect: Dialect):
    found = config(OURS, entry("kubectl-client-side-apply", data("b")))

    assert migration(dialect, found, found, kubectl=False) is None


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("kubectl", [True, False])
def test_what_our_own_replace_wrote_goes_when_it_leaves_git(dialect: Dialect, kubectl: bool):
    update = entry("gitops-workers", data("b"))
    found = config(OURS, update)

    result = migration(dialect, found, found, kubectl=kubectl)

    assert result is not None
    assert result.excess == (("data", "b"),)
    assert result.fields == (entry("gitops-workers", data("a", "b"), "Apply"),)


def test_a_replace_is_made_an_apply_and_leaves_the_others_alone():
    status = entry("gitops-workers", {"f:status": {}}, subresource="status")
    theirs = entry("kubectl-client-side-apply", data("c"))
    found = config(OURS, entry("gitops-workers", data("b")), theirs, status)

    assert after_replace(Dialect.ARGOCD, found) == (entry("gitops-workers", data("a", "b"), "Apply"), theirs, status)
    assert after_replace(Dialect.ARGOCD, config(OURS, theirs, status)) == ()


@pytest.mark.parametrize(
    ("dialect", "own", "stranger"),
    [
        (Dialect.ARGOCD, "argocd-controller", "kustomize-controller"),
        (Dialect.FLUX, "kustomize-controller", "argocd-controller"),
    ],
)
def test_a_replace_takes_over_what_the_engine_of_its_own_dialect_owns(dialect: Dialect, own: str, stranger: str):
    theirs = entry(stranger, data("b"))
    found = config(entry("gitops-workers", data("a")), entry(own, data("c")), theirs)

    assert after_replace(dialect, found) == (entry("gitops-workers", data("a", "c"), "Apply"), theirs)


def test_an_object_that_was_never_ours_gets_our_entry():
    theirs = entry("kubectl-client-side-apply", data("a", "b"), time="2026-01-01T00:00:00Z")
    live, would_be = config(theirs), config(OURS, theirs)

    result = migration(Dialect.ARGOCD, live, would_be)

    assert result is not None
    assert result.fields == ({**theirs, "manager": "gitops-workers", "operation": "Apply"},)


def test_field_sets_are_read_as_kubernetes_writes_them():
    fields = {
        "f:spec": {
            "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}},
            "f:finalizers": {'v:"a/b"': {}},
            "f:sessionAffinity": {},
        }
    }
    service = {"spec": {"ports": [{"port": 443}, {"port": 80}], "finalizers": ["x", "a/b"], "sessionAffinity": "None"}}

    found = field_paths([entry("x", fields)])

    assert set(places(found, service)) == {
        ("spec", "ports", 1),
        ("spec", "ports", 1, "port"),
        ("spec", "finalizers", 1),
        ("spec", "sessionAffinity"),
    }
    assert merged([entry("x", fields), entry("y", data("a"))]) == {**fields, **data("a")}


def test_values_that_we_own_as_string_data_change_their_name_before_the_next_apply():
    raw = {**OURS, "fieldsV1": {"f:stringData": {"f:a": {}, "f:b": {}}}}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a", "managedFields": [raw]},
        "data": {"a": "MQ==", "b": "Mg=="},
    }
    applied = {**secret, "metadata": {"name": "a", "managedFields": [{**OURS, "fieldsV1": {"f:data": {"f:a": {}}}}]}}

    found = migration(Dialect.ARGOCD, secret, applied)

    assert found is not None
    assert found.excess == (("data", "b"),)
    assert [item["fieldsV1"] for item in found.fields] == [{"f:data": {"f:a": {}, "f:b": {}}}]
    assert migration(Dialect.ARGOCD, applied, applied) is None
