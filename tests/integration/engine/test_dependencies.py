"""Applications that depend on each other, of both dialects and on two clusters, on real servers."""

from __future__ import annotations

from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.dialects.dependencies import ANNOTATION
from tests.integration.engine.installation import config_map, lamps

KUSTOMIZATION = "resources: [a.yaml]\n"
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def pod(name: str) -> str:
    body = "spec: {containers: [{name: main, image: registry.example/main}]}"
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n{body}\n"


def became_ready(site, name: str) -> None:
    path = f"/api/v1/namespaces/{site.space}/pods/{name}/status"
    assert site.east.call("PATCH", path, {"status": READY})[0] == 200


def test_an_argo_cd_application_waits_for_a_kustomization_with_its_definition(story):
    """The definition comes with the dependency: before that not even a dry-run of the dependant is possible."""
    site, shop = story.site, story.shop
    group = f"deps.{site.space}.example.com"
    definition, lamp = lamps(group)
    shop.push(
        {
            "dep-base/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
            "dep-base/a.yaml": definition,
            "dep-base/b.yaml": pod("dep-base"),
            "dep-top/a.yaml": lamp,
            "dep-west/kustomization.yaml": KUSTOMIZATION,
            "dep-west/a.yaml": config_map("dep-west"),
        }
    )
    top = site.argo("dep-top", shop.url, "dep-top")
    top["metadata"]["annotations"] = {ANNOTATION: site.app("dep-base", "kustomization")}
    far = site.argo("dep-far", shop.url, "dep-west", destination={"name": "west"})
    far["metadata"]["annotations"] = {ANNOTATION: site.name("dep-top")}
    base = story.flux("dep-base", shop.url, "./dep-base", wait=True)
    # It asks by itself once an hour: what brings it up now is the ring of its dependency.
    hourly = story.flux("dep-hourly", shop.url, "./dep-west", interval="1h", namePrefix="hourly-")
    hourly[1]["metadata"] = {**hourly[1]["metadata"], "annotations": top["metadata"]["annotations"]}
    site.declare("deps.yaml", *base, top, far, *hourly)

    waiting = f"Waiting for {site.app('dep-base', 'kustomization')}: "
    site.until_status(site.app("dep-base", "kustomization"), lambda status: status.operation)
    site.until_status(site.app("dep-top"), lambda status: status.message.startswith(waiting))
    site.until_status(site.app("dep-far"), lambda status: "Waiting for" in status.message)
    site.until_status(site.app("dep-hourly", "kustomization"), lambda status: status.message.startswith(waiting))
    path = f"/apis/{group}/v1/namespaces/{site.space}/lamps/desk"
    assert site.east.call("GET", path)[0] == 404
    site.until(lambda: site.live("pods", "dep-base"), "the pod")
    became_ready(site, "dep-base")

    site.until_synced(site.app("dep-hourly", "kustomization"))
    for name in ("dep-top", "dep-far"):
        status = site.until_synced(site.app(name))
        assert status.operation is not None
        assert status.operation.phase is Phase.SUCCEEDED
    assert site.east.call("GET", path)[0] == 200
    west = site.planes.named("west")
    assert site.live("configmaps", "dep-west", plane=west) is not None
    site.east.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/lamps.{group}")


def test_a_commit_goes_through_the_dependency_first_and_stops_where_it_fails(story):
    site, shop = story.site, story.shop
    shop.push(
        {
            "dep-one/kustomization.yaml": KUSTOMIZATION,
            "dep-one/a.yaml": config_map("dep-one"),
            "dep-two/kustomization.yaml": KUSTOMIZATION,
            "dep-two/a.yaml": config_map("dep-two"),
        }
    )
    one = story.flux("dep-one", shop.url, "./dep-one")
    expression = "dep.status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True') && dep.spec.prune"
    two = story.flux("dep-two", shop.url, "./dep-two", dependsOn=[{"name": site.name("dep-one")}])
    three = story.flux(
        "dep-three", shop.url, "./dep-two", dependsOn=[{"name": site.name("dep-two"), "readyExpr": expression}],
        namePrefix="third-",
    )  # fmt: skip
    site.declare("deps-chain.yaml", *one, *two, *three)
    apps = [site.app(name, "kustomization") for name in ("dep-one", "dep-two", "dep-three")]
    for app in apps:
        site.until_synced(app)

    broken = shop.push(
        {"dep-one/a.yaml": "kind: [", "dep-two/a.yaml": config_map("dep-two", "2")},
    )
    site.until_status(apps[1], lambda status: status.message == f"Waiting for {apps[0]}: its state is unknown now.")
    assert site.status(apps[1]).revision == broken
    assert site.value("dep-two") == "1"

    mended = shop.push({"dep-one/a.yaml": config_map("dep-one", "2")})
    site.until_synced(apps[0], mended)
    site.until(lambda: site.value("dep-two") == "2", "the dependant")
    site.until(lambda: site.value("third-dep-two") == "2", "the dependant's dependant")
    assert all(site.until_synced(app).sync is SyncStatus.SYNCED for app in apps)


def test_a_cycle_is_the_error_of_its_members_and_of_nobody_else_until_it_is_cut(story):
    """Of both dialects at once; who depends on a member without being one only waits."""
    site, shop = story.site, story.shop
    names = ("dep-ring-a", "dep-ring-b", "dep-ring-c", "dep-ring-tail", "dep-ring-other")
    shop.push({f"{name}/{file}": text for name in names for file, text in _files(name).items()})
    first = site.argo("dep-ring-a", shop.url, "dep-ring-a")
    first["metadata"]["annotations"] = {ANNOTATION: site.app("dep-ring-c", "kustomization")}
    second = story.flux("dep-ring-b", shop.url, "./dep-ring-b")
    second[1]["metadata"] = {**second[1]["metadata"], "annotations": {ANNOTATION: site.app("dep-ring-a")}}
    third = story.flux("dep-ring-c", shop.url, "./dep-ring-c", dependsOn=[{"name": site.name("dep-ring-b")}])
    tail = site.argo("dep-ring-tail", shop.url, "dep-ring-tail")
    tail["metadata"]["annotations"] = {ANNOTATION: site.app("dep-ring-a")}
    other = site.argo("dep-ring-other", shop.url, "dep-ring-other")
    site.declare("deps-ring.yaml", first, *second, *third, tail, other)

    members = [site.app("dep-ring-a"), *(site.app(name, "kustomization") for name in names[1:3])]
    for member in members:
        status = site.until_status(member, lambda status: "->" in status.message)
        assert status.message.count(member) >= 2, "it begins and ends with the member"
        assert all(name in status.message for name in members)
        assert status.sync is SyncStatus.UNKNOWN
    waiting = site.until_status(site.app("dep-ring-tail"), lambda status: "Waiting for" in status.message)
    assert members[0] in waiting.message
    site.until_synced(site.app("dep-ring-other"))
    assert [site.value(name) for name in names] == [None] * 4 + ["1"]

    del first["metadata"]["annotations"]
    site.declare("deps-ring.yaml", first, *second, *third, tail, other)
    for app in (*members, site.app("dep-ring-tail")):
        status = site.until_synced(app)
        assert status.conditions == ()
    assert [site.value(name) for name in names] == ["1"] * 5


def _files(name: str) -> dict[str, str]:
    return {"kustomization.yaml": KUSTOMIZATION, "a.yaml": config_map(name)}
