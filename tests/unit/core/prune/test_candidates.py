"""Nothing is deleted on doubt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.errors import PruneRefused
from gitops_workers.core.model import Application, Dialect
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.prune.candidates import Deletion, Evidence, candidates, decide, still_there
from gitops_workers.core.record.record import InventoryItem
from gitops_workers.core.sync.ordering import PRUNE_LAST
from tests.unit.core.making import application, desired, manifest


def inventory(*names: str) -> tuple[InventoryItem, ...]:
    return tuple(InventoryItem(ObjectKey("", "ConfigMap", "shop", name), "v1") for name in names)


def live(app: Application, name: str, uid: str = "u1", **annotations: str) -> Manifest:
    (item,) = desired(app, manifest("ConfigMap", name))
    metadata = dict(item.manifest["metadata"])
    metadata["uid"] = uid
    metadata["annotations"] = {**metadata.get("annotations", {}), **annotations}
    return {**item.manifest, "metadata": metadata}


def evidence(found: dict[ObjectKey, Manifest | None], **generations: int) -> Evidence:
    return Evidence(**{"generation": 3, "rendered": 3, "approved": 3, **generations}, live=found)


def test_an_object_that_left_git_is_deleted_with_the_uid_that_was_seen() -> None:
    app = application()
    (item,) = inventory("old")
    found = decide(app, [item], 5, evidence({item.key: live(app, "old", "uid-7")}), wanted=9, consent=False)
    assert [(doomed.key.name, doomed.uid) for doomed in found.deletions] == [("old", "uid-7")]


@pytest.mark.parametrize("stale", [{"rendered": 2}, {"approved": 2}])
def test_evidence_of_another_generation_refuses(stale: dict[str, int]) -> None:
    app = application()
    (item,) = inventory("old")
    with pytest.raises(PruneRefused, match="not complete"):
        decide(app, [item], 5, evidence({item.key: live(app, "old")}, **stale), wanted=9, consent=True)


def test_an_unread_candidate_refuses_everything() -> None:
    app = application()
    first, second = inventory("a", "b")
    with pytest.raises(PruneRefused, match="unknown is not gone"):
        decide(app, [first, second], 5, evidence({first.key: live(app, "a")}), wanted=9, consent=True)


@pytest.mark.parametrize(
    ("dialect", "annotation", "value", "kept"),
    [
        (Dialect.ARGOCD, "argocd.argoproj.io/sync-options", "Validate=false, Prune=false", True),
        (Dialect.ARGOCD, "helm.sh/resource-policy", "keep", True),
        (Dialect.ARGOCD, "kustomize.toolkit.fluxcd.io/prune", "disabled", False),
        (Dialect.FLUX, "kustomize.toolkit.fluxcd.io/prune", "Disabled", True),
        (Dialect.FLUX, "kustomize.toolkit.fluxcd.io/reconcile", "disabled", True),
        (Dialect.FLUX, "kustomize.toolkit.fluxcd.io/ssa", "Ignore", True),
        (Dialect.FLUX, "argocd.argoproj.io/sync-options", "Prune=false", False),
    ],
)
def test_opt_outs_are_read_from_the_live_object(dialect: Dialect, annotation: str, value: str, kept: bool) -> None:
    app = application(dialect)
    (item,) = inventory("old")
    found = decide(
        app, [item], 5, evidence({item.key: live(app, "old", **{annotation: value})}), wanted=9, consent=False
    )
    assert bool(found.kept) is kept
    assert bool(found.deletions) is not kept


@pytest.mark.parametrize(
    ("option", "annotation", "consent", "confirmed", "expected"),
    [
        ("", "", False, False, "deletions"),
        ("", "Prune=false", True, True, "kept"),
        ("", "Prune=confirm", False, False, "awaiting_confirmation"),
        ("", "Prune=confirm", False, True, "deletions"),
        ("", "Prune=confirm", True, False, "deletions"),
        ("false", "", True, True, "kept"),
        ("false", "Prune=true", False, False, "deletions"),
        ("confirm", "", False, False, "awaiting_confirmation"),
        ("confirm", "", False, True, "deletions"),
        ("confirm", "Prune=true", False, False, "deletions"),
        ("confirm", "Prune=false", False, True, "kept"),
        ("false", "Prune=confirm", False, False, "awaiting_confirmation"),
    ],
)
def test_prune_option_of_the_application_and_of_the_object(
    option: str, annotation: str, consent: bool, confirmed: bool, expected: str
) -> None:
    app = application(prune_option=option)
    (item,) = inventory("old")
    marks = {"argocd.argoproj.io/sync-options": annotation} if annotation else {}
    seen = evidence({item.key: live(app, "old", **marks)})
    found = decide(app, [item], 5, seen, wanted=9, consent=consent, confirmed=confirmed)
    assert [name for name in ("deletions", "kept", "awaiting_confirmation") if getattr(found, name)] == [expected]
    assert found.only_kept is (expected != "deletions")


@pytest.mark.parametrize(
    ("dialect", "sync", "annotation", "expected"),
    [
        (Dialect.ARGOCD, {}, "", "Foreground"),
        (Dialect.ARGOCD, {"propagation": "Background"}, "", "Background"),
        (Dialect.ARGOCD, {"propagation": "Orphan"}, "", "Orphan"),
        (Dialect.ARGOCD, {"propagation": "Orphan"}, "PrunePropagationPolicy=foreground", "Foreground"),
        (Dialect.FLUX, {}, "", "Background"),
    ],
)
def test_how_a_delete_treats_dependants(dialect: Dialect, sync: dict[str, Any], annotation: str, expected: str) -> None:
    app = application(dialect, **sync)
    (item,) = inventory("old")
    marks = {"argocd.argoproj.io/sync-options": annotation} if annotation else {}
    seen = evidence({item.key: live(app, "old", **marks)})
    (doomed,) = decide(app, [item], 5, seen, wanted=9, consent=False).deletions
    assert doomed.propagation == expected


@pytest.mark.parametrize("sync", [{"prune_last": True}, {}])
def test_a_delete_may_come_last(sync: dict[str, Any]) -> None:
    app = application(**sync)
    (item,) = inventory("old")
    marks = {} if sync else {"argocd.argoproj.io/sync-options": "PruneLast=true"}
    seen = evidence({item.key: live(app, "old", **marks, **{"argocd.argoproj.io/sync-wave": "-3"})})
    (doomed,) = decide(app, [item], 5, seen, wanted=9, consent=False).deletions
    assert (doomed.wave, doomed.last, doomed.turn) == (-3, True, PRUNE_LAST - 3)


def test_gone_and_foreign_objects_are_only_forgotten() -> None:
    app = application()
    gone, foreign = inventory("gone", "foreign")
    stranger = manifest("ConfigMap", "foreign", namespace="shop")
    stranger["metadata"]["uid"] = "u9"
    found = decide(app, [gone, foreign], 9, evidence({gone.key: None, foreign.key: stranger}), wanted=9, consent=False)
    assert (found.deletions, found.gone, found.not_owned) == ((), (gone.key,), (foreign.key,))


@pytest.mark.parametrize(
    ("leaving", "managed", "sync", "consent", "allowed"),
    [
        (10, 12, {}, False, True),
        (11, 36, {}, False, False),
        (11, 37, {}, False, True),
        (30, 100, {}, False, True),
        (31, 100, {}, False, False),
        (31, 100, {}, True, True),
        (31, 100, {"allow_empty": True}, False, True),
        (3, 3, {}, False, False),
        (3, 3, {"allow_empty": True}, False, True),
        (3, 3, {}, True, True),
    ],
)
def test_mass_deletes_need_consent(
    leaving: int, managed: int, sync: dict[str, Any], consent: bool, allowed: bool
) -> None:
    app = application(**sync)
    items = inventory(*(f"c{number}" for number in range(leaving)))
    found = evidence({item.key: live(app, item.key.name) for item in items})
    if allowed:
        assert len(decide(app, items, managed, found, wanted=managed - leaving, consent=consent).deletions) == leaving
    else:
        with pytest.raises(PruneRefused, match="--prune"):
            decide(app, items, managed, found, wanted=managed - leaving, consent=consent)


def test_an_object_on_its_way_out_is_not_deleted_again() -> None:
    app = application()
    (item,) = inventory("a")
    going = live(app, "a")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    found = decide(app, [item], 5, evidence({item.key: going}), wanted=4, consent=False)
    assert (found.deletions, found.gone) == ((), (item.key,))


NAMES = st.sets(st.sampled_from("abcdefgh"))


@given(inventory_names=NAMES, desired_names=NAMES, owned_names=NAMES, gone_names=NAMES)
def test_only_our_own_objects_that_left_git_are_ever_deleted(
    inventory_names: set[str], desired_names: set[str], owned_names: set[str], gone_names: set[str]
) -> None:
    app = application(allow_empty=True)
    items = inventory(*sorted(inventory_names))
    wanted = {ObjectKey("", "ConfigMap", "shop", name) for name in desired_names}
    stale = candidates(items, wanted)
    found: dict[ObjectKey, Manifest | None] = {}
    for item in stale:
        name = item.key.name
        stranger = manifest("ConfigMap", name, namespace="shop")
        stranger["metadata"]["uid"] = "x"
        mine = live(app, name) if name in owned_names else stranger
        found[item.key] = None if name in gone_names else mine
    deleted = {
        doomed.key.name for doomed in decide(app, stale, len(items), evidence(found), wanted=9, consent=False).deletions
    }
    assert deleted == (inventory_names - desired_names - gone_names) & owned_names


def test_of_what_was_deleted_the_objects_are_named_that_somebody_holds() -> None:
    def left(uid: str, *finalizers: str) -> Manifest:
        return {"metadata": {"uid": uid, "finalizers": list(finalizers)}}

    names = ("gone", "collected", "another", "one", "two", "three", "four")
    doomed = [Deletion(ObjectKey("", "ConfigMap", "shop", name), "v1", "u1", 0, "Background") for name in names]
    live: list[Manifest | None] = [None, left("u1", "foregroundDeletion"), left("u2", "x.example/a")]
    live += [left("u1", "x.example/a", "foregroundDeletion")] * 4
    found = {item.key: manifest for item, manifest in zip(doomed, live, strict=True)}
    held = "(finalizers: x.example/a, foregroundDeletion)"
    assert still_there(doomed, found) == (
        f"Still there: ConfigMap shop/one {held}, ConfigMap shop/two {held}, ConfigMap shop/three {held} and 1 more."
    )
    assert still_there(doomed[:3], found) == ""
