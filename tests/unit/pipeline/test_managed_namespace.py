"""CreateNamespace with managedNamespaceMetadata: what stands on the namespace, and who may change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.model import AppId
from gitops_workers.core.objects import key_of
from gitops_workers.core.policy.project import AllowedDestination, Project
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import as_json, inventory
from tests.unit.pipeline.options_lab import config, declared_anew, push, value

METADATA: dict[str, Any] = {
    "create_namespace": True,
    "namespace_labels": (("team", "shop"),),
    "namespace_annotations": (("contact", "ann"),),
}


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
        assert live["metadata"]["annotations"] == {"contact": "ann", "gitops-workers.dev/namespace-metadata-of": app}
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

    @pytest.mark.parametrize("there", [False, True])
    def test_a_project_that_allows_no_namespace_has_none_made_or_changed(self, there: bool) -> None:
        lab = Lab()
        if not there:
            lab.cluster.remove(key_of(manifest("Namespace", "shop")))
        app = lab.declare(**METADATA)
        limits = Project("default", source_repos=("*",), destinations=(AllowedDestination("*", "", "*"),))
        lab.applications[app] = replace(lab.applications[app], limits=limits)
        lab.enroll()
        lab.push(config("a"))
        lab.run(5)

        live = lab.live("Namespace", "shop", namespace="")
        assert live is None if not there else "labels" not in live["metadata"]
        assert lab.live("ConfigMap", "a") is None
        found = "Namespace shop: project default does not list this kind in clusterResourceWhitelist."
        assert found in lab.status(app).message
        assert "CreateNamespace" in lab.status(app).message

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


class TestTwoApplications:
    """Both say what stands on one namespace."""

    def lab(self, **guest: Any) -> tuple[Lab, AppId, AppId]:
        """The owner was there first, although its name comes later."""
        lab = Lab()
        lab.cluster.remove(key_of(manifest("Namespace", "shop")))
        files = {f"{name}/a.json": as_json(config(name)) for name in ("owner", "guest")}
        lab.repository.commit(files)
        owner = lab.declare(name="owner", path="owner", self_heal=True, **METADATA)
        lab.run(5)
        both = {"self_heal": True, "create_namespace": True, "namespace_labels": (("env", "prod"),), **guest}
        other = lab.declare(name="guest", path="guest", **both)
        lab.poll_repository()
        lab.run(5)
        return lab, owner, other

    def labels(self, lab: Lab) -> dict[str, str]:
        return TestNamespace().labels(lab)

    def conditions(self, lab: Lab, app: AppId) -> list[str]:
        return [item.type for item in lab.status(app).conditions]

    def test_the_first_one_wins_and_the_other_one_says_so(self) -> None:
        lab, owner, guest = self.lab()
        assert self.labels(lab) == {"team": "shop"}
        assert value(lab, "guest") == "1", "its objects are not held up"
        assert lab.status(guest).sync == lab.status(owner).sync == "Synced"
        (said,) = (item for item in lab.status(guest).conditions if item.type == "SharedResourceWarning")
        assert f"Namespace shop keeps the metadata of {owner}" in said.message
        assert self.conditions(lab, owner) == []

        before = lab.cluster.requests["apply"]
        lab.run(1000)
        assert lab.cluster.requests["apply"] == before
        assert self.labels(lab) == {"team": "shop"}

    def test_the_same_metadata_is_no_quarrel(self) -> None:
        lab, _, guest = self.lab(namespace_labels=(("team", "shop"),))
        assert self.labels(lab) == {"team": "shop"}
        assert self.conditions(lab, guest) == []
        before = lab.cluster.requests["apply"]
        lab.run(1000)
        assert lab.cluster.requests["apply"] == before

    def test_it_is_refused_where_nothing_may_be_shared(self) -> None:
        lab, owner, guest = self.lab(fail_on_shared=True)
        assert "FailOnSharedResource" in lab.status(guest).message
        assert owner in lab.status(guest).message
        assert value(lab, "guest") is None

    @pytest.mark.parametrize("how", ["gone", "moved", "another namespace", "nothing more to say"])
    def test_whoever_gives_it_up_leaves_it_to_the_other_one(self, how: str) -> None:
        lab, owner, guest = self.lab()
        app = lab.applications[owner]
        if how == "gone":
            del lab.applications[owner]
            lab.queue.delete(owner)
            lab.state.delete_application(owner)
        elif how == "moved":
            lab.applications[owner] = replace(app, destination=replace(app.destination, name="nowhere"))
        elif how == "another namespace":
            lab.applications[owner] = replace(app, destination=replace(app.destination, namespace="default"))
        else:
            nothing = replace(app.sync, namespace_labels=(), namespace_annotations=())
            lab.applications[owner] = replace(app, sync=nothing)
        lab.enroll()
        lab.run(400)
        assert self.labels(lab) == {"env": "prod"}
        assert self.conditions(lab, guest) == []
