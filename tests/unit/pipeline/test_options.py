"""Sync options and marks of objects: what happens in the cluster, and that it comes to rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.errors import ApplyRefused, ClusterUnavailable
from gitops_workers.core.model import AppId, Dialect, Phase
from gitops_workers.core.objects import Manifest, key_of
from gitops_workers.ports import Urgency
from tests.unit.core.making import crd, manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import as_json, inventory

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
SSA = "kustomize.toolkit.fluxcd.io/ssa"
RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile"
METADATA: dict[str, Any] = {
    "create_namespace": True,
    "namespace_labels": (("team", "shop"),),
    "namespace_annotations": (("contact", "ann"),),
}
REPLICAS = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")


def config(name: str, value: str = "1", wave: int | None = None, **marks: str) -> Manifest:
    found = manifest("ConfigMap", name, namespace="shop", wave=wave, data={"v": value})
    if marks:
        found["metadata"]["annotations"] = {**found["metadata"].get("annotations", {}), **marks}
    return found


def deployment(name: str, wave: int | None = None) -> Manifest:
    return manifest("Deployment", name, "apps/v1", "shop", wave=wave, spec={"replicas": 1})


def synced(*objects: Manifest, dialect: Dialect = Dialect.ARGOCD, **sync: Any) -> tuple[Lab, AppId]:
    lab = Lab()
    app = lab.declare(dialect, **sync)
    lab.push(*objects)
    lab.run(5)
    return lab, app


def push(lab: Lab, *objects: Manifest) -> None:
    lab.push(*objects)
    lab.poll_repository()
    lab.run(5)


def looks_of(lab: Lab, seconds: float = 400) -> int:
    """How often an application is looked at in a long quiet time with its polls."""
    return sum(done.startswith("reconcile") for done in lab.run(seconds))


def value(lab: Lab, name: str) -> str | None:
    live = lab.live("ConfigMap", name)
    return live["data"]["v"] if live else None


def approve(lab: Lab, app: AppId, at: float) -> None:
    """The application's annotation changes, and the catalogue rings."""
    declared = lab.applications[app]
    lab.applications[app] = replace(declared, deleting=replace(declared.deleting, approved_at=at))
    declared_anew(lab, app)


def declared_anew(lab: Lab, app: AppId, **sync: Any) -> None:
    """The application's manifest has changed."""
    lab.applications[app] = replace(lab.applications[app], sync=replace(lab.applications[app].sync, **sync))
    lab.enroll()
    lab.queue.request(app, "its manifest changed", Urgency.POLL)
    lab.run(5)


def ready(lab: Lab, name: str) -> None:
    live = lab.live("Deployment", name, "apps")
    assert live is not None
    available = {"type": "Available", "status": "True"}
    status = {**dict.fromkeys(REPLICAS, 1), "conditions": [available]}
    lab.cluster.put_status(key_of(live), {**status, "observedGeneration": live["metadata"]["generation"]})


