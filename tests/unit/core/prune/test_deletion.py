"""Who is deleted, who is held back, and in which stages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.core.model import Application, Condition, Dialect
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Deletion, DeletionPlan, Remaining
from gitops_workers.core.prune.deletion import (
    APPROVAL_LASTS,
    approved,
    begins_at,
    confirmed,
    departures,
    is_deleted,
    marked,
    objects_retained,
    reject_reason,
    stages,
    to_document,
    too_many,
)
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest, HoldReason
from tests.unit.core.making import application

CASCADE = Deleting(Cascade.FOREGROUND, waits=True)
NOW = 1_000_000.0


def app(number: int, policy: Deleting = CASCADE, dialect: Dialect = Dialect.ARGOCD, suspended: bool = False):
    base = application(dialect)
    schedule = replace(base.schedule, suspended=suspended)
    return replace(base, id=f"{base.id}-{number}", deleting=policy, schedule=schedule, origin="apps.yaml")


def fleet(size: int, **options) -> dict[str, Application]:
    return {item.id: item for item in (app(number, **options) for number in range(size))}


@pytest.mark.parametrize(
    ("starting", "policies", "remaining", "asks"),
    [
        (0, 0, 0, False),
        (1, 1, 0, False),
        (2, 2, 0, True),
        (2, 2, 1, False),
        (10, 10, 5, False),
        (11, 11, 5, True),
        (11, 36, 25, True),
        (11, 37, 26, False),
        (12, 40, 28, False),
        (13, 40, 27, True),
        (30, 100, 70, False),
        (31, 100, 69, True),
    ],
)
def test_a_mass_removal_asks(starting, policies, remaining, asks):
    assert too_many(starting, policies, remaining) is asks


@pytest.mark.parametrize(
    ("policy", "dialect", "suspended", "held"),
    [
        (Deleting(), Dialect.ARGOCD, False, None),
        (CASCADE, Dialect.ARGOCD, False, HoldReason.NOT),
        (CASCADE, Dialect.ARGOCD, True, HoldReason.SUSPENDED),
        (Deleting(), Dialect.FLUX, False, None),
        (Deleting(Cascade.BACKGROUND), Dialect.FLUX, False, HoldReason.NOT),
        (Deleting(Cascade.BACKGROUND), Dialect.FLUX, True, None),
    ],
)
def test_who_is_deleted(policy, dialect, suspended, held):
    before = fleet(1, policy=policy, dialect=dialect, suspended=suspended)
    found = departures(before, before, list(before) if suspended else [], "", NOW, remaining=9)
    left = [item.leaving.held for item in found.values() if item.leaving]
    assert left == ([] if held is None else [held])


def test_a_mass_removal_holds_all_of_them_and_says_what_to_run():
    before = fleet(20)
    gone = list(before)[:11]
    found = departures(before, gone, [], "", NOW, remaining=9)
    assert {item.leaving.held for item in found.values()} == {HoldReason.MASS}
    assert set(found) == set(gone)
    first = found[gone[0]]
    assert f"gitops-workers app delete {gone[0]}" in first.conditions[0].message
    assert "11 of 20" in first.conditions[0].message
    assert not is_deleted(first)


def test_what_is_held_stays_held_when_the_others_are_back():
    before = fleet(20)
    gone = list(before)[:11]
    held = departures(before, gone, [], "", NOW, remaining=9)
    again = departures({**before, **held}, gone[:1], [], "", NOW + 5, remaining=9)
    assert again == {gone[0]: held[gone[0]]}


def test_what_goes_goes_on_beside_a_mass_removal():
    before = fleet(20)
    ids = list(before)
    going = departures(before, ids[:1], [], "", NOW, remaining=9)
    found = departures({**before, **going}, ids[:13], [], "", NOW + 5, remaining=9)
    assert found[ids[0]] == going[ids[0]]
    assert {found[name].leaving.held for name in ids[1:13]} == {HoldReason.MASS}


def test_a_catalogue_with_errors_deletes_nothing_until_it_is_mended():
    before = fleet(2)
    held = departures(before, before, [], "b.yaml:3: spec: wrong", NOW, remaining=9)
    assert {item.leaving.held for item in held.values()} == {HoldReason.UNREADABLE}
    assert "b.yaml:3" in next(iter(held.values())).conditions[0].message
    found = departures(held, held, [], "", NOW + 60, remaining=9)
    assert all(is_deleted(item) and item.conditions == () for item in found.values())
    assert {item.leaving.since for item in found.values()} == {NOW}, "an order given meanwhile is still meant"


def test_back_is_as_if_it_had_never_left():
    before = app(1)
    remark = Condition("UnsupportedField", "x")
    before = replace(before, conditions=(remark,))
    (held,) = departures({before.id: before}, [before.id], [], "x", NOW, remaining=9).values()
    assert objects_retained(held) == before


def test_an_order_is_good_for_the_leaving_it_was_given_for():
    item = replace(app(1), leaving=DeletionRequest(NOW, CASCADE, HoldReason.MASS))
    order = to_document(item, None, "ann")
    agreed = confirmed(item.leaving, order)
    assert (agreed.held, agreed.by, agreed.consent, agreed.policy) == (HoldReason.NOT, "ann", True, CASCADE)
    assert confirmed(item.leaving, to_document(item, Cascade.ORPHAN, "ann")).policy.cascade is Cascade.ORPHAN
    later = DeletionRequest(NOW + 1, CASCADE, HoldReason.MASS)
    assert confirmed(later, order) == later
    assert confirmed(later, None) == later


def test_nothing_is_deleted_in_the_moment_in_which_a_file_is_written_anew():
    assert begins_at(DeletionRequest(NOW, CASCADE), 5.0) == NOW + 15.0
    assert begins_at(DeletionRequest(NOW, CASCADE, by="ann", consent=True), 5.0) == 0.0


def test_what_is_declared_is_deleted_in_the_catalogue():
    assert "apps.yaml" in reject_reason(app(1))
    assert "its objects are deleted" in reject_reason(app(1))
    assert "its objects stay" in reject_reason(app(1, policy=Deleting()))
    assert reject_reason(replace(app(1), leaving=DeletionRequest(NOW, CASCADE, HoldReason.MASS))) == ""


@pytest.mark.parametrize(
    ("at", "consent", "expected"),
    [
        (0.0, False, False),
        (0.0, True, True),
        (NOW, False, True),
        (NOW - APPROVAL_LASTS, False, True),
        (NOW - APPROVAL_LASTS - 1, False, False),
    ],
)
def test_an_approval_counts_shortly_before_the_manifest_goes(at, consent, expected):
    leaving = DeletionRequest(NOW, replace(CASCADE, approved_at=at), consent=consent)
    assert approved(leaving) is expected
    assert marked(leaving).consent is expected


def doomed(name: str, wave: int = 0, kind: str = "ConfigMap", group: str = "") -> Deletion:
    return Deletion(ObjectKey(group, kind, "shop", name), "v1", "u", wave, "Foreground")


def terminating(name: str, wave: int = 0) -> Remaining:
    return Remaining(ObjectKey("", "ConfigMap", "shop", name), "v1", wave, "Pending deletion.")


def test_argo_cd_deletes_wave_by_wave_highest_first():
    removal = DeletionPlan(
        (doomed("a", -1), doomed("b", 5), doomed("web", 5, "Deployment", "apps"), doomed("space", 5, "Namespace")),
        (terminating("c", 2),),
    )
    found = stages(app(1), DeletionRequest(NOW, CASCADE), removal)
    assert [
        (
            stage.name,
            [item.key.name for item in stage.deletions],
            [item.key.name for item in stage.terminating],
            stage.waits,
        )
        for stage in found
    ] == [
        ("wave 5", ["web", "b", "space"], [], True),
        ("wave 2", [], ["c"], True),
        ("wave -1", ["a"], [], True),
    ]


@pytest.mark.parametrize("waits", [True, False])
def test_flux_deletes_against_the_order_of_the_apply(waits):
    items = (
        doomed("crd", 7, "CustomResourceDefinition", "apiextensions.k8s.io"),
        doomed("a"),
        doomed("web", 9, "Deployment", "apps"),
        doomed("hook", 0, "ValidatingWebhookConfiguration", "admissionregistration.k8s.io"),
    )
    leaving = DeletionRequest(NOW, Deleting(Cascade.BACKGROUND, waits=waits))
    (stage,) = stages(app(1, dialect=Dialect.FLUX), leaving, DeletionPlan(items))
    assert [item.key.name for item in stage.deletions] == ["hook", "web", "a", "crd"]
    assert stage.waits is waits
    rest = stages(app(1, dialect=Dialect.FLUX), leaving, DeletionPlan(terminating=(terminating("a"),)))
    assert len(rest) == int(waits)


def test_nothing_left_is_no_stage():
    for dialect in Dialect:
        assert stages(app(1, dialect=dialect), DeletionRequest(NOW, CASCADE), DeletionPlan(gone=3)) == ()
