"""Differences to leave alone: which rule selects which object, which fields it means, what is applied then."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.diff.compare import compared
from gitops_workers.core.diff.ignoring import ignored, kept_alive, rules_for
from gitops_workers.core.model import IgnoreRule
from gitops_workers.core.objects import Manifest, ObjectKey
from tests.unit.core.making import application, desired

WEB = ObjectKey("apps", "Deployment", "shop", "web")


@pytest.mark.parametrize(
    ("rule", "selects"),
    [
        (IgnoreRule("apps", "Deployment"), True),
        (IgnoreRule("", "Deployment"), False),
        (IgnoreRule("*", "*"), True),
        (IgnoreRule("a*s", "Deploy*"), True),
        (IgnoreRule("apps", "StatefulSet"), False),
        (IgnoreRule("apps", "Deployment", name="web"), True),
        (IgnoreRule("apps", "Deployment", name="we*"), False),
        (IgnoreRule("apps", "Deployment", namespace="other"), False),
        (IgnoreRule(), True),
        (IgnoreRule(target=(("kind", "Deployment"), ("name", "w.*"))), True),
        (IgnoreRule(target=(("kind", "Deploy"),)), False),
        (IgnoreRule(target=(("version", "v2"),)), False),
        (IgnoreRule(target=(("group", "apps"), ("namespace", "shop|other"))), True),
        (IgnoreRule(target=(("labelSelector", "tier=front"),)), True),
        (IgnoreRule(target=(("labelSelector", "tier=back"),)), False),
        (IgnoreRule(target=(("labelSelector", "tier in (back, front),!gone"),)), True),
        (IgnoreRule(target=(("labelSelector", "tier notin (front)"),)), False),
        (IgnoreRule(target=(("labelSelector", "tier, team!=red"),)), True),
        (IgnoreRule(target=(("annotationSelector", "tier"),)), False),
        (IgnoreRule(target=(("labelSelector", "tier in front"),)), False),
    ],
)
def test_which_objects_a_rule_is_for(rule: IgnoreRule, selects: bool):
    manifest = {"metadata": {"labels": {"tier": "front"}}}

    assert bool(rules_for([rule], WEB, "v1", manifest)) is selects


def deployment(replicas: int | None = 1, *images: str, **metadata: Any) -> Manifest:
    containers = [{"name": name, "image": f"{name}:1"} for name in ("web", *images)]
    spec: dict[str, Any] = {"template": {"spec": {"containers": containers}}}
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", **metadata},
        "spec": spec,
    }


def differs(live: Manifest, would_be: Manifest, *rules: IgnoreRule, by_jq: Any = ((), (), ())) -> bool:
    (item,) = desired(application(), would_be)
    return compared(item, live, would_be, left_alone=ignored(rules, live, would_be, would_be, by_jq)).differs


def test_pointers_hide_a_difference_and_only_that():
    rule = IgnoreRule("apps", "Deployment", pointers=("/spec/replicas",))

    assert differs(deployment(5), deployment(1))
    assert not differs(deployment(5), deployment(1), rule)
    assert not differs(deployment(5), deployment(None), rule)
    assert differs(deployment(5, "istio"), deployment(1), rule)


def test_the_places_of_jq_hide_an_injected_container():
    place = ("spec", "template", "spec", "containers", 1)

    assert differs(deployment(1, "istio"), deployment(1))
    assert not differs(deployment(1, "istio"), deployment(1), IgnoreRule(jq=("...",)), by_jq=((place,), (), ()))


def test_what_a_listed_manager_owns_is_left_alone():
    owns: dict[str, Any] = {
        "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"istio"}': {".": {}}}}}}
    }
    fields = [{"manager": "sidecars", "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": owns}]
    live = deployment(5, "istio", managedFields=fields)

    assert not differs(live, deployment(1), IgnoreRule(managers=("sidecars",)))
    assert differs(live, deployment(1), IgnoreRule(managers=("somebody",)))


def test_an_ignored_difference_is_not_shown_either():
    rule = IgnoreRule(pointers=("/spec/replicas",))
    live, target = deployment(5, "new"), deployment(1)
    (item,) = desired(application(), target)

    result = compared(item, live, target, left_alone=ignored([rule], live, target, target))

    assert result.differs
    assert "replicas" not in result.beside["spec"]
    assert "replicas" not in result.would_be["spec"]
    assert result.live is live


def test_an_apply_keeps_the_live_value_of_an_ignored_field_that_git_names():
    assert kept_alive(deployment(1), deployment(5), [("spec", "replicas")]) == deployment(5)
    assert kept_alive(deployment(None), deployment(5), [("spec", "replicas")]) == deployment(None)
    assert kept_alive(deployment(1), deployment(None), [("spec", "replicas")]) == deployment(None)


def test_an_item_of_a_list_keeps_its_own_live_value():
    live = deployment(1, "istio")
    live["spec"]["template"]["spec"]["containers"].reverse()
    live["spec"]["template"]["spec"]["containers"][1]["image"] = "web:2"

    kept = kept_alive(deployment(1), live, [("spec", "template", "spec", "containers", 0, "image")])

    assert kept["spec"]["template"]["spec"]["containers"] == [{"name": "web", "image": "web:2"}]


def test_a_field_that_another_applier_owns_is_left_out_so_that_the_two_do_not_fight():
    owner = {"operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    scaler = deployment(5, managedFields=[{**owner, "manager": "scaler"}])
    ours = deployment(5, managedFields=[{**owner, "manager": "gitops-workers"}])

    assert kept_alive(deployment(1), scaler, [("spec", "replicas")]) == deployment(None)
    assert kept_alive(deployment(1), ours, [("spec", "replicas")]) == deployment(5)
