"""Rules of users: Lua, CEL and jq decide about real objects, and one that never ends costs only its application."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from tests.integration.engine.installation import config_map, lamps, publish

LUA = """
hs = {}
if obj.status == nil or obj.status.phase == nil then
  hs.status, hs.message = "Progressing", "it is dark"
elseif obj.status.phase == "Broken" then
  hs.status, hs.message = "Degraded", "the bulb of " .. obj.metadata.name .. " is broken"
else
  hs.status, hs.message = "Healthy", "it is bright"
end
return hs
"""
ENDLESS = "while true do end"
STOPPED = r"the script ran longer than 1 s|it did not end in time and was killed"
"""By the interpreter's own clock, or with the child: whoever is first."""
CEL = {
    "inProgress": "!has(status.phase)",
    "failed": "status.phase == 'Broken'",
    "current": "status.phase == 'On'",
}


def group_of(site, short: str) -> str:
    """A group of a test's own."""
    return f"{short}.{site.space}.example.com"


@pytest.fixture(scope="module")
def rules(story) -> Iterator[None]:
    """An `argocd-cm` with a health rule, one that never ends, and what to leave alone everywhere: a field, a kind."""
    site = story.site
    data = {
        f"resource.customizations.health.{group_of(site, 'lua')}_Lamp": LUA,
        f"resource.customizations.health.{group_of(site, 'endless')}_Lamp": ENDLESS,
        f"resource.customizations.ignoreDifferences.{group_of(site, 'ignored')}_Lamp": "jsonPointers: [/spec/lit]",
        "resource.exclusions": "[{apiGroups: [networking.k8s.io], kinds: [NetworkPolicy]}]",
    }
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"},
        "data": data,
    }
    publish(site.folder / "secrets" / "argocd-cm.yaml", settings)
    site.stop()  # so that no worker is left that has not read it yet
    site.start()
    yield
    (site.folder / "secrets" / "argocd-cm.yaml").unlink()
    for short in ("lua", "endless", "ignored", "cel"):
        definition = f"lamps.{group_of(site, short)}"
        site.east.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition}")


def lamp_path(site, short: str) -> str:
    return f"/apis/{group_of(site, short)}/v1/namespaces/{site.space}/lamps/desk"


def becomes(site, short: str, **status: str) -> None:
    """What the controller of the lamp would write."""
    path = lamp_path(site, short)
    site.until(lambda: site.east.call("GET", path)[0] == 200, f"the lamp of {short}")
    assert site.east.call("PATCH", path, {"status": status})[0] == 200


def waved(text: str, wave: int) -> str:
    manifest = yaml.safe_load(text)
    manifest["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": str(wave)}
    return yaml.safe_dump(manifest)


@pytest.mark.usefixtures("rules")
def test_a_lua_rule_of_argocd_cm_opens_the_next_wave_and_fails_a_sync(story):
    site, shop = story.site, story.shop
    definition, lamp = lamps(group_of(site, "lua"))
    shop.push({"lua/a.yaml": definition, "lua/b.yaml": lamp, "lua/c.yaml": waved(config_map("lua-after"), 1)})
    app = site.app("lua")
    site.declare("lua.yaml", site.argo("lua", shop.url, "lua"))
    status = site.until_status(app, lambda status: "it is dark" in status.health_message)
    assert status.health is HealthStatus.PROGRESSING
    site.until_status(app, lambda status: status.message.startswith("Waiting for Lamp"))
    assert site.value("lua-after") is None

    becomes(site, "lua", phase="Broken")
    status = site.until_status(app, lambda status: "the bulb of desk is broken" in status.message)
    assert (status.health, status.operation.phase) == (HealthStatus.DEGRADED, Phase.FAILED)
    assert site.value("lua-after") is None

    becomes(site, "lua", phase="On")
    assert site.until_synced(app).health is HealthStatus.HEALTHY
    assert site.value("lua-after") == "1"
    rows = {row.kind: (row.health, row.message) for row in site.state.resources(app)}
    assert rows["Lamp"] == (HealthStatus.HEALTHY, "it is bright")


