"""Why nothing happens now, and new commits that wait, on real servers."""

from __future__ import annotations

from typing import Any

import httpx
import yaml

from gitops_workers.core.model import Phase
from tests.documents import raw
from tests.integration.engine.installation import Installation, config_map


def explanation(site: Installation, app: str) -> dict[str, Any]:
    answer = httpx.get(f"{site.engine.web}/api/v1/applications/{app}/explain", timeout=10)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def stages(site: Installation, app: str) -> dict[str, list[str]]:
    return {stage["name"]: stage["lines"] for stage in explanation(site, app)["stages"]}


def pod(name: str) -> str:
    spec = {"containers": [{"name": "main", "image": "registry.example/main"}]}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def test_the_files_that_a_commit_changed_are_named(story):
    site, shop = story.site, story.shop
    kustomization = "resources: [a.yaml, ../why-base]\n"
    shop.push(
        {
            "why/kustomization.yaml": kustomization,
            "why/a.yaml": config_map("why-a"),
            "why-base/kustomization.yaml": "resources: [b.yaml]\n",
            "why-base/b.yaml": config_map("why-b"),
        }
    )
    site.declare("why.yaml", site.argo("why", shop.url, "why"))
    app = site.app("why")
    first = site.until_synced(app).revision
    found = explanation(site, app)
    assert found["why"] == f"Nothing is to be done: the cluster agrees with main at {first[:12]}."
    assert found["nextLook"]["at"] is not None

    commit = shop.push({"why-base/b.yaml": config_map("why-b", "2"), "elsewhere.txt": "x"})
    site.until_synced(app, commit)
    told = stages(site, app)
    assert told["Revision"][0].startswith(f"main at {commit}, listed at ")
    assert told["Inputs"][1].startswith("1 changed since ")
    assert told["Inputs"][2:] == ["~ why-base/b.yaml"]
    assert told["Comparison"] == ["2 objects in sync, 0 differ"]
    assert told["Stages"] == ["1. wave 0: 2 objects, done"]


def test_a_newer_commit_waits_for_the_end_of_the_operation_where_the_manifest_says_so(story):
    site, shop = story.site, story.shop
    late: dict[str, Any] = {"annotations": {"argocd.argoproj.io/sync-wave": "1"}}
    first = shop.push({"late/0.yaml": pod("late"), "late/1.yaml": config_map("late", **late)})
    manifest = site.argo("late", shop.url, "late")
    manifest["metadata"]["annotations"] = {"gitops-workers.dev/new-commit": "wait"}
    site.declare("late.yaml", manifest)
    app = site.app("late")
    site.until(lambda: "waits for Pod " in _why(site, app), "the gate")
    told = stages(site, app)
    assert told["Stages"][0] == "1. wave 0: 1 object"
    assert told["Stages"][1].startswith("   waiting since ")

    second = shop.push({"late/1.yaml": config_map("late", "2", **late)})
    site.until(lambda: f"{second} is newer and waits" in " ".join(stages(site, app)["Revision"]), "the newer commit")
    status = site.status(app)
    assert status is not None
    assert status.operation is not None
    assert (status.operation.phase, status.operation.revision) == (Phase.RUNNING, first)

    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    path = f"/api/v1/namespaces/{site.space}/pods/late/status"
    assert site.east.call("PATCH", path, {"status": ready})[0] == 200
    site.until_synced(app, second)
    assert site.value("late") == "2"
    assert [entry["revision"] for entry in site.state.load(raw("history"), app)] == [first, second]


def _why(site: Installation, app: str) -> str:
    return str(explanation(site, app)["why"]) if site.status(app) is not None else ""
