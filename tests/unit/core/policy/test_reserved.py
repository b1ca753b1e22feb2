"""The engine's own objects are nobody's: refused when declared, never pruned, kept when an application goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.diff.ownership import with_ownership
from gitops_workers.core.errors import PolicyRefused, PruneRefused
from gitops_workers.core.model import Application, Dialect
from gitops_workers.core.objects import Manifest, ObjectKey, key_of
from gitops_workers.core.policy.policy import check
from gitops_workers.core.policy.reserved import reserved
from gitops_workers.core.prune.candidates import Evidence, candidates, decide, deletion_plan, recreation
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest
from gitops_workers.core.record.record import InventoryItem
from gitops_workers.core.sync.preview import preview
from tests.unit.core.making import application, desired, manifest

RBAC = "rbac.authorization.k8s.io"
EAST = ClusterIdentity("east", frozenset({"east"}), frozenset({"https://east.example"}))
OWN = [
    ObjectKey("", "Namespace", "", "gitops-workers"),
    ObjectKey("", "ConfigMap", "gitops-workers", "application.argocd.web"),
    ObjectKey("", "Secret", "gitops-workers", "credential"),
    ObjectKey("", "ServiceAccount", "gitops-workers", "worker"),
    ObjectKey("", "ResourceQuota", "gitops-workers", "none"),
    ObjectKey(RBAC, "Role", "gitops-workers", "records"),
    ObjectKey(RBAC, "RoleBinding", "gitops-workers", "records"),
    ObjectKey(RBAC, "ClusterRole", "", "gitops-workers"),
    ObjectKey(RBAC, "ClusterRoleBinding", "", "gitops-workers-worker"),
    ObjectKey(RBAC, "ClusterRole", "", "gitops-workers:worker"),
    ObjectKey("apiextensions.k8s.io", "CustomResourceDefinition", "", "things.gitops-workers.dev"),
    ObjectKey("gitops-workers.dev", "Thing", "shop", "x"),
]
OTHERS = [
    ObjectKey("", "Namespace", "", "gitops-workers-demo"),
    ObjectKey("", "ConfigMap", "shop", "gitops-workers"),
    ObjectKey("apps", "Deployment", "gitops-workers", "worker"),
    ObjectKey("apps", "Namespace", "", "gitops-workers"),
    ObjectKey(RBAC, "ClusterRole", "", "my-gitops-workers"),
    ObjectKey(RBAC, "ClusterRole", "", "gitops-workersx"),
    ObjectKey("apiextensions.k8s.io", "CustomResourceDefinition", "", "gitops-workers.dev.example.com"),
]
own = pytest.mark.parametrize("key", OWN, ids=str)


def live_of(app: Application, key: ObjectKey) -> Manifest:
    api = f"{key.group}/v1" if key.group else "v1"
    found = with_ownership(app, key, manifest(key.kind, key.name, api, key.namespace))
    return {**found, "metadata": {**found["metadata"], "uid": "u1"}}


@own
def test_what_is_the_engines_own_is_refused_whatever_the_project_allows(key: ObjectKey) -> None:
    with pytest.raises(PolicyRefused, match="engine") as caught:
        check(application(), [key], EAST)
    assert str(caught.value).startswith(str(key))


@pytest.mark.parametrize("key", OTHERS, ids=str)
def test_what_only_looks_like_it_is_anybodys(key: ObjectKey) -> None:
    check(application(), [key], EAST)


@own
@pytest.mark.parametrize("dialect", Dialect)
def test_what_an_earlier_release_let_be_adopted_is_never_deleted(dialect: Dialect, key: ObjectKey) -> None:
    app = application(dialect, prune=True)
    item = InventoryItem(key, "v1")
    evidence = Evidence(3, 3, 3, {key: live_of(app, key)})
    assert candidates([item], ()) == ()
    found = decide(app, [item], 1, evidence, wanted=1, consent=True, confirmed=True)
    assert (found.deletions, found.not_owned) == ((), (key,))
    gone = deletion_plan(app, [item], evidence, DeletionRequest(1.0, Deleting(Cascade.BACKGROUND)), consent=True)
    assert gone.deletions == ()
    assert [each.why for each in gone.kept_objects] == ["Kept: it is the engine's own."]


def test_not_even_force_deletes_it() -> None:
    app = application()
    (item,) = desired(app, manifest("Namespace", "gitops-workers"))
    with pytest.raises(PruneRefused, match="is not deleted"):
        recreation(app, item, live_of(app, item.key))


@given(
    group=st.sampled_from(["", "apps", RBAC, "apiextensions.k8s.io", "gitops-workers.dev"]),
    kind=st.sampled_from(["Namespace", "ConfigMap", "ClusterRole", "CustomResourceDefinition", "Role"]),
    namespace=st.sampled_from(["", "shop", "gitops-workers"]),
    name=st.sampled_from(["gitops-workers", "x", "gitops-workers-x", "things.gitops-workers.dev"]),
)
def test_whatever_is_refused_is_no_candidate_either(group: str, kind: str, namespace: str, name: str) -> None:
    key = ObjectKey(group, kind, namespace, name)
    refused = False
    try:
        check(application(), [key], EAST)
    except PolicyRefused:
        refused = True
    assert refused is bool(reserved(key)) is not bool(candidates([InventoryItem(key, "v1")], ()))


def test_a_plan_from_files_refuses_it_in_the_same_words() -> None:
    wanted = manifest("Namespace", "gitops-workers")
    with pytest.raises(PolicyRefused) as caught:
        preview(application(), [wanted], [])
    assert str(caught.value) == f"{key_of(wanted)}: {reserved(key_of(wanted))}"
    assert preview(application(prune=True), [], [wanted]).tasks == ()