def test_a_cel_rule_of_a_kustomization_decides_when_it_is_ready(story):
    site, shop = story.site, story.shop
    group = group_of(site, "cel")
    definition, lamp = lamps(group)
    shop.push(
        {
            "cel/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
            "cel/a.yaml": definition,
            "cel/b.yaml": lamp,
        }
    )
    checks = [{"apiVersion": f"{group}/v1", "kind": "Lamp", **CEL}]
    app = site.app("cel", "kustomization")
    site.declare("cel.yaml", *story.flux("cel", shop.url, "./cel", wait=True, healthCheckExprs=checks))
    becomes(site, "cel", other="x")
    status = site.until_status(app, lambda status: status.health is HealthStatus.IN_PROGRESS)
    assert status.message == f"Waiting for Lamp.{group} {site.space}/desk."

    becomes(site, "cel", phase="Broken")
    status = site.until_status(app, lambda status: status.health is HealthStatus.FAILED)
    assert f"Lamp.{group} {site.space}/desk" in status.message

    becomes(site, "cel", phase="On")
    assert site.until_synced(app).health is HealthStatus.CURRENT


@pytest.mark.usefixtures("rules")
def test_a_kind_that_argocd_cm_excludes_is_left_alone_in_the_cluster(story):
    site, shop = story.site, story.shop
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed}\nspec: {podSelector: {}}\n"
    )
    shop.push({"excluded/a.yaml": policy, "excluded/b.yaml": config_map("beside")})
    app = site.app("excluded")
    site.declare("excluded.yaml", site.argo("excluded", shop.url, "excluded"))

    status = site.until_synced(app)

    assert site.value("beside") == "1"
    path = f"/apis/networking.k8s.io/v1/namespaces/{site.space}/networkpolicies/closed"
    assert site.east.call("GET", path)[0] == 404
    assert "ExcludedResourceWarning" in {condition.type for condition in status.conditions}


@pytest.mark.usefixtures("rules")
def test_a_difference_that_argocd_cm_leaves_alone_is_none_in_any_application(story):
    site, shop = story.site, story.shop
    definition, lamp = lamps(group_of(site, "ignored"))
    shop.push({"ignored/a.yaml": definition, "ignored/b.yaml": lamp, "ignored/c.yaml": config_map("ignored")})
    app = site.app("ignored")
    site.declare("ignored.yaml", site.argo("ignored", shop.url, "ignored"))
    site.until_synced(app)
    path = lamp_path(site, "ignored")
    assert site.east.call("PATCH", f"{path}?fieldManager=switch", {"spec": {"lit": False}})[0] == 200
    assert site.east.call("DELETE", f"/api/v1/namespaces/{site.space}/configmaps/ignored")[0] == 200
    site.until(lambda: site.value("ignored") == "1", "the heal of what is not ignored")
    site.until_synced(app)
    assert site.east.call("GET", path)[1]["spec"] == {"lit": False}


@pytest.mark.usefixtures("rules")
def test_rules_that_never_end_are_named_and_hold_up_nobody(story):
    site, shop = story.site, story.shop
    definition, lamp = lamps(group_of(site, "endless"))
    shop.push(
        {
            "endless/a.yaml": definition,
            "endless/b.yaml": lamp,
            "endless-jq/a.yaml": config_map("endless-jq"),
            "endless-not/a.yaml": config_map("endless-not", "1"),
        }
    )
    ignoring = [{"group": "", "kind": "ConfigMap", "jqPathExpressions": [".data | until(false; .)"]}]
    site.declare(
        "endless.yaml",
        site.argo("endless", shop.url, "endless"),
        site.argo("endless-jq", shop.url, "endless-jq", ignoreDifferences=ignoring),
        site.argo("endless-not", shop.url, "endless-not"),
    )
    lua = site.until_status(site.app("endless"), lambda status: "health.lua" in status.health_message)
    assert f"{group_of(site, 'endless')}/Lamp" in lua.health_message
    assert re.search(STOPPED, lua.health_message)
    assert (lua.sync, lua.health) == (SyncStatus.SYNCED, HealthStatus.UNKNOWN)
    for number in "23":
        names = ("endless-jq", "endless-not")
        commit = shop.push({f"{name}/a.yaml": config_map(name, number) for name in names})
        site.until_synced(site.app("endless-not"), commit)
        assert site.value("endless-not") == number
    jq = site.until_status(site.app("endless-jq"), lambda status: "jqPathExpressions" in status.message)
    assert re.search(STOPPED, jq.message)

    ignoring[0]["jqPathExpressions"] = [".data.other"]
    site.declare(
        "endless.yaml",
        site.argo("endless-jq", shop.url, "endless-jq", ignoreDifferences=ignoring),
        site.argo("endless-not", shop.url, "endless-not"),
    )
    site.until_synced(site.app("endless-jq"), commit)
    assert site.value("endless-jq") == "3"
