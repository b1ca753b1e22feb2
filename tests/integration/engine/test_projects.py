"""What an AppProject forbids, and when: sync windows and lists of the catalogue, on real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from gitops_workers.core.model import SyncStatus
from gitops_workers.core.record.record import record_name
from tests.documents import raw
from tests.integration.engine.installation import Installation, config_map, secret
from tests.integration.engine.test_asking import run
from tests.integration.engine.test_explaining import explanation, stages

EVERYWHERE = {"server": "*", "namespace": "*"}
ALWAYS = {"schedule": "* * * * *", "duration": "1h"}


def project(name: str, **spec: Any) -> dict[str, Any]:
    """An AppProject that allows everything, unless `spec` says otherwise."""
    allowed = {
        "sourceRepos": ["*"],
        "destinations": [EVERYWHERE],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {**allowed, **spec},
    }


def window(kind: str, *applications: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "applications": list(applications or "*"), **more}


def hours(first: int, last: int) -> tuple[dict[str, Any], datetime]:
    """A schedule that is open from so many hours from now on until so many, and the moment at which it closes."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    start = now + timedelta(hours=first)
    return {"schedule": f"{start.minute} {start.hour} * * *", "duration": f"{last - first}h"}, now + timedelta(
        hours=last
    )


def patch(site: Installation, name: str, value: str) -> None:
    path = f"/api/v1/namespaces/{site.space}/configmaps/{name}"
    assert site.east.call("PATCH", path, {"data": {"v": value}})[0] == 200


def test_an_open_deny_window_holds_everything_back_until_the_project_has_none(story):
    site, shop = story.site, story.shop
    name, app = site.name("denied"), site.app("denied")
    shop.push({"denied/a.yaml": config_map("denied-a"), "denied/b.yaml": config_map("denied-b")})
    site.declare("denied.yaml", site.argo("denied", shop.url, "denied", project=name), project(name))
    site.until_synced(app)

    schedule, closes = hours(-1, 2)
    deny = window("deny", site.name("den*"), **schedule)
    site.declare(
        "denied.yaml", site.argo("denied", shop.url, "denied", project=name), project(name, syncWindows=[deny])
    )
    told = f"deny {deny['schedule']!r} for 10800 s"
    site.until(lambda: stages(site, app).get("Windows") == [told], "the window")
    second = shop.push({"denied/a.yaml": config_map("denied-a", "2")})
    patch(site, "denied-b", "by hand")
    site.until(
        lambda: (
            {row.name: row.status for row in site.state.resources(app)}
            == {"denied-a": SyncStatus.OUT_OF_SYNC, "denied-b": SyncStatus.OUT_OF_SYNC}
        ),
        "the differences",
    )
    status = site.until_status(app, lambda status: status.revision == second)
    shut = f"Sync window: a deny window is open ({told}). Syncing goes on at {closes:%Y-%m-%dT%H:%M:00Z}."
    assert (status.sync, status.message) == (SyncStatus.OUT_OF_SYNC, shut)
    assert explanation(site, app)["why"] == shut

    answer = run(site, "sync", name, "--wait")
    assert answer.returncode != 0
    assert "a deny window is open" in answer.stdout + answer.stderr
    assert (site.value("denied-a"), site.value("denied-b")) == ("1", "by hand")

    site.declare(
        "denied.yaml",
        site.argo("denied", shop.url, "denied", project=name),
        project(name, syncWindows=[{**deny, "manualSync": True}]),
    )
    site.until_status(app, lambda status: f"`gitops-workers app sync {app}` is allowed" in status.message)
    answer = run(site, "sync", name, "--wait")
    assert answer.returncode == 0, answer.stderr
    site.until_synced(app, second)
    assert (site.value("denied-a"), site.value("denied-b")) == ("2", "1")

    third = shop.push({"denied/a.yaml": config_map("denied-a", "3")})
    patch(site, "denied-b", "by hand")
    site.until_status(app, lambda status: status.revision == third and "deny window" in status.message)
    site.declare("denied.yaml", site.argo("denied", shop.url, "denied", project=name), project(name))
    site.until_synced(app, third)
    assert (site.value("denied-a"), site.value("denied-b")) == ("3", "1")


