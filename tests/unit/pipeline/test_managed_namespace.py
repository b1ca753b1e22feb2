"""CreateNamespace with managedNamespaceMetadata: what stands on the namespace, and who may change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.model import AppId
from gitops_workers.core.objects import key_of
from gitops_workers.core.project import AllowedDestination, Project
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
