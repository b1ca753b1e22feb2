"""Deleting applications with their objects, on real servers: waves, finalizers, an emptied Redis, a human's yes."""

from __future__ import annotations

import redis
import yaml

from gitops_workers.core.documents.kinds import DELETION_ORDER
from gitops_workers.core.prune.deletion import to_document
from gitops_workers.core.record.record import record_name
from gitops_workers.ports import Urgency
from tests.integration.engine.installation import config_map

RESOURCES = "resources-finalizer.argocd.argoproj.io"
KUSTOMIZATION = "resources: [a.yaml, b.yaml]\n"


def wave(number: int) -> dict[str, str]:
    return {"argocd.argoproj.io/sync-wave": str(number)}


def declare(story, short: str, **annotations: str) -> str:
    """An Argo CD application that is deleted with its objects."""
    site = story.site
    app = site.argo(short, story.shop.url, short)
    app["metadata"] |= {"finalizers": [RESOURCES], "annotations": annotations}
    site.declare(f"{short}.yaml", app)
    return site.app(short)


def hold(site, name: str, finalizers: list[str] | None) -> None:
    path = f"/api/v1/namespaces/{site.space}/configmaps/{name}"
    assert site.east.call("PATCH", path, {"metadata": {"finalizers": finalizers}})[0] == 200


def record(site, app: str):
    return site.live("configmaps", record_name(app), space="gitops-workers")


def test_argo_cd_wave_by_wave_and_the_record_last(story):
    site, shop = story.site, story.shop
    deployment = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: leaving-web, annotations: {argocd.argoproj.io/sync-wave: "3"}}
spec:
  replicas: 0
  selector: {matchLabels: {app: leaving}}
  template:
    metadata: {labels: {app: leaving}}
    spec: {containers: [{name: main, image: registry.example/main}]}