class TestPrune:
    """Prune=false, Prune=confirm, PruneLast."""

    @pytest.mark.parametrize("sync", [{"prune_option": "false"}, {}])
    def test_what_is_kept_is_said_and_leaves_the_application_out_of_sync(self, sync: dict[str, Any]) -> None:
        marks = {} if sync else {SYNC_OPTIONS: "Prune=false"}
        lab, app = synced(config("a"), config("old", **marks), prune=True, **sync)

        push(lab, config("a", "2"))

        assert (value(lab, "a"), value(lab, "old")) == ("2", "1")
        assert lab.status(app).sync == "OutOfSync"
        assert "ConfigMap shop/old left Git and is kept" in lab.status(app).message
        assert [row.name for row in lab.state.resources(app) if row.status == "OutOfSync"] == ["old"]
        assert looks_of(lab) == 0

    def test_what_is_kept_and_extraneous_is_no_difference(self) -> None:
        marks = {SYNC_OPTIONS: "Prune=false", "argocd.argoproj.io/compare-options": "IgnoreExtraneous"}
        lab, app = synced(config("a"), config("old", **marks), prune=True)

        push(lab, config("a", "2"))

        assert value(lab, "old") == "1"
        assert lab.status(app).sync == "Synced"

    @pytest.mark.parametrize("change", ["1", "2"])
    def test_a_confirmation_counts_from_the_sync_on_that_asks_for_it(self, change: str) -> None:
        lab, app = synced(config("a"), config("old", **{SYNC_OPTIONS: "Prune=confirm"}), prune=True)
        before = lab.now
        lab.run(10)

        push(lab, config("a", change))
        assert value(lab, "old") == "1"
        assert lab.status(app).sync == "OutOfSync"
        assert "deletion-approved" in lab.status(app).message
        assert looks_of(lab) == 0

        approve(lab, app, before)
        assert value(lab, "old") == "1"

        approve(lab, app, lab.now)
        assert value(lab, "old") is None
        assert lab.status(app).sync == "Synced"
        assert inventory(lab, app) == ["a"]

    def test_an_old_confirmation_says_nothing_about_what_leaves_git_later(self) -> None:
        confirm = {SYNC_OPTIONS: "Prune=confirm"}
        lab, app = synced(config("a"), config("old", **confirm), config("late", **confirm), prune=True)
        push(lab, config("a"), config("late", **confirm))
        approve(lab, app, lab.now)
        assert (value(lab, "old"), value(lab, "late")) == (None, "1")

        push(lab, config("a"))

        assert value(lab, "late") == "1"
        assert "confirmation" in lab.status(app).message

    def test_a_confirmation_holds_for_all_waves_of_its_sync(self) -> None:
        confirm = {SYNC_OPTIONS: "Prune=confirm"}
        old = [config("first", wave=1, **confirm), config("second", wave=2, **confirm)]
        lab, app = synced(deployment("web", wave=1), *old, prune=True)
        ready(lab, "web")
        lab.run(30)
        push(lab, deployment("web", wave=1))
        assert (value(lab, "first"), value(lab, "second")) == ("1", "1")

        approve(lab, app, lab.now)

        lab.run(30)
        assert (value(lab, "first"), value(lab, "second")) == (None, None)

    def test_whoever_syncs_with_prune_has_confirmed(self) -> None:
        lab, app = synced(config("a"), config("old", **{SYNC_OPTIONS: "Prune=confirm"}), prune=True)
        push(lab, config("a"))

        lab.ask(app, prune=True)
        lab.run(5)

        assert value(lab, "old") is None

    def test_what_is_pruned_last_goes_when_everything_is_healthy(self) -> None:
        lab, app = synced(config("old"), config("older", wave=-1), prune=True, prune_last=True)

        push(lab, deployment("web", wave=3), config("a", wave=4))
        assert (value(lab, "old"), value(lab, "a")) == ("1", None)

        ready(lab, "web")
        lab.run(10)
        assert (value(lab, "old"), value(lab, "older"), value(lab, "a")) == (None, None, "1")
        assert lab.status(app).sync == "Synced"


