"""What counts for one object: the application's options, what stands on the object, and who wins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest
from gitops_workers.core.sync.options import Handling, Options, Pruned, by_name, own_options, to_apply, to_prune
from tests.unit.core.making import application, manifest

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
SSA = "kustomize.toolkit.fluxcd.io/ssa"
RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile"
FORCE = "kustomize.toolkit.fluxcd.io/force"
PRUNE = "kustomize.toolkit.fluxcd.io/prune"


def config(place: str = "annotations", **marks: str) -> Manifest:
    found = manifest("ConfigMap", "a")
    found["metadata"][place] = marks
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("Prune=false", {"Prune": "false"}),
        (" Prune=false ,Validate=false", {"Prune": "false", "Validate": "false"}),
        ("Prune=false,Prune=confirm", {"Prune": "false"}),
        ("Prune=true,Prune=false", {"Prune": "false"}),
        ("Prune=true,Prune=confirm,Prune=true", {"Prune": "confirm"}),
        ("Prune=true,Prune=flase", {"Prune": "flase"}),
        ("Delete=true,Delete=confirm", {"Delete": "confirm"}),
        ("Force=true,Force=false", {"Force": "false"}),
        ("Replace=false,Replace=true", {"Replace": "false"}),
        ("Validate=true,Validate=false", {"Validate": "true"}),
        ("PrunePropagationPolicy=orphan,PrunePropagationPolicy=foreground", {"PrunePropagationPolicy": "orphan"}),
        ("Prune", {}),
        (",,=", {"": ""}),
        ("prune=false", {"Prune": "false"}),
        ("Prune = false", {"Prune": " false"}),
        ("Prune=true,DELETE=confirm,prune=false", {"Prune": "false", "Delete": "confirm"}),
        ("prune=true,force=true", {"prune": "true", "force": "true"}),
    ],
)
def test_the_annotation_is_a_list(text: str, expected: dict[str, str]) -> None:
    assert own_options(config(**{SYNC_OPTIONS: text})) == expected


@pytest.mark.parametrize("broken", [{}, {"metadata": None}, {"metadata": {"annotations": None}}])
def test_an_object_without_annotations_says_nothing(broken: dict[str, Any]) -> None:
    assert own_options(broken) == {}
    for dialect in Dialect:
        assert to_apply(application(dialect), broken).handling is Handling.APPLIED


ARGOCD = [
    # sync option, field of the policy, field of the options, value when it is on
    ("Validate=false", {"validate": False}, "validate", False),
    ("SkipDryRunOnMissingResource=true", {"skip_missing": True}, "skip_missing", True),
    ("Replace=true", {"replace": True}, "replace", True),
    ("Force=true", {"force": True}, "force", True),
    ("PruneLast=true", {"prune_last": True}, "prune_last", True),
    ("ClientSideApplyMigration=false", {"absorb": False}, "absorb", False),
    ("Prune=false", {"prune_option": "false"}, "prune", Pruned.NO),
    ("Prune=confirm", {"prune_option": "confirm"}, "prune", Pruned.CONFIRMED),
    ("PrunePropagationPolicy=orphan", {"propagation": "Orphan"}, "propagation", "Orphan"),
]


@pytest.mark.parametrize(("text", "policy", "field", "value"), ARGOCD)
def test_argocd_options_of_the_application_and_of_the_object(
    text: str, policy: dict[str, Any], field: str, value: object
) -> None:
    plain, name = getattr(Options(propagation="Foreground"), field), text.partition("=")[0]
    assert getattr(to_apply(application(), config()), field) == plain
    assert getattr(to_apply(application(**policy), config()), field) == value
    assert getattr(to_apply(application(), config(**{SYNC_OPTIONS: text})), field) == value
    back = {"PrunePropagationPolicy": "foreground", "Prune": "true"}.get(name, str(not value).lower())
    if name in ("Validate", "ClientSideApplyMigration"):
        back = "true"
    assert getattr(to_apply(application(**policy), config(**{SYNC_OPTIONS: f"{name}={back}"})), field) == plain
    nonsense = config(**{SYNC_OPTIONS: f"{name}=perhaps"})
    if name != "Prune":
        assert getattr(to_apply(application(**policy), nonsense), field) == value


@pytest.mark.parametrize(("text", "policy", "field", "value"), ARGOCD)
def test_flux_does_not_know_them(text: str, policy: dict[str, Any], field: str, value: object) -> None:
    del policy, value
    plain = getattr(Options(), field)
    assert getattr(to_apply(application(Dialect.FLUX), config(**{SYNC_OPTIONS: text})), field) == plain


@pytest.mark.parametrize("place", ["annotations", "labels"])
@pytest.mark.parametrize(
    ("mark", "value", "on_desired", "on_live"),
    [
        (RECONCILE, "disabled", Handling.NEVER, Handling.NEVER),
        (RECONCILE, "Disabled", Handling.NEVER, Handling.NEVER),
        (RECONCILE, "enabled", Handling.APPLIED, Handling.APPLIED),
        (SSA, "Ignore", Handling.NEVER, Handling.NEVER),
        (SSA, "ignore", Handling.NEVER, Handling.NEVER),
        (SSA, "IfNotPresent", Handling.ONCE, Handling.APPLIED),
        (SSA, "IFNOTPRESENT", Handling.ONCE, Handling.APPLIED),
        (SSA, "Merge", Handling.APPLIED, Handling.APPLIED),
        (SSA, "Override", Handling.APPLIED, Handling.APPLIED),
    ],
)
def test_flux_marks_on_either_side(place: str, mark: str, value: str, on_desired: Handling, on_live: Handling) -> None:
    app, marked = application(Dialect.FLUX), config(place, **{mark: value})
    assert to_apply(app, marked).handling is on_desired
    assert to_apply(app, marked, config()).handling is on_desired
    assert to_apply(app, config(), marked).handling is on_live
    assert to_apply(application(), marked, marked).handling is Handling.APPLIED


@pytest.mark.parametrize(("on_desired", "on_live"), [(True, False), (False, True), (True, True), (False, False)])
def test_flux_merge_keeps_what_was_added_and_force_recreates(on_desired: bool, on_live: bool) -> None:
    app = application(Dialect.FLUX)
    marked = config(**{SSA: "merge", FORCE: "Enabled"})
    found = to_apply(app, marked if on_desired else config(), marked if on_live else config())
    assert found.absorb is not (on_desired or on_live)
    assert found.force is (on_desired or on_live)


def test_flux_force_of_the_kustomization() -> None:
    assert to_apply(application(Dialect.FLUX, force=True), config(**{FORCE: "disabled"})).force


@pytest.mark.parametrize(
    ("marks", "expected", "reason"),
    [
        ({}, Pruned.YES, ""),
        ({PRUNE: "disabled"}, Pruned.NO, f"{PRUNE}: disabled"),
        ({PRUNE: "Disabled"}, Pruned.NO, f"{PRUNE}: disabled"),
        ({PRUNE: "disable"}, Pruned.NO, f"{PRUNE}: disable"),
        ({PRUNE: "Enabled"}, Pruned.YES, ""),
        ({RECONCILE: "disabled"}, Pruned.NO, f"{RECONCILE}: disabled"),
        ({SSA: "ignore"}, Pruned.NO, f"{SSA}: Ignore"),
        ({SSA: "IfNotPresent"}, Pruned.YES, ""),
        ({"helm.sh/resource-policy": "keep"}, Pruned.NO, "helm.sh/resource-policy: keep"),
        ({"helm.sh/resource-policy": "backup, keep"}, Pruned.NO, "helm.sh/resource-policy: keep"),
    ],
)
@pytest.mark.parametrize("place", ["annotations", "labels"])
def test_flux_prune(place: str, marks: dict[str, str], expected: Pruned, reason: str) -> None:
    if place == "labels" and "helm.sh/resource-policy" in marks:
        expected, reason = Pruned.YES, ""
    found = to_prune(application(Dialect.FLUX), config(place, **marks))
    assert (found.prune, found.reason, found.propagation) == (expected, reason, "Background")


def test_resource_policy_keep_beats_every_option() -> None:
    marks = {SYNC_OPTIONS: "Prune=true", "helm.sh/resource-policy": " Keep "}
    assert to_prune(application(), config(**marks)).prune is Pruned.NO


@pytest.mark.parametrize("text", ["Prune=flase", "Prune=False", "Prune=no", "Prune=true,Prune=flase"])
def test_a_mistyped_prune_is_no_leave_to_delete(text: str) -> None:
    found = to_prune(application(), config(**{SYNC_OPTIONS: text}))

    assert found.prune is Pruned.NO
    assert "neither true, confirm nor false" in found.reason


@given(st.permutations(["true", "false", "confirm"]), st.sampled_from(["Prune", "Delete"]))
def test_the_order_of_what_is_given_twice_deletes_nothing_more(values: list[str], name: str) -> None:
    for count in range(1, len(values) + 1):
        given_ = values[:count]
        expected = next(word for word in ("false", "confirm", "true") if word in given_)
        assert by_name(f"{name}={value}" for value in given_) == {name: expected}


@pytest.mark.parametrize(("mark", "value"), [(RECONCILE, " Disabled"), (SSA, "ignore ")])
def test_spaces_about_a_mark_of_flux_leave_it_a_mark(mark: str, value: str) -> None:
    assert to_apply(application(Dialect.FLUX), config(**{mark: value})).handling is Handling.NEVER
    assert not to_apply(application(Dialect.FLUX), config(**{FORCE: " enabled"})).force
