"""Sync options of applications and marks of objects, on real API servers with their controllers."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from gitops_workers.core.model import Phase, SyncStatus
from tests.contract.cluster_grounds import definition
from tests.documents import raw
from tests.integration.engine.installation import config_map

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
WAVE = "argocd.argoproj.io/sync-wave"
SSA = "kustomize.toolkit.fluxcd.io/ssa"
REST = 6.0
"""Seconds in which nothing may happen any more: some polls of the cluster and of the repository."""


def deployment(name: str, *images: str, replicas: int = 0, **annotations: str) -> str:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    labels = {"app": name}
    spec: dict[str, Any] = {"replicas": replicas, "selector": {"matchLabels": labels}}
    spec["template"] = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    metadata = {"name": name, "annotations": annotations}
    return yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})


def options(*texts: str) -> dict[str, Any]:
    return {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": list(texts)}}


def fetch(site, path: str) -> Any:
    status, answer = site.east.call("GET", path)
    assert status in (200, 404), answer
    return answer if status == 200 else None


def patch(site, path: str, body: dict[str, Any]) -> None:
    status, answer = site.east.call("PATCH", path, body)
    assert status == 200, answer


def deployments(site, name: str) -> str:
    return f"/apis/apps/v1/namespaces/{site.space}/deployments/{name}"


def config_maps(site, name: str) -> str:
    return f"/api/v1/namespaces/{site.space}/configmaps/{name}"


def test_a_replaced_object_is_what_git_says_and_comes_to_rest(story):
    site, shop = story.site, story.shop
    shop.push({"replace/a.yaml": deployment("replaced", "nginx:1")})
    site.declare("replace.yaml", site.argo("replace", shop.url, "replace", **options("Replace=true")))
    app = site.app("replace")
    site.until_synced(app)
    path = deployments(site, "replaced")
    uid = fetch(site, path)["metadata"]["uid"]
    patch(site, path, {"spec": {"minReadySeconds": 5, "template": {"spec": {"hostNetwork": True}}}})

    commit = shop.push({"replace/a.yaml": deployment("replaced", "nginx:2", "busybox:1", note="new")})
    site.until_synced(app, commit)
    live = fetch(site, path)
    assert "minReadySeconds" not in live["spec"]
    assert "hostNetwork" not in live["spec"]["template"]["spec"]
    assert [item["image"] for item in live["spec"]["template"]["spec"]["containers"]] == ["nginx:2", "busybox:1"]
    assert live["metadata"]["annotations"]["note"] == "new"

    revision = "deployment.kubernetes.io/revision"
    site.until(lambda: revision in fetch(site, path)["metadata"]["annotations"], "the controller's own annotation")
    live = fetch(site, path)
    history = len(site.state.load(raw("history"), app))
    patch(site, path, {"metadata": {"labels": {"touched": "yes"}}})
    time.sleep(REST)
    after = fetch(site, path)
    assert after["metadata"]["generation"] == live["metadata"]["generation"]
    assert len(site.state.load(raw("history"), app)) == history
    assert site.status(app).sync is SyncStatus.SYNCED

    commit = shop.push({"replace/a.yaml": deployment("replaced", "nginx:2")})
    site.until_synced(app, commit)
    live = fetch(site, path)
    assert [item["image"] for item in live["spec"]["template"]["spec"]["containers"]] == ["nginx:2"]
    assert "note" not in live["metadata"]["annotations"]
    assert live["metadata"]["uid"] == uid

    site.declare("replace.yaml", site.argo("replace", shop.url, "replace"))
    commit = shop.push({"replace/a.yaml": deployment("replaced", "nginx:3")})
    site.until_synced(app, commit)
    time.sleep(REST)
    assert site.status(app).sync is SyncStatus.SYNCED
    assert fetch(site, path)["metadata"]["uid"] == uid


def test_an_immutable_object_is_changed_by_force_and_only_so(story):
    site, shop = story.site, story.shop
    fixed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fixed"}, "immutable": True}
    shop.push({"force/a.yaml": yaml.safe_dump({**fixed, "data": {"v": "1"}})})
    site.declare("force.yaml", site.argo("force", shop.url, "force"))
    app = site.app("force")
    site.until_synced(app)
    uid = fetch(site, config_maps(site, "fixed"))["metadata"]["uid"]

    commit = shop.push({"force/a.yaml": yaml.safe_dump({**fixed, "data": {"v": "2"}})})
    site.until_status(app, lambda status: "immutable" in status.message)
    assert site.value("fixed") == "1"

    site.declare("force.yaml", site.argo("force", shop.url, "force", **options("Force=true")))
    site.until_synced(app, commit)
    live = fetch(site, config_maps(site, "fixed"))
    assert (live["data"], live["metadata"]["uid"] != uid) == ({"v": "2"}, True)


def test_replace_with_force_makes_a_new_job(story):
    site, shop = story.site, story.shop

    def job(image: str) -> str:
        pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}
        metadata = {"name": "once", "annotations": {SYNC_OPTIONS: "Replace=true,Force=true"}}
        spec = {"template": {"spec": pod}}
        return yaml.safe_dump({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})

    shop.push({"job/a.yaml": job("nginx:1")})
    site.declare("job.yaml", site.argo("job", shop.url, "job"))
    app = site.app("job")
    site.until_synced(app)
    path = f"/apis/batch/v1/namespaces/{site.space}/jobs/once"
    uid = fetch(site, path)["metadata"]["uid"]
    time.sleep(REST)
    assert fetch(site, path)["metadata"]["uid"] == uid

    commit = shop.push({"job/a.yaml": job("nginx:2")})
    site.until_synced(app, commit)
    live = fetch(site, path)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    assert live["metadata"]["uid"] != uid


def test_unknown_fields_stop_a_sync_unless_they_need_not_be_known(story):
    site, shop = story.site, story.shop
    body = yaml.safe_load(deployment("lenient", "nginx:1"))
    body["spec"]["nonsense"] = {"a": 1}
    shop.push({"validate/a.yaml": yaml.safe_dump(body)})
    site.declare("validate.yaml", site.argo("validate", shop.url, "validate"))
    app = site.app("validate")
    site.until_status(app, lambda status: "does not fit its schema" in status.message)
    assert fetch(site, deployments(site, "lenient")) is None

    site.declare("validate.yaml", site.argo("validate", shop.url, "validate", **options("Validate=false")))
    site.until_synced(app)
    assert "nonsense" not in fetch(site, deployments(site, "lenient"))["spec"]
    time.sleep(REST)
    assert site.status(app).sync is SyncStatus.SYNCED


def test_a_kind_may_come_after_its_sync_has_begun(story):
    site, shop = story.site, story.shop
    group = f"{site.space}.example"
    marks = {WAVE: "1", SYNC_OPTIONS: "SkipDryRunOnMissingResource=true"}
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w", "annotations": marks}}
    files = {
        "late-kind/a.yaml": config_map("late-kind"),
        "late-kind/b.yaml": yaml.safe_dump({**widget, "spec": {"size": 1}}),
    }
    shop.push(files)
    site.declare("late-kind.yaml", site.argo("late-kind", shop.url, "late-kind"))
    app = site.app("late-kind")
    status = site.until_status(app, lambda status: "its turn has come" in status.message)
    assert f"Widget.{group} {site.space}/w" in status.message
    assert site.value("late-kind") == "1"

    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert site.east.call("POST", path, definition(group))[0] == 201
    try:
        site.until_synced(app)
        assert fetch(site, f"/apis/{group}/v1/namespaces/{site.space}/widgets/w")["spec"] == {"size": 1}
    finally:
        site.east.call("DELETE", f"{path}/widgets.{group}")


def test_what_is_pruned_last_goes_when_the_rest_is_healthy(story):
    site, shop = story.site, story.shop
    shop.push({"last/a.yaml": config_map("last-old"), "last/b.yaml": config_map("last-kept")})
    site.declare("last.yaml", site.argo("last", shop.url, "last", **options("PruneLast=true")))
    app = site.app("last")
    site.until_synced(app)

    shop.push({"last/a.yaml": deployment("last", "nginx:1", replicas=1)})
    site.until_status(app, lambda status: status.operation and status.operation.phase is Phase.RUNNING)
    time.sleep(REST)
    assert site.value("last-old") == "1"
    assert fetch(site, deployments(site, "last")) is not None

    commit = shop.push({"last/a.yaml": deployment("last", "nginx:1")})
    site.until_synced(app, commit)
    assert (site.value("last-old"), site.value("last-kept")) == (None, "1")


@pytest.mark.parametrize(("policy", "survives"), [("orphan", True), ("background", False), ("foreground", False)])
def test_dependants_go_or_stay_as_the_policy_says(story, policy, survives):
    site, shop = story.site, story.shop
    name = f"policy-{policy}"
    shop.push({f"{name}/a.yaml": deployment(name, "nginx:1"), f"{name}/b.yaml": config_map(name)})
    policies = options(f"PrunePropagationPolicy={policy}")
    site.declare(f"{name}.yaml", site.argo(name, shop.url, name, **policies))
    app = site.app(name)
    site.until_synced(app)
    path = f"/apis/apps/v1/namespaces/{site.space}/replicasets?labelSelector=app%3D{name}"
    site.until(lambda: fetch(site, path)["items"], "the ReplicaSet")

    shop.push({f"{name}/a.yaml": None})
    site.until(lambda: fetch(site, deployments(site, name)) is None, "the deletion")

    if survives:
        time.sleep(REST)
        (left,) = fetch(site, path)["items"]
        assert "ownerReferences" not in left["metadata"]
    else:
        site.until(lambda: not fetch(site, path)["items"], "the end of the ReplicaSet")


def test_the_namespace_gets_and_keeps_its_metadata(story):
    site, shop = story.site, story.shop
    space = site.name("managed")
    shop.push({"managed/a.yaml": config_map("managed")})
    metadata = {"labels": {"team": "shop"}, "annotations": {"contact": "ann"}}
    policy = {
        "automated": {"prune": True, "selfHeal": True},
        "syncOptions": ["CreateNamespace=true"],
        "managedNamespaceMetadata": metadata,
    }
    document = site.argo("managed", shop.url, "managed", syncPolicy=policy, destination={"namespace": space})
    site.declare("managed.yaml", document)
    app, path = site.app("managed"), f"/api/v1/namespaces/{space}"
    try:
        site.until_synced(app)
        live = fetch(site, path)["metadata"]
        assert (live["labels"]["team"], live["annotations"]["contact"]) == ("shop", "ann")
        assert set(live["labels"]) == {"team", "kubernetes.io/metadata.name"}

        patch(site, path, {"metadata": {"labels": {"team": "other", "theirs": "1"}}})
        site.until(lambda: fetch(site, path)["metadata"]["labels"]["team"] == "shop", "healing")
        assert fetch(site, path)["metadata"]["labels"]["theirs"] == "1"

        document["spec"]["syncPolicy"]["managedNamespaceMetadata"] = {"labels": {"env": "prod"}}
        site.declare("managed.yaml", document)
        site.until(lambda: "team" not in fetch(site, path)["metadata"]["labels"], "taking the label away")
        assert fetch(site, path)["metadata"]["labels"]["env"] == "prod"

        shop.push({"managed/a.yaml": config_map("managed-b")})
        site.until(lambda: site.value("managed", space=space) is None, "the prune")
        assert fetch(site, path) is not None
    finally:
        site.east.call("DELETE", path)


def test_a_confirmation_lets_go_what_asks_for_one(story):
    site, shop = story.site, story.shop
    asking = config_map("confirm-b", annotations={SYNC_OPTIONS: "Prune=confirm"})
    shop.push({"confirm/a.yaml": config_map("confirm-a"), "confirm/b.yaml": asking})
    document = site.argo("confirm", shop.url, "confirm")
    site.declare("confirm.yaml", document)
    app = site.app("confirm")
    site.until_synced(app)

    shop.push({"confirm/b.yaml": None})
    site.until_status(app, lambda status: "deletion-approved" in status.message)
    document["metadata"]["annotations"] = {"argocd.argoproj.io/deletion-approved": "2020-01-01T00:00:00Z"}
    site.declare("confirm.yaml", document)
    time.sleep(REST)
    assert site.value("confirm-b") == "1"
    assert site.status(app).sync is SyncStatus.OUT_OF_SYNC

    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    document["metadata"]["annotations"] = {"argocd.argoproj.io/deletion-approved": moment}
    site.declare("confirm.yaml", document)
    site.until_synced(app)
    assert site.value("confirm-b") is None


def test_flux_creates_once_and_leaves_alone_what_is_marked(story):
    site, shop = story.site, story.shop
    files = {
        "once/a.yaml": config_map("once-a"),
        "once/b.yaml": config_map("once-b", annotations={SSA: "IfNotPresent"}),
        "once/c.yaml": config_map("once-c", labels={SSA: "ignore"}),
    }
    shop.push(files)
    site.declare("once.yaml", *story.flux("once", shop.url, "once", wait=True))
    app = site.app("once", "kustomization")
    site.until_synced(app)
    assert [site.value(f"once-{letter}") for letter in "abc"] == ["1", "1", None]

    patch(site, config_maps(site, "once-b"), {"data": {"v": "by hand"}})
    mark = {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}
    patch(site, config_maps(site, "once-a"), {"metadata": mark, "data": {"v": "by hand"}})
    changed = {"once/a.yaml": config_map("once-a", "2")}
    changed["once/b.yaml"] = config_map("once-b", "2", annotations={SSA: "IfNotPresent"})
    commit = shop.push(changed)
    site.until_synced(app, commit)
    time.sleep(REST)
    assert [site.value(f"once-{letter}") for letter in "ab"] == ["by hand", "by hand"]
    assert site.status(app).sync is SyncStatus.SYNCED

    assert site.east.call("DELETE", config_maps(site, "once-b"))[0] == 200
    site.until(lambda: site.value("once-b") == "2", "creating it again")

    shop.push({"once/a.yaml": None, "once/b.yaml": None, "once/d.yaml": config_map("once-d")})
    site.until(lambda: site.value("once-b") is None, "the prune")
    assert (site.value("once-a"), site.value("once-d")) == ("by hand", "1")
