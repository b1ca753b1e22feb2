"""The order of a sync, per dialect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Deletion
from gitops_workers.core.sync.ordering import (
    ARGOCD_KINDS,
    FLUX_KINDS,
    PRUNE_LAST,
    SYNC_WAVE,
    argocd_order,
    argocd_rank,
    flux_rank,
    mirrored,
)
from gitops_workers.core.sync.plan import Gate, Plan, plan
from tests.unit.core.making import application, crd, desired, manifest


def shape(found: Plan) -> list[tuple[str, list[str], str]]:
    return [
        (stage.name, [f"{item.key.kind} {item.key.name}" for item in stage.objects], stage.gate)
        for stage in found.stages
    ]


def test_argocd_applies_by_wave_then_kind_then_name() -> None:
    app = application()
    items = desired(
        app,
        manifest("Deployment", "web", "apps/v1"),
        manifest("ConfigMap", "b"),
        manifest("ConfigMap", "a"),
        manifest("Service", "web", wave=-1),
        manifest("Job", "late", "batch/v1", wave=2),
    )
    assert shape(plan(app, items, ())) == [
        ("wave -1", ["Service web"], Gate.HEALTHY),
        ("wave 0", ["ConfigMap a", "ConfigMap b", "Deployment web"], Gate.HEALTHY),
        ("wave 2", ["Job late"], Gate.OPEN),
    ]


def test_a_namespace_moves_into_the_wave_of_its_first_inhabitant() -> None:
    app = application()
    items = desired(app, manifest("ConfigMap", "a", wave=-3), manifest("Namespace", "shop"))
    assert shape(plan(app, items, ())) == [("wave -3", ["Namespace shop", "ConfigMap a"], Gate.OPEN)]


def test_a_definition_is_served_before_its_objects_are_applied() -> None:
    app = application()
    items = desired(app, manifest("Widget", "w", "shop.io/v1", wave=1), crd("Widget", "shop.io"))
    assert shape(plan(app, items, ())) == [
        ("wave 0", ["CustomResourceDefinition widgets.shop.io"], Gate.HEALTHY),
        ("wave 1", ["Widget w"], Gate.OPEN),
    ]
    items = desired(app, manifest("Widget", "w", "shop.io/v1", wave=-1), crd("Widget", "shop.io"))
    assert shape(plan(app, items, ())) == [
        ("wave -1, definitions", ["CustomResourceDefinition widgets.shop.io"], Gate.SERVED),
        ("wave -1", ["Widget w"], Gate.OPEN),
    ]


def test_what_stands_before_a_definition_in_argo_cds_order_is_applied_before_it() -> None:
    """Namespace, Secret and ConfigMap come before a CRD of their wave, ClusterRole and Service after it."""
    app = application()
    items = desired(
        app,
        manifest("Service", "web"),
        manifest("Widget", "w", "shop.io/v1"),
        crd("Widget", "shop.io"),
        manifest("ConfigMap", "settings"),
        manifest("Namespace", "shop"),
        manifest("Job", "late", "batch/v1", wave=1),
    )
    old = (doomed("ConfigMap"),)
    first, second, last = plan(app, items, old).stages
    assert shape(Plan((first, second))) == [
        (
            "wave 0, definitions",
            ["Namespace shop", "ConfigMap settings", "CustomResourceDefinition widgets.shop.io"],
            Gate.SERVED,
        ),
        ("wave 0", ["Service web", "Widget w"], Gate.HEALTHY),
    ]
    assert (first.deletions, second.deletions) == (old, ()), "the deletes of a wave go before its objects"
    assert second.awaited == old
    assert {key.name for key in second.keys} == {"shop", "settings", "widgets.shop.io", "web", "w"}
    assert last.name == "wave 1"


def test_flux_applies_definitions_then_classes_then_the_rest() -> None:
    app = application(Dialect.FLUX)
    items = desired(
        app,
        manifest("Deployment", "web", "apps/v1"),
        manifest("StorageClass", "fast", "storage.k8s.io/v1"),
        manifest("Namespace", "shop"),
        manifest("ClusterRole", "reader", "rbac.authorization.k8s.io/v1"),
        manifest("Secret", "s"),
        manifest("ConfigMap", "a"),
    )
    assert shape(plan(app, items, ())) == [
        ("definitions", ["Namespace shop", "ClusterRole reader"], Gate.HEALTHY),
        ("classes", ["StorageClass fast"], Gate.HEALTHY),
        ("objects", ["ConfigMap a", "Secret s", "Deployment web"], Gate.OPEN),
    ]


@pytest.mark.parametrize(("wait", "gate"), [(True, Gate.HEALTHY), (False, Gate.OPEN)])
def test_the_last_stage_waits_only_on_request(wait: bool, gate: Gate) -> None:
    app = application(Dialect.FLUX, wait=wait)
    assert plan(app, desired(app, manifest("ConfigMap", "a")), ()).stages[-1].gate is gate


def doomed(kind: str, wave: int = 0, *, last: bool = False) -> Deletion:
    return Deletion(ObjectKey("", kind, "shop", f"{kind}-{wave}".lower()), "v1", "u", wave, "Background", last)


def test_argocd_deletes_in_mirrored_waves_before_it_applies() -> None:
    app = application()
    found = plan(app, (), (doomed("ConfigMap", 0), doomed("ConfigMap", 5), doomed("Service", 5)))
    assert [[item.key.name for item in stage.deletions] for stage in found.stages] == [
        ["configmap-5", "service-5"],
        ["configmap-0"],
    ]
    assert all(stage.deletes_first for stage in found.stages)


def test_stages_stay_where_they_were_when_some_deletes_are_done() -> None:
    """Waves 0 and 5 are deleted; in the second step only one is left, and must not move to the other's place."""
    app = application()
    items = desired(app, manifest("ConfigMap", "a", wave=1))
    first = plan(app, items, (doomed("ConfigMap", 0), doomed("ConfigMap", 5)), (0, 5))
    second = plan(app, items, (doomed("ConfigMap", 0),), (0, 5))
    assert [stage.name for stage in second.stages] == [stage.name for stage in first.stages]
    assert [[item.key.name for item in stage.deletions] for stage in second.stages] == [[], [], ["configmap-0"]]