"""
    shop.push(
        {
            "leaving/a.yaml": config_map("leaving-first"),
            "leaving/b.yaml": config_map("leaving-last", annotations=wave(5)),
            "leaving/c.yaml": config_map(
                "leaving-kept", annotations={"argocd.argoproj.io/sync-options": "Delete=false"}
            ),
            "leaving/d.yaml": deployment,
        }
    )
    app = declare(story, "leaving")
    site.until_synced(app)
    hold(site, "leaving-last", ["example.com/slow"])
    (site.folder / "catalogue" / "leaving.yaml").unlink()
    status = site.until_status(app, lambda status: "wave 5: waiting" in status.message)
    assert status.message.startswith("Being deleted, since ")
    assert "example.com/slow" in status.message
    assert site.value("leaving-first") == "1", "the next wave waits"
    hold(site, "leaving-last", None)
    site.until(lambda: site.status(app) is None, "the end of the deletion")
    assert (site.value("leaving-first"), site.value("leaving-last"), site.value("leaving-kept")) == (None, None, "1")
    path = f"/apis/apps/v1/namespaces/{site.space}/deployments/leaving-web"
    assert site.east.call("GET", path)[0] == 404
    assert record(site, app) is None
    (event,) = [event for event in site.state.events(app) if event.reason == "Removed"]
    assert "kept (ConfigMap" in event.message


def test_flux_waits_for_termination_and_survives_an_emptied_redis(story):
    site, shop = story.site, story.shop
    shop.push(
        {
            "going/kustomization.yaml": KUSTOMIZATION,
            "going/a.yaml": config_map("going-a"),
            "going/b.yaml": config_map("going-b"),
        }
    )
    site.declare("going.yaml", *story.flux("going", shop.url, "./going", deletionPolicy="WaitForTermination"))
    app = site.app("going", "kustomization")
    site.until_synced(app)
    hold(site, "going-a", ["example.com/slow"])
    stranger = {"metadata": {"name": "going-b-stranger"}, "data": {"v": "mine"}}
    assert site.east.call("POST", f"/api/v1/namespaces/{site.space}/configmaps", stranger)[0] == 201
    (site.folder / "catalogue" / "going.yaml").unlink()
    site.until(lambda: site.value("going-b") is None, "the first delete")
    with redis.Redis.from_url(site.redis.url) as client:
        client.flushall()
    site.until_status(app, lambda status: "waiting for 1 object" in status.message)
    hold(site, "going-a", None)
    site.until(lambda: site.status(app) is None, "the end of the deletion")
    assert (site.value("going-a"), site.value("going-b-stranger")) == (None, "mine")
    assert record(site, app) is None


def test_what_comes_back_halfway_is_synced_again(story):
    site, shop = story.site, story.shop
    shop.push(
        {"halfway/a.yaml": config_map("halfway-a"), "halfway/b.yaml": config_map("halfway-b", annotations=wave(1))}
    )
    app = declare(story, "halfway")
    site.until_synced(app)
    hold(site, "halfway-a", ["example.com/slow"])
    (site.folder / "catalogue" / "halfway.yaml").unlink()
    site.until(lambda: site.value("halfway-b") is None, "the first delete")
    declare(story, "halfway")
    site.until_status(app, lambda status: not status.message.startswith("Being deleted"))
    hold(site, "halfway-a", None)
    site.until(lambda: site.value("halfway-a") == site.value("halfway-b") == "1", "coming back")
    site.until_synced(app)
    assert '"deletion"' not in record(site, app)["data"]["record"]


def test_what_asks_for_a_confirmation_waits_for_it(story):
    site, shop = story.site, story.shop
    asks = {"argocd.argoproj.io/sync-options": "Delete=confirm"}
    shop.push({"asks/a.yaml": config_map("asks-a"), "asks/b.yaml": config_map("asks-b", annotations=asks)})
    app = declare(story, "asks")
    site.until_synced(app)
    (site.folder / "catalogue" / "asks.yaml").unlink()
    site.until_status(app, lambda status: "Delete=confirm" in status.message)
    assert (site.value("asks-a"), site.value("asks-b")) == ("1", "1")
    found = site.state.application(app)
    assert found is not None
    site.state.save(DELETION_ORDER, app, to_document(found, None, "ann"))
    site.queue.request(app, "delete asked by ann", Urgency.MANUAL)
    site.until(lambda: site.status(app) is None, "the deletion")
    assert (site.value("asks-a"), site.value("asks-b")) == (None, None)


def test_hooks_run_before_and_after_the_end_of_the_objects(story):
    site, shop = story.site, story.shop

    def job(name: str, when: str, policy: str) -> str:
        marks = {"argocd.argoproj.io/hook": when, "argocd.argoproj.io/hook-delete-policy": policy}
        pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/main:1"}]}
        metadata = {"name": name, "annotations": marks}
        spec = {"backoffLimit": 0, "template": {"spec": pod}}
        return yaml.safe_dump({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})

    def there(name: str) -> bool:
        return site.east.call("GET", f"/apis/batch/v1/namespaces/{site.space}/jobs/{name}")[0] == 200

    def pod_of(name: str):
        path = f"/api/v1/namespaces/{site.space}/pods?labelSelector=job-name%3D{name}"
        return next(iter(site.east.call("GET", path)[1]["items"]), None)

    def end(name: str) -> None:
        """Its pod has done its work: what a kubelet would say."""
        found = site.until(lambda: pod_of(name), f"the pod of {name}")
        path = f"/api/v1/namespaces/{site.space}/pods/{found['metadata']['name']}/status"
        assert site.east.call("PATCH", path, {"status": {"phase": "Succeeded"}})[0] == 200

    shop.push(
        {
            "parting/a.yaml": config_map("parting"),
            "parting/b.yaml": job("parting-backup", "PreDelete", "HookSucceeded"),
            "parting/c.yaml": job("parting-notice", "PostDelete", "BeforeHookCreation"),
        }
    )
    app = declare(story, "parting")
    site.until_synced(app)
    assert not there("parting-backup")
    (site.folder / "catalogue" / "parting.yaml").unlink()

    site.until_status(app, lambda status: "waiting for hook Job.batch" in status.message)
    assert site.value("parting") == "1", "nothing goes before the hook has ended"
    assert not there("parting-notice")
    end("parting-backup")
    site.until(lambda: there("parting-notice"), "the hook after the objects")
    assert site.value("parting") is None
    assert record(site, app) is not None, "it goes last"
    end("parting-notice")
    site.until(lambda: site.status(app) is None, "the end of the deletion")
    assert record(site, app) is None
    assert not there("parting-backup")
