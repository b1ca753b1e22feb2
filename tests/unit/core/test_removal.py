"""What an application's deletion takes, and what survives it."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.diff.ownership import with_ownership
from gitops_workers.core.errors import PruneRefused
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest, ObjectKey, key_of
from gitops_workers.core.prune.candidates import DeletionPlan, Evidence, deletion_plan
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest
from gitops_workers.core.record.record import InventoryItem
from tests.unit.core.making import application, crd, manifest

OPTIONS = "argocd.argoproj.io/sync-options"
POLICY = "helm.sh/resource-policy"


def live(dialect: Dialect, item: Manifest, **metadata: Any) -> Manifest:
    owned = with_ownership(application(dialect), key_of(item), item)
    annotations = {**owned["metadata"].get("annotations", {}), **metadata.pop("annotations", {})}
    return {**owned, "metadata": {**owned["metadata"], "uid": "u1", **metadata, "annotations": annotations}}


def decided(
    dialect: Dialect, found: Manifest | None, option: str = "", *, consent: bool = False, key: ObjectKey | None = None
) -> DeletionPlan:
    key = key or (key_of(found) if found else ObjectKey("", "ConfigMap", "shop", "a"))
    leaving = DeletionRequest(1.0, Deleting(Cascade.BACKGROUND, option=option))
    evidence = Evidence(1, 1, 1, {key: found})
    return deletion_plan(application(dialect), [InventoryItem(key, "v1")], evidence, leaving, consent=consent)


def config(**metadata: Any) -> Manifest:
    return live(Dialect.ARGOCD, manifest("ConfigMap", "a", namespace="shop"), **metadata)


def flux(**metadata: Any) -> Manifest:
    return live(Dialect.FLUX, manifest("ConfigMap", "a", namespace="shop"), **metadata)


@pytest.mark.parametrize("dialect", Dialect)
def test_our_own_object_goes_by_its_uid_and_the_cascade(dialect):
    found = decided(dialect, live(dialect, manifest("ConfigMap", "a", namespace="shop", wave=3)))
    (deletion,) = found.deletions
    assert (deletion.uid, deletion.wave, deletion.propagation) == ("u1", 3, "Background")


@pytest.mark.parametrize(
    ("dialect", "found", "option"),
    [
        (Dialect.ARGOCD, live(Dialect.ARGOCD, crd("Lamp", "example.com")), ""),
        (Dialect.ARGOCD, config(annotations={OPTIONS: "Prune=true, Delete=false"}), ""),
        (Dialect.ARGOCD, config(), "false"),
        (Dialect.ARGOCD, config(annotations={POLICY: "keep"}), ""),
        (Dialect.ARGOCD, manifest("ConfigMap", "a", namespace="shop"), ""),
        (
            Dialect.ARGOCD,
            live(Dialect.ARGOCD, manifest("Application", "web", "argoproj.io/v1alpha1", namespace="argocd")),
            "",
        ),
        (Dialect.FLUX, flux(annotations={"kustomize.toolkit.fluxcd.io/prune": "Disabled"}), ""),
        (Dialect.FLUX, flux(annotations={"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}), ""),
        (Dialect.FLUX, flux(annotations={POLICY: "keep"}), ""),
        (Dialect.FLUX, manifest("ConfigMap", "a", namespace="shop"), ""),
        *((dialect, live(dialect, manifest("Namespace", "gitops-workers")), "") for dialect in Dialect),
    ],
)
def test_what_survives(dialect, found, option):
    done = decided(dialect, found, option)
    assert (done.deletions, len(done.kept_objects)) == ((), 1)
    assert done.kept_objects[0].why


@pytest.mark.parametrize(
    ("dialect", "found", "option"),
    [
        (Dialect.FLUX, live(Dialect.FLUX, crd("Lamp", "example.com")), ""),
        (Dialect.ARGOCD, config(annotations={OPTIONS: "Prune=false"}), ""),
        (Dialect.ARGOCD, config(annotations={OPTIONS: "Delete=true"}), "false"),
        (Dialect.FLUX, flux(annotations={OPTIONS: "Delete=false"}), ""),
    ],
)
def test_what_does_not_survive(dialect, found, option):
    assert len(decided(dialect, found, option).deletions) == 1


@pytest.mark.parametrize(("annotations", "option"), [({OPTIONS: "Delete=confirm"}, ""), ({}, "confirm")])
def test_what_asks_for_a_confirmation(annotations, option):
    found = config(annotations=annotations)
    assert decided(Dialect.ARGOCD, found, option).awaiting_confirmation == (key_of(found),)
    assert decided(Dialect.ARGOCD, found, option, consent=True).awaiting_confirmation == ()


def test_what_is_on_its_way_says_who_holds_it():
    found = decided(Dialect.ARGOCD, config(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["example.com/a"]))
    assert found.deletions == ()
    assert "example.com/a" in found.terminating[0].why


def test_gone_is_gone_and_unknown_is_not():
    assert decided(Dialect.ARGOCD, None).gone == 1
    with pytest.raises(PruneRefused):
        deletion_plan(
            application(),
            [InventoryItem(ObjectKey("", "ConfigMap", "shop", "a"), "v1")],
            Evidence(1, 1, 1, {}),
            DeletionRequest(1.0, Deleting()),
            consent=True,
        )