def test_allow_windows_let_through_what_they_mean_and_bad_ones_stop_only_their_own_project(story):
    site, shop = story.site, story.shop
    names = ("open", "shut", "never", "bad", "free")
    shop.push({f"win-{name}/a.yaml": config_map(f"win-{name}") for name in names})
    schedule, _ = hours(5, 6)
    begins = datetime.now(UTC) + timedelta(hours=5)
    windows = {
        "open": [window("allow", **ALWAYS), window("allow", **schedule)],
        "shut": [window("allow", **schedule)],
        "never": [window("allow", schedule="0 0 30 2 *", duration="1h")],
        "bad": [window("deny", schedule="0 25 * * *", duration="1h")],
        "free": [],
    }
    apps = {name: site.app(f"win-{name}") for name in names}

    def declare(name: str, found: list[dict[str, Any]]) -> None:
        own = site.name(f"win-{name}")
        manifest = site.argo(f"win-{name}", shop.url, f"win-{name}", project=own)
        site.declare(f"win-{name}.yaml", manifest, project(own, syncWindows=found))

    for name, found in windows.items():
        declare(name, found)
    site.until_synced(apps["open"])
    site.until_synced(apps["free"])
    status = site.until_status(apps["shut"], lambda status: status.message)
    assert "no allow window is open" in status.message
    assert f"Syncing goes on at {begins:%Y-%m-%dT%H:}" in status.message
    status = site.until_status(apps["never"], lambda status: status.message)
    text = "spec.syncWindows[0].schedule: found '0 0 30 2 *': no month that it names has such a day, so it never comes."
    assert status.message.startswith(f"AppProject {site.name('win-never')} has errors: win-never.yaml:")
    assert status.message.endswith(text)
    status = site.until_status(apps["bad"], lambda status: status.message)
    assert status.message.endswith(
        "spec.syncWindows[0].schedule: found '0 25 * * *': the hour has '25', allowed is 0 to 23."
    )

    commit = shop.push({f"win-{name}/a.yaml": config_map(f"win-{name}", "2") for name in names})
    site.until_synced(apps["open"], commit)
    site.until_synced(apps["free"], commit)
    assert [site.value(f"win-{name}") for name in ("shut", "never", "bad")] == [None] * 3

    for name in ("shut", "never", "bad"):
        declare(name, [window("allow", **ALWAYS)])
    for name in ("shut", "never", "bad"):
        site.until_synced(apps[name], commit)
        assert site.value(f"win-{name}") == "2"


def role(name: str) -> str:
    return f"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules: []\n"


