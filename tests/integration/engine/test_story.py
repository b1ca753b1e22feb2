"""The life of a company's applications in both dialects, from the first commit on, on real servers."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from tests.documents import raw
from tests.integration.engine.installation import config_map, lamps, publish

KUSTOMIZATION = "resources: [a.yaml]\n"


def test_a_plain_directory_follows_git_heals_and_prunes(story):
    site, shop = story.site, story.shop
    shop.push({"plain/a.yaml": config_map("plain-a"), "plain/b.yaml": config_map("plain-b")})
    site.declare("plain.yaml", site.argo("plain", shop.url, "plain"))
    app = site.app("plain")
    first = site.until_synced(app).revision

    path = f"/api/v1/namespaces/{site.space}/configmaps/plain-a"
    assert site.east.call("PATCH", path, {"data": {"v": "by hand"}})[0] == 200
    site.until(lambda: site.value("plain-a") == "1", "healing")
    assert site.east.call("DELETE", path)[0] == 200
    site.until(lambda: site.value("plain-a") == "1", "bringing back")

    second = shop.push({"plain/a.yaml": config_map("plain-a", "2"), "plain/b.yaml": None})
    site.until_synced(app, second)
    assert (site.value("plain-a"), site.value("plain-b")) == ("2", None)

    third = shop.push({"plain/a.yaml": config_map("plain-a"), "plain/b.yaml": config_map("plain-b")})
    site.until_synced(app, third)
    assert (site.value("plain-a"), site.value("plain-b")) == ("1", "1")
    history = site.state.load(raw("history"), app)
    assert [entry["revision"] for entry in history if entry["revision"] in (first, second, third)][-2:] == [
        second,
        third,
    ]


def test_the_catalogue_in_git_is_followed_and_a_broken_file_keeps_its_applications(story):
    site, shop, fleet = story.site, story.shop, story.fleet
    shop.push({"listed/a.yaml": config_map("listed"), "kept/a.yaml": config_map("kept")})

    def file(*documents: Any) -> str:
        path = site.folder / "scratch.yaml"
        publish(path, *documents)
        return path.read_text()

    kept = file(site.argo("kept", shop.url, "kept"))
    fleet.push(
        {"clusters/prod/listed.yaml": file(site.argo("listed", shop.url, "listed")), "clusters/prod/kept.yaml": kept}
    )
    site.until_synced(site.app("listed"))
    site.until_synced(site.app("kept"))

    fleet.push({"clusters/prod/kept.yaml": "kind: [", "clusters/prod/listed.yaml": None})
    site.until(lambda: site.status(site.app("listed")) is None, "the removal")
    status = site.until_status(site.app("kept"), lambda status: status.conditions)
    assert "kept.yaml" in status.conditions[0].message
    assert "last good version goes on" in status.conditions[0].message
    assert (site.value("listed"), site.value("kept")) == ("1", "1")

    commit = shop.push({"kept/a.yaml": config_map("kept", "2")})
    site.until_synced(site.app("kept"), commit)
    assert site.value("kept") == "2"
    fleet.push({"clusters/prod/kept.yaml": kept + "\n"})
    site.until_status(site.app("kept"), lambda status: not status.conditions)


def test_a_manual_application_waits_to_be_asked_and_prunes_only_with_consent(story):
    site, shop = story.site, story.shop
    shop.push({"manual/a.yaml": config_map("manual-a"), "manual/b.yaml": config_map("manual-b")})
    site.declare("manual.yaml", site.argo("manual", shop.url, "manual", syncPolicy={"automated": None}))
    app = site.app("manual")
    status = site.until_status(app, lambda status: status.sync is SyncStatus.OUT_OF_SYNC)
    assert f"gitops-workers app sync {site.app('manual')}" in status.message
    assert site.value("manual-a") is None
    site.ask(app)
    status = site.until_synced(app)
    assert status.operation is not None
    assert status.operation.initiated_by == "ann"

    shop.push({"manual/b.yaml": None, "manual/a.yaml": config_map("manual-a", "2")})
    site.until_status(app, lambda status: status.sync is SyncStatus.OUT_OF_SYNC)
    site.ask(app)
    site.until(lambda: site.value("manual-a") == "2", "the sync")
    assert site.value("manual-b") == "1"
    site.ask(app, prune=True)
    site.until(lambda: site.value("manual-b") is None, "the prune")
    site.until_synced(app)


def test_wait_holds_the_operation_until_everything_is_healthy(story):
    site, shop = story.site, story.shop
    pod = """\
apiVersion: v1
kind: Pod
metadata: {name: patient}
spec:
  containers: [{name: main, image: registry.example/main}]
"""
    shop.push({"patient/kustomization.yaml": KUSTOMIZATION, "patient/a.yaml": pod})
    site.declare("patient.yaml", *story.flux("patient", shop.url, "./patient", wait=True))
    app = site.app("patient", "kustomization")
    status = site.until_status(app, lambda status: status.operation)
    assert status.operation is not None
    assert status.operation.phase is Phase.RUNNING
    assert "patient" in status.operation.message
    assert status.health is HealthStatus.IN_PROGRESS
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    path = f"/api/v1/namespaces/{site.space}/pods/patient/status"
    assert site.east.call("PATCH", path, {"status": ready})[0] == 200
    status = site.until_synced(app)
    assert status.health is HealthStatus.CURRENT


def test_a_definition_and_its_resource_come_in_one_application(story):
    site, shop = story.site, story.shop
    group = f"{site.space}.example.com"
    definition, lamp = lamps(group)
    commit = shop.push({"lamps/a.yaml": lamp, "lamps/z.yaml": definition})
    site.declare("lamps.yaml", site.argo("lamps", shop.url, "lamps"))
    site.until_synced(site.app("lamps"), commit)
    code, found = site.east.call("GET", f"/apis/{group}/v1/namespaces/{site.space}/lamps/desk")
    assert (code, found["spec"]) == (200, {"lit": True})
    site.east.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/lamps.{group}")