class TestReplace:
    """Replace=true and Force=true."""

    def test_what_others_added_goes_with_the_next_change(self) -> None:
        lab, app = synced(config("a"), replace=True, self_heal=True)
        lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"theirs": "1"}))
        lab.poll_cluster()
        assert lab.status(app).sync == "Synced"

        push(lab, config("a", "2"))

        assert lab.live("ConfigMap", "a")["data"] == {"v": "2"}
        assert lab.cluster.requests["replace"] == 1
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0

    def test_a_field_that_a_replace_brought_goes_when_it_leaves_git(self) -> None:
        lab, app = synced(config("a"), replace=True)
        more = config("a")
        more["data"]["more"] = "1"
        push(lab, more)
        assert lab.live("ConfigMap", "a")["data"] == {"v": "1", "more": "1"}

        push(lab, config("a"))

        assert lab.live("ConfigMap", "a")["data"] == {"v": "1"}
        assert lab.status(app).sync == "Synced"

    def test_that_holds_after_a_worker_died_right_after_the_replace(self) -> None:
        lab, app = synced(config("a"), replace=True)
        more = config("a")
        more["data"]["more"] = "1"
        lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), verb="hand-over")
        push(lab, more)
        lab.run(60)
        declared_anew(lab, app, replace=False)

        push(lab, config("a"))
        lab.run(60)

        assert lab.live("ConfigMap", "a")["data"] == {"v": "1"}

    def test_finalizers_and_owners_stay(self) -> None:
        lab, _ = synced(config("a"), replace=True)
        held = manifest("ConfigMap", "a", namespace="shop")
        held["metadata"] |= {"finalizers": ["x.example/cleans-up"], "ownerReferences": [{"uid": "1"}]}
        lab.cluster.edit(held)

        push(lab, config("a", "2"))

        metadata = lab.live("ConfigMap", "a")["metadata"]
        assert (metadata["finalizers"], metadata["ownerReferences"]) == (["x.example/cleans-up"], [{"uid": "1"}])

    def test_with_force_a_difference_makes_a_new_object(self) -> None:
        lab, app = synced(config("a"), config("b"), replace=True, force=True)
        before = {name: lab.live("ConfigMap", name)["metadata"]["uid"] for name in ("a", "b")}

        push(lab, config("a", "2"), config("b"))

        assert lab.live("ConfigMap", "a")["metadata"]["uid"] != before["a"]
        assert lab.live("ConfigMap", "b")["metadata"]["uid"] == before["b"]
        assert value(lab, "a") == "2"
        assert lab.status(app).sync == "Synced"

    @pytest.mark.parametrize(
        ("dialect", "mark"),
        [
            (Dialect.ARGOCD, {SYNC_OPTIONS: "Force=true"}),
            (Dialect.FLUX, {"kustomize.toolkit.fluxcd.io/force": "Enabled"}),
        ],
    )
    def test_an_immutable_field_is_changed_by_force_only(self, dialect: Dialect, mark: dict[str, str]) -> None:
        refusal = ApplyRefused("ConfigMap shop/a in cluster east changes an immutable field: data")
        lab, app = synced(config("a"), dialect=dialect)
        lab.cluster.fail_next(refusal, times=100, verb="dry-run")
        push(lab, config("a", "2"))
        assert "immutable" in lab.status(app).message
        assert value(lab, "a") == "1"

        lab, app = synced(config("a", **mark), dialect=dialect)
        uid = lab.live("ConfigMap", "a")["metadata"]["uid"]
        lab.cluster.fail_next(refusal, verb="dry-run")
        push(lab, config("a", "2", **mark))
        assert lab.live("ConfigMap", "a")["metadata"]["uid"] != uid
        assert value(lab, "a") == "2"

    def test_nobody_waits_for_an_object_that_goes_slowly(self) -> None:
        lab, app = synced(config("a"), replace=True, force=True)
        held = manifest("ConfigMap", "a", namespace="shop")
        held["metadata"]["finalizers"] = ["x.example/cleans-up"]
        lab.cluster.edit(held)

        push(lab, config("a", "2"))
        live = lab.live("ConfigMap", "a")
        assert live["metadata"]["deletionTimestamp"]
        assert lab.status(app).operation.phase is Phase.RUNNING
        assert "Waiting for ConfigMap shop/a" in lab.status(app).message

        version = lab.live("ConfigMap", "a")["metadata"]["resourceVersion"]
        lab.cluster.release(key_of(live), [], resource_version=version)
        lab.run(10)
        assert value(lab, "a") == "2"
        assert lab.status(app).operation.phase is Phase.SUCCEEDED
        assert inventory(lab, app) == ["a"]

    def test_a_strangers_object_is_not_deleted_by_force(self) -> None:
        lab = Lab()
        lab.cluster.edit(config("a", "theirs"))
        uid = lab.live("ConfigMap", "a")["metadata"]["uid"]
        app = lab.declare(replace=True, force=True)
        lab.push(config("a"))
        lab.run(5)

        assert lab.live("ConfigMap", "a")["metadata"]["uid"] == uid
        assert value(lab, "a") == "1"
        assert lab.status(app).sync == "Synced"