def test_what_a_project_forbids_is_not_written_until_the_project_allows_it(story):
    """Each rule by itself: the spec that forbids, and what the message must name beside the project."""
    site, shop = story.site, story.shop
    here, cluster_role = site.space, f"{site.space}-ruled"
    elsewhere = config_map("ruled", namespace="kube-public")
    rules: dict[str, tuple[str, dict[str, Any], str]] = {
        "repo": (
            "",
            {"sourceRepos": ["https://git.example/*"]},
            f"does not allow repository {shop.url}: sourceRepos are https://git.example/*.",
        ),
        "no-repo": ("", {"sourceRepos": ["*", f"!{shop.url}"]}, f"does not allow repository {shop.url}: sourceRepos"),
        "cased": ("", {"sourceRepos": ["*", f"!{shop.url.upper()}/"]}, f"does not allow repository {shop.url}: source"),
        "unnamed": (
            "",
            {"destinations": [EVERYWHERE, {"name": "!east", "namespace": "kube-system"}]},
            f"does not allow namespace {here} of cluster east (destinations).",
        ),
        "server": (
            "",
            {"destinations": [{"server": "https://other.example", "namespace": "*"}]},
            f"does not allow namespace {here} of cluster east (destinations).",
        ),
        "name": ("", {"destinations": [{"name": "{west,north}", "namespace": "*"}]}, "of cluster east (destinations)."),
        "no-name": ("", {"destinations": [EVERYWHERE, {"name": "!ea*", "namespace": "*"}]}, "of cluster east"),
        "space": ("", {"destinations": [{"name": "east", "namespace": "team-*"}]}, f"namespace {here} of cluster east"),
        "no-space": (
            "",
            {"destinations": [EVERYWHERE, {"name": "east", "namespace": f"!{here[:4]}*"}]},
            f"namespace {here} of cluster east",
        ),
        "object": (
            elsewhere,
            {"destinations": [{"name": "east", "namespace": here}]},
            "does not allow namespace kube-public of cluster east (destinations).",
        ),
        "kind": (role(cluster_role), {"clusterResourceWhitelist": []}, "in clusterResourceWhitelist."),
        "no-kind": (
            role(cluster_role),
            {"clusterResourceBlacklist": [{"group": "rbac.*", "kind": "ClusterRole*"}]},
            "in clusterResourceBlacklist.",
        ),
        "own-kind": (
            "",
            {"namespaceResourceWhitelist": [{"group": "apps", "kind": "*"}]},
            "namespaceResourceWhitelist.",
        ),
        "no-own-kind": (
            "",
            {"namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}]},
            "in namespaceResourceBlacklist.",
        ),
        "source": ("", {}, "does not take applications from namespace team-a: list it in sourceNamespaces."),
        "missing": ("", {}, "is not in the catalogue. Add its AppProject or correct the name."),
    }
    offenders = {"object": "ConfigMap kube-public/ruled", "kind": cluster_role, "no-kind": cluster_role}
    offenders |= {name: f"ConfigMap {here}/ruled-{name}" for name in ("own-kind", "no-own-kind")}
    files = {f"ruled-{name}/a.yaml": config_map(f"ruled-{name}") for name in rules}
    shop.push(files | {f"ruled-{name}/b.yaml": extra for name, (extra, _, _) in rules.items() if extra})
    apps: dict[str, str] = {}
    for name, (_, spec, _) in rules.items():
        manifest = site.argo(f"ruled-{name}", shop.url, f"ruled-{name}", project=site.name(f"ruled-{name}"))
        if name == "source":
            manifest["metadata"]["namespace"] = "team-a"
        apps[name] = f"application/{manifest['metadata']['namespace']}/{manifest['metadata']['name']}"
        own = [project(site.name(f"ruled-{name}"), **spec)] if name != "missing" else []
        site.declare(f"ruled-{name}.yaml", manifest, *own)

    for name, (_, _, text) in rules.items():
        status = site.until_status(apps[name], lambda status: status.message)
        assert site.name(f"ruled-{name}") in status.message, name
        assert text in status.message, (name, status.message)
        assert offenders.get(name, "") in status.message, (name, status.message)
        assert (status.sync, status.operation) == (SyncStatus.UNKNOWN, None), name
        assert site.value(f"ruled-{name}") is None, name
        assert site.live("configmaps", record_name(apps[name]), space="gitops-workers") is None, name
    assert site.value("ruled", space="kube-public") is None
    assert site.east.call("GET", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{cluster_role}")[0] == 404

    # Two applications may not hold one object, so only one of them keeps the ClusterRole.
    shop.push({"ruled-no-kind/b.yaml": role(f"{cluster_role}-too")})
    opened = [project(site.name(f"ruled-{name}"), sourceNamespaces=["team-*"]) for name in rules]
    for name, found in zip(rules, opened, strict=True):
        manifest = site.argo(f"ruled-{name}", shop.url, f"ruled-{name}", project=site.name(f"ruled-{name}"))
        manifest["metadata"]["namespace"] = apps[name].split("/")[1]
        site.declare(f"ruled-{name}.yaml", manifest, found)
    for name in rules:
        site.until_synced(apps[name])
        assert site.value(f"ruled-{name}") == "1", name
    assert site.value("ruled", space="kube-public") == "1"
    for name in (cluster_role, f"{cluster_role}-too"):
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}"
        assert site.east.call("DELETE", path)[0] == 200
    site.east.call("DELETE", "/api/v1/namespaces/kube-public/configmaps/ruled")


def test_what_a_project_comes_to_forbid_is_neither_written_nor_deleted(story):
    site, shop = story.site, story.shop
    name, app = site.name("tight"), site.app("tight")

    def declare(**spec: Any) -> None:
        site.declare("tight.yaml", site.argo("tight", shop.url, "tight", project=name), project(name, **spec))

    hidden = yaml.safe_dump(secret("tight-s", site.space, v="1"))
    shop.push({"tight/a.yaml": config_map("tight-a"), "tight/s.yaml": hidden})
    declare()
    site.until_synced(app)
    uid = site.live("secrets", "tight-s")["metadata"]["uid"]

    declare(namespaceResourceBlacklist=[{"group": "", "kind": "Secret"}])
    refusal = f"Secret {site.space}/tight-s: project {name} lists this kind in namespaceResourceBlacklist."
    site.until_status(app, lambda status: status.message == refusal)
    refused = shop.push({"tight/a.yaml": config_map("tight-a", "2")})
    site.until(lambda: site.state.load(raw("glance"), app)[0] == refused, "a look at the commit")
    site.until_status(app, lambda status: status.message == refusal)
    assert site.value("tight-a") == "1"

    commit = shop.push({"tight/s.yaml": None, "tight/a.yaml": config_map("tight-a", "3")})
    status = site.until_synced(app, commit)
    assert site.value("tight-a") == "3"
    (condition,) = status.conditions
    assert condition.message.startswith(f"Secret {site.space}/tight-s left Git and stays: project {name} lists")
    assert site.live("secrets", "tight-s")["metadata"]["uid"] == uid

    declare()
    site.until(lambda: site.live("secrets", "tight-s") is None, "the prune")
    site.until_status(app, lambda status: status.sync is SyncStatus.SYNCED and not status.conditions)
