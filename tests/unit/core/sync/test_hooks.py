"""Which objects are hooks, when they run, and what their objects say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.model import Dialect, Health, HealthStatus
from gitops_workers.core.objects import Manifest
from gitops_workers.core.sync.hooks import (
    RUN,
    HookDeletion,
    HookPhase,
    HookState,
    doomed,
    hook,
    instance,
    mark,
    phases_of,
    split,
    state,
)
from gitops_workers.core.sync.plan import Gate, plan
from tests.unit.core.making import application, crd, desired, manifest

ARGO = "argocd.argoproj.io/hook"
HELM = "helm.sh/hook"
P = HookPhase


def annotated(name: str, api: str = "batch/v1", kind: str = "Job", **annotations: str) -> Manifest:
    """`argo`, `helm`, `policy`, `wave`, `weight` stand for their long names."""
    long = {
        "argo": ARGO,
        "helm": HELM,
        "policy": "argocd.argoproj.io/hook-delete-policy",
        "helm_policy": "helm.sh/hook-delete-policy",
        "wave": "argocd.argoproj.io/sync-wave",
        "weight": "helm.sh/hook-weight",
    }
    found = manifest(kind, name, api)
    found["metadata"]["annotations"] = {long[key]: value for key, value in annotations.items()}
    return found


@pytest.mark.parametrize(
    ("annotations", "phases"),
    [
        ({}, ()),
        ({"argo": "PreSync"}, (P.PRE_SYNC,)),
        ({"argo": "PostSync, PreSync"}, (P.PRE_SYNC, P.POST_SYNC)),
        ({"argo": "Sync"}, (P.SYNC,)),
        ({"argo": "SyncFail"}, (P.SYNC_FAIL,)),
        ({"argo": "PreDelete,PostDelete"}, (P.PRE_DELETE, P.POST_DELETE)),
        ({"helm": "pre-install,pre-upgrade"}, (P.PRE_SYNC,)),
        ({"helm": "post-install"}, (P.POST_SYNC,)),
        ({"helm": "pre-delete,post-delete"}, (P.PRE_DELETE, P.POST_DELETE)),
        ({"helm": "crd-install"}, ()),
        ({"helm": "pre-install", "argo": "PostSync"}, (P.POST_SYNC,)),
        ({"helm": "pre-install", "argo": "Skip"}, ()),
        ({"helm": "pre-install", "argo": "Presync"}, (P.PRE_SYNC,)),
        ({"argo": "Skip,PreSync"}, (P.PRE_SYNC,)),
        ({"argo": "PreSync,Postsync"}, (P.PRE_SYNC,)),
    ],
)
def test_the_phases_of_an_annotation(annotations: dict[str, str], phases: tuple[HookPhase, ...]) -> None:
    assert phases_of(annotated("a", **annotations)) == phases


@pytest.mark.parametrize(
    ("annotations", "where"),
    [
        ({}, "applied"),
        ({"argo": "PreSync"}, "hooks"),
        ({"argo": "Skip"}, "passed_over"),
        ({"argo": "PreSync,Skip"}, "hooks"),
        ({"argo": "Unheard"}, "passed_over"),
        ({"argo": "Presync"}, "passed_over"),
        ({"argo": "presync, postsync"}, "passed_over"),
        ({"argo": ""}, "passed_over"),
        ({"argo": "Skip,Unheard"}, "passed_over"),
        ({"argo": "Unheard", "helm": "post-install"}, "hooks"),
        ({"helm": "garbage"}, "passed_over"),
        ({"helm": "Pre-Install"}, "passed_over"),
        ({"helm": ""}, "passed_over"),
        ({"helm": "crd-install,garbage"}, "passed_over"),
        ({"helm": "crd-install"}, "applied"),
        ({"helm": "test"}, "passed_over"),
        ({"helm": "pre-rollback"}, "passed_over"),
        ({"helm": "test,post-install"}, "hooks"),
    ],
)
def test_what_becomes_of_an_object(annotations: dict[str, str], where: str) -> None:
    item = annotated("a", **annotations)
    assert getattr(split([item], Dialect.ARGOCD), where) == (item,)
    assert split([item], Dialect.FLUX).applied == (item,), "Flux knows no hooks"


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({"argo": "Presync"}, "argocd.argoproj.io/hook has Presync, known are "),
        ({"argo": "Presync"}, "neither applied nor run"),
        ({"argo": "PreSync,Postsync"}, "argocd.argoproj.io/hook has Postsync"),
        ({"argo": "PreSync,Postsync"}, "It runs in PreSync only."),
        ({"argo": " "}, "has no word"),
        ({"argo": "Presync", "helm": "post-install"}, "It runs in PostSync only."),
        ({"helm": "garbage"}, "helm.sh/hook has garbage"),
        ({"argo": "PreSync", "helm": "garbage"}, ""),
        ({"argo": "Skip"}, ""),
        ({"argo": "Skip,PreSync"}, ""),
        ({"helm": "test,pre-rollback"}, ""),
        ({"helm": "crd-install"}, ""),
        ({}, ""),
    ],
)
def test_a_word_that_is_no_phase_is_told(annotations: dict[str, str], words: str) -> None:
    odd = split([annotated("a", **annotations)], Dialect.ARGOCD).odd

    assert bool(odd) is bool(words)
    assert all(words in wrong for _, wrong in odd)
    assert split([annotated("a", **annotations)], Dialect.FLUX).odd == ()


@given(st.text(max_size=20), st.booleans())
def test_whatever_stands_there_a_marked_object_is_applied_only_as_a_definition(text: str, helm: bool) -> None:
    item = annotated("a", **{"helm" if helm else "argo": text})

    assert split([item], Dialect.ARGOCD).applied == ()


@pytest.mark.parametrize(
    ("annotations", "policies"),
    [
        ({"argo": "Sync"}, {HookDeletion.BEFORE}),
        ({"argo": "Sync", "policy": "HookSucceeded,HookFailed"}, {HookDeletion.SUCCEEDED, HookDeletion.FAILED}),
        ({"argo": "Sync", "policy": "Never"}, {HookDeletion.BEFORE}),
        ({"helm": "pre-install", "helm_policy": "hook-succeeded"}, {HookDeletion.SUCCEEDED}),
        (
            {"helm": "pre-install", "helm_policy": "before-hook-creation,hook-failed"},
            {"BeforeHookCreation", "HookFailed"},
        ),
        ({"argo": "Sync", "policy": "HookFailed", "helm_policy": "hook-succeeded"}, {HookDeletion.FAILED}),
    ],
)
def test_the_delete_policy(annotations: dict[str, str], policies: set[str]) -> None:
    (item,) = desired(application(), annotated("a", **annotations))
    found = hook(item)
    assert found.deletions == policies
    for health in (None, HEALTHY):
        assert doomed(found, health) is (HookDeletion.SUCCEEDED in policies)
    for health in (DEGRADED, PROGRESSING):
        assert doomed(found, health) is (HookDeletion.FAILED in policies)


def test_a_run_carries_its_mark_and_the_finalizer_that_keeps_its_result() -> None:
    (item,) = desired(application(), annotated("migrate", argo="PreSync,PostSync"))
    before = item.digest
    made = instance(hook(item), P.POST_SYNC, "run1", "c" * 40, 17.9)
    assert made.key == item.key
    assert made.manifest["metadata"]["annotations"][RUN] == mark("run1", P.POST_SYNC) == "run1.PostSync"
    assert made.manifest["metadata"]["finalizers"] == ["argocd.argoproj.io/hook-finalizer"]
    assert RUN not in item.manifest["metadata"]["annotations"]
    assert item.digest == before


def test_a_generated_name_is_the_same_in_each_attempt() -> None:
    template = annotated("", argo="PreSync")
    template["metadata"] = {"generateName": "migrate-", "annotations": template["metadata"]["annotations"]}
    (item,) = desired(application(), *split([template], Dialect.ARGOCD).hooks)
    made = [instance(hook(item), P.PRE_SYNC, "run1", "abcdef0123" * 4, 1700000000.7) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].key.name == made[0].manifest["metadata"]["name"] == "migrate-abcdef0-presync-1700000000"
    assert "generateName" not in made[0].manifest["metadata"]


HEALTHY, DEGRADED = Health(HealthStatus.HEALTHY), Health(HealthStatus.DEGRADED)
PROGRESSING, SUSPENDED = Health(HealthStatus.PROGRESSING), Health(HealthStatus.SUSPENDED)


@pytest.mark.parametrize(
    ("live", "health", "begun", "expected"),
    [
        (None, None, False, HookState.NONE),
        (None, None, True, HookState.LOST),
        ("other.PreSync", HEALTHY, False, HookState.EARLIER),
        ("", HEALTHY, False, HookState.EARLIER),
        ("run1.PostSync", HEALTHY, False, HookState.EARLIER),
        ("other.PreSync", HEALTHY, True, HookState.LOST),
        ("run1.PreSync", None, True, HookState.SUCCEEDED),
        ("run1.PreSync", HEALTHY, True, HookState.SUCCEEDED),
        ("run1.PreSync", DEGRADED, True, HookState.FAILED),
        ("run1.PreSync", Health(HealthStatus.UNKNOWN), True, HookState.FAILED),
        ("run1.PreSync", PROGRESSING, True, HookState.RUNNING),
        ("run1.PreSync", SUSPENDED, False, HookState.RUNNING),
    ],
)
def test_the_state_of_a_run(live: str | None, health: Health | None, begun: bool, expected: HookState) -> None:
    (item,) = desired(application(), annotated("a", argo="PreSync"))
    made = instance(hook(item), P.PRE_SYNC, "run1", "c" * 40, 17.0)
    found = None if live is None else {"metadata": {"annotations": {RUN: live}}}
    assert state(made, found, health, begun=begun) is expected


def test_a_run_that_is_deleted_by_hand_is_lost_and_one_that_had_ended_is_not() -> None:
    (item,) = desired(application(), annotated("a", argo="PreSync"))
    made = instance(hook(item), P.PRE_SYNC, "run1", "c" * 40, 17.0)
    leaving: dict[str, Any] = {"metadata": {"annotations": {RUN: "run1.PreSync"}, "deletionTimestamp": "2026-01-01"}}
    assert state(made, leaving, PROGRESSING, begun=True) is HookState.LOST
    assert state(made, leaving, HEALTHY, begun=True) is HookState.SUCCEEDED


def stages(*manifests: Manifest) -> tuple[list[tuple[str, list[str], Gate]], list[str]]:
    app = application()
    parts = split(manifests, Dialect.ARGOCD)
    items = desired(app, *parts.applied, *parts.hooks)
    applied, hooks = items[: len(parts.applied)], items[len(parts.applied) :]
    found = plan(app, applied, (), (), [hook(item) for item in hooks])
    rows = [(stage.name, [task.item.key.name for task in stage.tasks], stage.gate) for stage in found.stages]
    return rows, [stage.name for stage in found.after_failure]


def test_phases_go_before_waves_and_a_hook_has_its_place_among_the_objects() -> None:
    rows, after = stages(
        annotated("migrate", argo="PreSync"),
        annotated("check", argo="PreSync", wave="-5"),
        annotated("warm", argo="PostSync", wave="-9"),
        annotated("tell", argo="SyncFail", wave="2"),
        annotated("cry", argo="SyncFail"),
        annotated("both", argo="PreSync,PostSync", weight="3"),
        annotated("seed", argo="Sync"),
        manifest("ConfigMap", "settings"),
        manifest("Deployment", "web", "apps/v1"),
    )
    assert rows == [
        ("PreSync wave -5", ["check"], Gate.HEALTHY),
        ("PreSync wave 0", ["migrate"], Gate.HEALTHY),
        ("PreSync wave 3", ["both"], Gate.HEALTHY),
        ("wave 0", ["settings", "web", "seed"], Gate.HEALTHY),
        ("PostSync wave -9", ["warm"], Gate.HEALTHY),
        ("PostSync wave 3", ["both"], Gate.HEALTHY),
    ]
    assert after == ["SyncFail wave 0", "SyncFail wave 2"]


def test_a_namespace_and_a_definition_go_ahead_of_the_hook_that_needs_them() -> None:
    rows, _ = stages(
        annotated("migrate", argo="PreSync", wave="2"),
        manifest("Namespace", "shop"),
        annotated("w", "shop.io/v1", "Widget", argo="PreSync", wave="4"),
        crd("Widget", "shop.io"),
    )
    assert rows == [
        ("PreSync wave 2", ["shop", "migrate"], Gate.HEALTHY),
        ("PreSync wave 4, definitions", ["widgets.shop.io"], Gate.SERVED),
        ("PreSync wave 4", ["w"], Gate.HEALTHY),
    ]


def test_objects_of_an_only_wave_are_not_waited_for_with_its_hooks() -> None:
    """Argo CD waits for objects only among several steps; a hook of the last wave it always waits for."""
    assert stages(annotated("seed", argo="Sync"), manifest("ConfigMap", "a"))[0] == [
        ("wave 0", ["a", "seed"], Gate.OPEN)
    ]