def test_what_is_pruned_last_comes_after_the_last_wave_and_its_health() -> None:
    app = application()
    items = desired(app, manifest("ConfigMap", "a", wave=4))
    found = plan(app, items, (doomed("ConfigMap", 9), doomed("Service", 9, last=True)))
    assert [(stage.name, [item.key.kind for item in stage.deletions], stage.gate) for stage in found.stages] == [
        ("wave 4", [], Gate.HEALTHY),
        ("wave 9", ["ConfigMap"], Gate.HEALTHY),
        ("wave 10", ["Service"], Gate.OPEN),
    ]
    alone = plan(app, (), (doomed("Service", last=True),))
    assert [stage.name for stage in alone.stages] == ["wave 1"]


def test_what_is_pruned_last_takes_part_in_the_mirror() -> None:
    """Argo CD turns all prune waves round before it puts some of them last: 0 and 7 change places, and 7 is alone."""
    found = plan(application(), (), (doomed("ConfigMap", 0), doomed("ConfigMap", 3), doomed("Service", 7, last=True)))
    assert [(stage.name, [item.key.name for item in stage.deletions]) for stage in found.stages] == [
        ("wave 3", ["configmap-3"]),
        ("wave 7", ["configmap-0"]),
        ("wave 8", ["service-7"]),
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("apps/Deployment/b apps/Deployment/a", "a b"),
        ("/Secret/z /ConfigMap/a", "z a"),
        ("a.io/Zebra/b z.io/Ant/c a.io/Bee/a", "a b c"),
        ("z.io/Ant/a /APIService/z", "z a"),
        ("a.io/Deployment/b apps/Deployment/a", "a b"),
    ],
)
def test_inside_a_wave_the_kind_has_a_rank_and_the_name_decides(keys: str, expected: str) -> None:
    parsed = [key.split("/") for key in keys.split()]
    order = sorted((ObjectKey(group, kind, "n", name) for group, kind, name in parsed), key=argocd_rank)
    assert [key.name for key in order] == expected.split()


def test_namespaces_go_ahead_before_definitions_do() -> None:
    """A CRD goes ahead of the first of its kind, which its namespace stands in front of already."""
    app = application()
    things = desired(
        app,
        manifest("Thing", "a", "x.io/v1", namespace="far", wave=0),
        {**crd("Thing", "x.io"), "metadata": {"name": "things.x.io", "annotations": {SYNC_WAVE: "3"}}},
        manifest("Namespace", "far", wave=5),
    )
    assert [task.item.key.kind for task in argocd_order(things)] == ["Namespace", "CustomResourceDefinition", "Thing"]
    assert {task.wave for task in argocd_order(things)} == {0}


def test_the_stage_of_what_was_pruned_last_stays() -> None:
    app = application()
    items = desired(app, manifest("ConfigMap", "a", wave=4))
    found = plan(app, items, (), (PRUNE_LAST,))
    assert [(stage.name, stage.gate) for stage in found.stages] == [("wave 4", Gate.HEALTHY), ("wave 5", Gate.OPEN)]


def test_flux_deletes_after_it_applied_in_reverse_order() -> None:
    app = application(Dialect.FLUX)
    found = plan(app, desired(app, manifest("ConfigMap", "a")), (doomed("ConfigMap"), doomed("Deployment")))
    assert [item.key.kind for item in found.stages[-1].deletions] == ["Deployment", "ConfigMap"]
    assert not found.stages[-1].deletes_first


@given(st.lists(st.integers(-9, 9)))
def test_mirroring_twice_changes_nothing(waves: list[int]) -> None:
    once = mirrored(waves)
    assert mirrored(once.values()) == {value: key for key, value in once.items()}


def test_listed_kinds_rank_in_their_list_and_unknown_ones_after_them() -> None:
    for kinds, rank in ((ARGOCD_KINDS, argocd_rank), (FLUX_KINDS, flux_rank)):
        keys = [ObjectKey("", kind, "n", "x") for kind in kinds]
        assert sorted(set(keys), key=rank) == keys
        assert rank(ObjectKey("z.io", "Zebra", "n", "x")) > rank(keys[-1])


@given(st.permutations(range(5)))
def test_the_plan_does_not_depend_on_render_order(order: list[int]) -> None:
    app = application()
    objects = [
        manifest("Namespace", "shop"),
        manifest("ConfigMap", "a", wave=1),
        manifest("ConfigMap", "b"),
        manifest("Deployment", "web", "apps/v1"),
        crd("Widget", "shop.io"),
    ]
    first = shape(plan(app, desired(app, *objects), ()))
    assert shape(plan(app, desired(app, *(objects[index] for index in order)), ())) == first