class TestMissingKinds:
    """SkipDryRunOnMissingResource=true."""

    def widget(self, **marks: str) -> Manifest:
        found = manifest("Widget", "w", "shop.io/v1", wave=1, spec={"size": 1})
        found["metadata"]["annotations"] |= marks
        return found

    def definition(self) -> Manifest:
        found = crd("Widget", "shop.io")
        found["spec"] |= {"versions": [{"name": "v1", "served": True}]}
        found["spec"]["names"]["plural"] = "widgets"
        return found

    def test_without_it_an_unknown_kind_stops_the_sync(self) -> None:
        lab, app = synced(config("a"), self.widget())

        assert value(lab, "a") is None
        assert "does not serve this kind" in lab.status(app).message

    def test_the_kind_may_come_with_an_earlier_wave(self) -> None:
        lab = Lab()
        app = lab.declare(self_heal=True)
        lab.push(deployment("operator"), self.widget(**{SYNC_OPTIONS: "SkipDryRunOnMissingResource=true"}))
        lab.run(5)
        assert lab.live("Deployment", "operator", "apps") is not None
        assert lab.status(app).operation.phase is Phase.RUNNING

        lab.cluster.edit(self.definition())
        ready(lab, "operator")
        lab.run(20)

        assert lab.live("Widget", "w", "shop.io") is not None
        assert lab.status(app).sync == "Synced"
        assert inventory(lab, app) == ["operator", "w"]

    def test_a_kind_that_does_not_come_fails_in_its_turn_and_is_tried_again(self) -> None:
        lab = Lab()
        app = lab.declare(skip_missing=True)
        lab.push(config("a"), self.widget())
        lab.run(3)
        assert value(lab, "a") == "1"
        assert lab.status(app).operation.phase is Phase.FAILED
        assert "Widget.shop.io shop/w: its turn has come" in lab.status(app).message

        lab.cluster.edit(self.definition())
        lab.run(60)
        assert lab.live("Widget", "w", "shop.io") is not None
        assert lab.status(app).sync == "Synced"

    def test_the_cluster_says_whether_the_kind_has_namespaces(self) -> None:
        lab = Lab()
        app = lab.declare(skip_missing=True)
        lab.push(config("a"), self.widget())
        lab.run(3)
        definition = self.definition()
        definition["spec"]["scope"] = "Cluster"
        lab.cluster.edit(definition)
        lab.run(60)

        assert lab.live("Widget", "w", "shop.io", namespace="") is not None
        assert lab.status(app).sync == "Synced"


