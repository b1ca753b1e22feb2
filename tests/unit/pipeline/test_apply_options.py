"""Replace, Force, SkipDryRunOnMissingResource, FailOnSharedResource: what happens in the cluster."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import ClusterUnavailable, InvalidObject
from gitops_workers.core.model import Dialect, Phase
from gitops_workers.core.objects import Manifest, key_of
from tests.unit.core.making import crd, manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import inventory
from tests.unit.pipeline.options_lab import (
    SYNC_OPTIONS,
    config,
    declared_anew,
    deployment,
    looks_of,
    push,
    ready,
    synced,
    value,
)


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

    def test_that_holds_when_a_controller_writes_in_between(self) -> None:
        lab, app = synced(config("a"), replace=True, self_heal=True)
        more = config("a")
        more["data"]["more"] = "1"
        interfering = iter("12")

        def interfere(verb: str, _: object) -> None:
            if verb == "hand-over" and (turn := next(interfering, "")):
                lab.cluster.edit(manifest("ConfigMap", "a", namespace="shop", data={"theirs": turn}))

        lab.cluster.before_write = interfere
        before = lab.cluster.requests["hand-over"]
        push(lab, more)
        lab.run(70)
        assert lab.cluster.requests["hand-over"] - before == 3
        assert lab.status(app).sync == "Synced"

        push(lab, config("a"))
        assert lab.live("ConfigMap", "a")["data"] == {"v": "1"}
        assert lab.status(app).sync == "Synced"

    def test_what_is_written_in_between_is_looked_at(self) -> None:
        lab, app = synced(config("a"), replace=True, self_heal=True)
        interfering = iter("1")

        def interfere(verb: str, _: object) -> None:
            if verb == "hand-over" and next(interfering, ""):
                lab.cluster.edit(config("a", "by hand"))

        lab.cluster.before_write = interfere
        push(lab, config("a", "2"))
        lab.run(70)
        assert value(lab, "a") == "2"
        assert lab.status(app).sync == "Synced"

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
        refusal = InvalidObject("ConfigMap shop/a in cluster east: field data keeps its value")
        lab, app = synced(config("a"), dialect=dialect)
        lab.cluster.fail_next(refusal, times=100, verb="dry-run")
        push(lab, config("a", "2"))
        assert "keeps its value" in lab.status(app).message
        assert value(lab, "a") == "1"

        lab, app = synced(config("a", **mark), dialect=dialect)
        uid = lab.live("ConfigMap", "a")["metadata"]["uid"]
        lab.cluster.fail_next(refusal, 2, verb="dry-run")  # the apply, and the full update
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
        assert "the end of ConfigMap shop/a (finalizers: x.example/cleans-up)" in lab.status(app).message

        lab.run(120)
        version = lab.live("ConfigMap", "a")["metadata"]["resourceVersion"]
        lab.cluster.set_finalizers(key_of(live), [], resource_version=version)
        lab.run(6)
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
