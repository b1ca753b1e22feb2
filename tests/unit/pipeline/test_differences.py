"""Ignored, respected, absorbed and extra: what happens in the cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.model import AppId, Dialect, IgnoreRule
from gitops_workers.core.objects import Manifest
from gitops_workers.core.settings.customizations import Customizations
from tests.servers.rules import InProcess
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

REPLICAS = IgnoreRule("apps", "Deployment", pointers=("/spec/replicas",))


def deployment(replicas: int = 1, image: str = "web:1") -> Manifest:
    return manifest("Deployment", "web", "apps/v1", "shop", spec={"replicas": replicas, "image": image})


def lab(
    dialect: Dialect, *ignore: IgnoreRule, installation: tuple[IgnoreRule, ...] = (), **sync: Any
) -> tuple[Lab, AppId]:
    it = Lab()
    it.context = replace(it.context, rules=UserRules(InProcess(), Customizations(ignore=installation)))
    app = it.declare(dialect, **sync)
    it.applications[app] = replace(it.applications[app], ignore=ignore)
    it.enroll()
    it.push(deployment())
    it.run(5)
    return it, app


def scale(it: Lab, replicas: int) -> None:
    it.cluster.edit(manifest("Deployment", "web", "apps/v1", "shop", spec={"replicas": replicas}))
    it.poll_cluster()
    it.run(5)


def replicas(it: Lab) -> int:
    return it.live("Deployment", "web", "apps")["spec"]["replicas"]


def test_without_a_rule_an_autoscaler_is_undone() -> None:
    it, _ = lab(Dialect.ARGOCD, self_heal=True)

    scale(it, 5)

    assert replicas(it) == 1


def test_an_ignored_difference_is_no_drift() -> None:
    it, app = lab(Dialect.ARGOCD, REPLICAS, self_heal=True)

    scale(it, 5)

    assert replicas(it) == 5
    assert it.status(app).sync == "Synced"


def test_jq_and_the_installations_rules_count_as_well() -> None:
    by_jq, _ = lab(Dialect.ARGOCD, IgnoreRule("apps", "Deployment", jq=(".spec.replicas",)), self_heal=True)
    everywhere, _ = lab(Dialect.ARGOCD, installation=(REPLICAS,), self_heal=True)

    for it in (by_jq, everywhere):
        scale(it, 5)
        assert replicas(it) == 5


def test_a_sync_for_another_reason_sets_an_ignored_field_unless_that_is_respected() -> None:
    plain, _ = lab(Dialect.ARGOCD, REPLICAS, self_heal=True)
    respected, _ = lab(Dialect.ARGOCD, REPLICAS, self_heal=True, respect_ignored=True)

    for it, expected in ((plain, 1), (respected, 5)):
        scale(it, 5)
        it.push(deployment(image="web:2"))
        it.poll_repository()
        it.run(5)
        assert it.live("Deployment", "web", "apps")["spec"] == {"replicas": expected, "image": "web:2"}


def test_ignored_fields_are_applied_where_the_object_is_created() -> None:
    it, _ = lab(Dialect.FLUX, IgnoreRule(pointers=("/spec/replicas",)), respect_ignored=True)

    assert replicas(it) == 1


def test_what_was_added_with_kubectl_goes_where_git_does_not_have_it() -> None:
    it, app = lab(Dialect.FLUX, self_heal=True)
    by_hand = manifest("Deployment", "web", "apps/v1", "shop", spec={"hostNetwork": True})
    before = it.live("Deployment", "web", "apps")["metadata"]["uid"]

    it.cluster.edit(by_hand, "kubectl-edit")
    it.poll_cluster()
    it.run(5)

    live = it.live("Deployment", "web", "apps")
    assert live["spec"] == {"replicas": 1, "image": "web:1"}
    assert live["metadata"]["uid"] == before
    assert it.status(app).sync == "Synced"


def test_what_a_controller_added_stays() -> None:
    it, app = lab(Dialect.FLUX, self_heal=True)

    it.cluster.edit(manifest("Deployment", "web", "apps/v1", "shop", spec={"paused": True}), "some-controller")
    it.poll_cluster()
    it.run(5)

    assert it.live("Deployment", "web", "apps")["spec"]["paused"] is True
    assert it.status(app).sync == "Synced"


def test_an_extra_object_that_says_so_is_no_difference() -> None:
    it, app = lab(Dialect.ARGOCD)
    mark = {"argocd.argoproj.io/compare-options": "ServerSideDiff=true, IgnoreExtraneous"}
    extra = manifest("ConfigMap", "generated", namespace="shop", data={"a": "1"})
    extra["metadata"]["annotations"] = mark
    it.push(deployment(), extra, manifest("ConfigMap", "plain", namespace="shop", data={"a": "1"}))
    it.poll_repository()
    it.run(5)

    it.push(deployment(), manifest("ConfigMap", "plain", namespace="shop", data={"a": "1"}))
    it.poll_repository()
    it.run(5)
    assert it.live("ConfigMap", "generated") is not None
    assert it.status(app).sync == "Synced"

    it.push(deployment())
    it.poll_repository()
    it.run(5)
    assert it.status(app).sync == "OutOfSync"


def test_a_rule_that_is_taken_away_counts_from_the_next_poll_on() -> None:
    it, app = lab(Dialect.ARGOCD, installation=(REPLICAS,), self_heal=True)
    scale(it, 5)
    assert replicas(it) == 5

    it.context.rules.configure(Customizations())  # type: ignore[attr-defined]  # of the real rules, not of the port
    it.poll_repository()
    it.run(5)

    assert replicas(it) == 1
    assert it.status(app).sync == "Synced"
    wanted = it.queue.wanted(app)
    it.poll_repository()
    assert it.queue.wanted(app) == wanted