def test_an_object_that_another_application_tracks_refuses_the_sync() -> None:
    lab = Lab()
    lab.cluster.edit(config("a", "theirs", **{"argocd.argoproj.io/tracking-id": "other:/ConfigMap:shop/a"}))
    app = lab.declare(fail_on_shared=True)
    lab.push(config("a"), config("b"))
    lab.run(5)

    assert "ConfigMap shop/a is tracked by application other" in lab.status(app).message
    assert app in lab.status(app).message
    assert (value(lab, "a"), value(lab, "b")) == ("theirs", None)

    own = {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:shop/a"}
    lab.cluster.edit(config("a", "theirs", **own))
    lab.run(60)
    assert (value(lab, "a"), value(lab, "b")) == ("1", "1")


class TestNamespace:
    """CreateNamespace with managedNamespaceMetadata."""

    def lab(self, **sync: Any) -> tuple[Lab, AppId]:
        lab = Lab()
        lab.cluster.remove(key_of(manifest("Namespace", "shop")))
        app = lab.declare(prune=True, **{**METADATA, **sync})
        lab.push(config("a"))
        lab.run(5)
        return lab, app

    def labels(self, lab: Lab) -> dict[str, str]:
        live = lab.live("Namespace", "shop", namespace="")
        assert live is not None
        return {name: text for name, text in live["metadata"].get("labels", {}).items() if "kubernetes" not in name}

    def test_it_gets_what_stands_there_and_nothing_else(self) -> None:
        lab, app = self.lab()

        live = lab.live("Namespace", "shop", namespace="")
        assert live["metadata"]["labels"] == {"team": "shop"}
        assert live["metadata"]["annotations"] == {"contact": "ann"}
        assert inventory(lab, app) == ["a"]
        assert lab.status(app).sync == "Synced"

    def test_it_keeps_it_and_what_others_added(self) -> None:
        lab, app = self.lab(self_heal=True)
        changed = manifest("Namespace", "shop")
        changed["metadata"]["labels"] = {"team": "other", "theirs": "1"}
        lab.cluster.edit(changed)

        lab.run(90)

        assert self.labels(lab) == {"team": "shop", "theirs": "1"}
        assert lab.status(app).sync == "Synced"

    def test_a_difference_is_out_of_sync(self) -> None:
        lab, app = self.lab()
        changed = manifest("Namespace", "shop")
        changed["metadata"]["labels"] = {"team": "other"}
        lab.cluster.edit(changed)

        lab.run(90)

        assert self.labels(lab) == {"team": "other"}
        assert lab.status(app).sync == "OutOfSync"
        assert "Namespace shop" in lab.status(app).message
        assert [row.name for row in lab.state.resources(app) if row.status == "OutOfSync"] == ["shop"]

    def test_a_label_that_leaves_the_application_goes(self) -> None:
        lab, app = self.lab(self_heal=True)
        declared_anew(lab, app, namespace_labels=(("env", "prod"),))

        assert self.labels(lab) == {"env": "prod"}

    def test_it_is_not_pruned(self) -> None:
        lab, _ = self.lab(allow_empty=True)
        push(lab, config("b"))
        assert value(lab, "a") is None
        assert lab.live("Namespace", "shop", namespace="") is not None

    def test_a_namespace_in_git_is_gits(self) -> None:
        lab, app = self.lab()
        own = manifest("Namespace", "shop")
        own["metadata"]["labels"] = {"team": "git"}
        push(lab, config("a"), own)
        assert self.labels(lab) == {"team": "git"}
        assert inventory(lab, app) == ["a", "shop"]

    def test_another_applications_namespace_is_not_taken(self) -> None:
        lab = Lab()
        first = lab.declare(name="owner", path="owner")
        files = {"owner/a.json": as_json(manifest("Namespace", "shop")), "guest/a.json": as_json(config("a"))}
        lab.repository.commit(files)
        lab.run(5)
        second = lab.declare(name="guest", path="guest", **METADATA)
        lab.poll_repository()
        assert lab.status(first).sync == "Synced"
        assert f"Namespace shop belongs to {first}" in lab.status(second).message
        assert self.labels(lab) == {}


class TestLeftAlone:
    """Flux' marks: reconcile: disabled, ssa: Ignore, IfNotPresent."""

    @pytest.mark.parametrize("mark", [{SSA: "Ignore"}, {RECONCILE: "disabled"}])
    def test_what_git_marks_is_never_applied(self, mark: dict[str, str]) -> None:
        lab, app = synced(config("a"), config("b", **mark), dialect=Dialect.FLUX, prune=True, wait=True)

        assert (value(lab, "a"), value(lab, "b")) == ("1", None)
        status = lab.status(app)
        assert (status.sync, status.health, status.operation.phase) == ("Synced", "Current", Phase.SUCCEEDED)
        (row,) = (row for row in lab.state.resources(app) if row.name == "b")
        assert (row.status, row.message) == ("Synced", f"Left alone: {next(iter(mark))}: {next(iter(mark.values()))}.")
        assert looks_of(lab) == 0

    @pytest.mark.parametrize("mark", [{SSA: "ignore"}, {RECONCILE: "Disabled"}])
    def test_what_the_live_object_marks_is_left_alone_and_not_pruned(self, mark: dict[str, str]) -> None:
        lab, app = synced(config("a"), config("b"), dialect=Dialect.FLUX, prune=True, self_heal=True)
        lab.cluster.edit(config("b", "by hand", **mark))
        lab.poll_cluster()
        lab.run(5)
        assert value(lab, "b") == "by hand"
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0

        push(lab, config("a", "2"), config("b", "2"))
        assert (value(lab, "a"), value(lab, "b")) == ("2", "by hand")
        assert lab.status(app).sync == "Synced"

        push(lab, config("a", "2"))
        assert value(lab, "b") == "by hand"
        assert looks_of(lab) == 0

    def test_it_is_looked_after_again_when_the_mark_goes(self) -> None:
        lab, _ = synced(config("b"), dialect=Dialect.FLUX, self_heal=True)
        lab.cluster.edit(config("b", "by hand", **{SSA: "Ignore"}))
        lab.poll_cluster()
        lab.run(5)

        lab.cluster.edit(config("b", "by hand", **{SSA: "Override"}))
        lab.poll_cluster()
        lab.run(5)

        assert value(lab, "b") == "1"

    def test_what_need_only_be_there_is_created_and_left_alone(self) -> None:
        once = {SSA: "IfNotPresent"}
        lab, app = synced(config("a"), config("b", **once), dialect=Dialect.FLUX, prune=True, self_heal=True)
        assert value(lab, "b") == "1"

        lab.cluster.edit(config("b", "by hand"))
        lab.poll_cluster()
        push(lab, config("a"), config("b", "2", **once))
        assert value(lab, "b") == "by hand"
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0

        lab.cluster.remove(key_of(config("b")))
        lab.poll_cluster()
        lab.run(5)
        assert value(lab, "b") == "2"

        push(lab, config("a"))
        assert value(lab, "b") is None
        assert inventory(lab, app) == ["a"]

    def test_a_strangers_object_that_need_only_be_there_rings_nobody(self) -> None:
        lab = Lab()
        lab.cluster.edit(config("b", "theirs"))
        app = lab.declare(Dialect.FLUX, prune=True, self_heal=True)
        lab.push(config("a"), config("b", **{SSA: "IfNotPresent"}))
        lab.run(5)
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0

        push(lab, config("a"))
        assert value(lab, "b") == "theirs"

    def test_its_health_counts_for_the_sync_that_creates_it_only(self) -> None:
        once = deployment("web")
        once["metadata"]["annotations"] = {SSA: "IfNotPresent"}
        lab, app = synced(once, config("a"), dialect=Dialect.FLUX, wait=True, timeout=60.0)
        assert lab.status(app).operation.phase is Phase.RUNNING
        lab.run(10)
        assert lab.status(app).operation.phase is Phase.RUNNING

        ready(lab, "web")
        lab.run(10)
        assert lab.status(app).operation.phase is Phase.SUCCEEDED

        lab.cluster.put_status(key_of(once), {"replicas": 0})
        lab.poll_cluster()
        push(lab, once, config("a", "2"))
        assert lab.status(app).operation.phase is Phase.SUCCEEDED
        assert lab.status(app).health == "Current"

    def test_a_difference_that_is_ignored_by_a_mark_on_our_label_rings_nobody(self) -> None:
        lab, app = synced(config("a"), dialect=Dialect.FLUX, self_heal=True)
        lab.cluster.edit(config("a", "1", **{RECONCILE: "disabled"}))
        stolen = config("a")
        stolen["metadata"]["labels"] = {"applyset.kubernetes.io/part-of": "nobody"}
        lab.cluster.edit(stolen)
        lab.poll_cluster()
        lab.run(5)
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0
