"""What people ask for on the command line, and the three ways back of the guide, on real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import yaml

from gitops_workers.core.model import Dialect, HealthStatus, Phase, SyncStatus
from gitops_workers.core.record.record import record_name
from gitops_workers.redis_keys import APPLICATIONS
from tests.integration.engine.installation import Installation, config_map
from tests.security.leaks import dump, found

COMMAND = [sys.executable, "-m", "gitops_workers.cli", "app"]
MANUAL = {"automated": None}


def run(site: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`gitops-workers app ...` with the installation's settings."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=dict(site.engine.environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def done(site: Installation, *arguments: str) -> str:
    """The output of a command that must end well."""
    answer = run(site, *arguments)
    assert answer.returncode == 0, answer.stderr + answer.stdout + site.log_end()
    return answer.stdout


def revert(bare: Path, folder: Path) -> str:
    """`git revert HEAD` and `git push`, as the guide has it."""

    def git(*arguments: str) -> str:
        names = {
            f"GIT_{role}_{part}": "ann@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
        }
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **names}
        answer = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    clone = str(folder / "clone")
    git("clone", "--quiet", str(bare), clone)
    git("-C", clone, "revert", "--no-edit", "HEAD")
    git("-C", clone, "push", "--quiet")
    return git("-C", clone, "rev-parse", "HEAD")


def test_a_git_revert_goes_back_by_itself(story, tmp_path):
    site, shop = story.site, story.site.repository("revert.git")
    shop.push({"a.yaml": config_map("reverted", "good")})
    site.declare("revert.yaml", site.argo("revert", shop.url, "."))
    site.until_synced(site.app("revert"))
    bad = shop.push({"a.yaml": config_map("reverted", "bad"), "b.yaml": config_map("reverted-too")})
    site.until_synced(site.app("revert"), bad)
    commit = revert(shop.bare.path, tmp_path)
    site.until_synced(site.app("revert"), commit)
    assert (site.value("reverted"), site.value("reverted-too")) == ("good", None)


def test_a_flux_application_that_is_pinned_to_a_commit_stays_there_until_the_pin_moves(story):
    site, shop = story.site, story.site.repository("pinned.git")
    good = shop.push({"a.yaml": config_map("pinned", "good")})
    bad = shop.push({"a.yaml": config_map("pinned", "bad"), "b.yaml": config_map("pinned-too")})
    app = site.app("pinned", "kustomization")
    site.declare("pinned.yaml", *story.flux("pinned", shop.url, "./"))
    site.until_synced(app, bad)
    site.declare("pinned.yaml", *story.flux("pinned", shop.url, "./", source={"ref": {"commit": good}}))
    site.until_synced(app, good)
    assert (site.value("pinned"), site.value("pinned-too")) == ("good", None)
    after = shop.push({"a.yaml": config_map("pinned", "better")})
    control = shop.push({"control.yaml": config_map("pinned-control")})
    checked = site.status(app).last_checked_at
    site.until_status(app, lambda status: status.last_checked_at > checked)
    assert (site.value("pinned"), site.status(app).revision) == ("good", good)
    site.declare("pinned.yaml", *story.flux("pinned", shop.url, "./", source={"ref": {"commit": after}}))
    site.until_synced(app, after)
    assert (site.value("pinned"), site.value("pinned-control")) == ("better", None)
    assert control != after


def test_a_rollback_has_the_parameters_of_then_which_nobody_reads_in_redis_or_the_record(story):
    site, shop = story.site, story.site.repository("sealed.git")
    chart = "apiVersion: v2\nname: chart\nversion: 1.0.0\n"
    template = config_map("sealed", "X").replace("'X'", "X").replace("X", '"{{ .Values.greeting }}"')
    commit = shop.push({"chart/Chart.yaml": chart, "chart/templates/a.yaml": template})
    app = site.app("sealed")

    def deploy(greeting: str) -> None:
        # Nothing renders the password: a user may still have written one.
        parameters = [{"name": "greeting", "value": greeting}, {"name": "password", "value": "kanarie-4711"}]
        source = {"helm": {"parameters": parameters}}
        site.declare("sealed.yaml", site.argo("sealed", shop.url, "chart", source=source))
        site.until(lambda: site.value("sealed") == greeting, greeting)

    deploy("first")
    site.until_synced(app, commit)
    deploy("second")
    site.until(lambda: len(done(site, "history", app).splitlines()) == 3, "two entries and a head")
    number = done(site, "history", app).splitlines()[-1].split()[0]

    done(site, "rollback", app, number, "--pause-automation", "--wait")
    assert site.value("sealed") == "first"
    record = json.dumps(site.live("configmaps", record_name(app), space="gitops-workers"))
    assert "history" in record
    assert not found(["kanarie"], record.encode())
    with redis.Redis.from_url(site.redis.url) as client:
        everything = dict(dump(client))
    assert APPLICATIONS in everything
    assert not [key for key, parts in everything.items() for part in parts if found(["kanarie"], part)]


def test_a_rollback_pauses_automated_sync_until_it_is_resumed(story):
    site, shop = story.site, story.site.repository("back.git")
    first = shop.push({"a.yaml": config_map("back", "1"), "b.yaml": config_map("back-b")})
    site.declare("back.yaml", site.argo("back", shop.url, "."))
    app = site.app("back")
    site.until_synced(app, first)
    second = shop.push({"a.yaml": config_map("back", "2"), "b.yaml": None, "c.yaml": config_map("back-c")})
    site.until_synced(app, second)
    listed = done(site, "history", app)
    assert "ROLLBACK" in listed
    number = next(line.split()[0] for line in listed.splitlines() if first[:7] in line)

    refused = run(site, "rollback", app, number)
    assert refused.returncode == 1
    assert "--pause-automation" in refused.stderr
    assert run(site, "rollback", app, "99", "--pause-automation").returncode == 2
    assert site.value("back") == "2"

    text = done(site, "rollback", app, number, "--pause-automation", "--prune", "--wait")
    assert f"Rolled back to #{number} ({first[:12]})" in text
    assert (site.value("back"), site.value("back-b"), site.value("back-c")) == ("1", "1", None)
    status = site.until_status(app, lambda status: status.conditions)
    assert status.conditions[0].type == "AutomationPaused"

    third = shop.push({"a.yaml": config_map("back", "3")})
    status = site.until_status(app, lambda status: status.revision == third)
    assert status.sync is SyncStatus.OUT_OF_SYNC
    assert "app resume" in status.message
    assert site.value("back") == "1"

    done(site, "resume", app)
    site.until_synced(app, third)
    assert (site.value("back"), site.value("back-b"), site.value("back-c")) == ("3", None, "1")


def test_one_sync_of_a_revision_of_some_objects_or_of_none(story):
    site, shop = story.site, story.site.repository("asked.git")
    first = shop.push({"a.yaml": config_map("asked-a", "1"), "b.yaml": config_map("asked-b", "1")})
    site.declare("asked.yaml", site.argo("asked", shop.url, ".", syncPolicy=MANUAL))
    app = site.app("asked")
    site.until_status(app, lambda status: status.sync is SyncStatus.OUT_OF_SYNC)

    shown = done(site, "sync", app, "--dry-run")
    assert "2 objects would be applied" in shown
    assert '+  v: "1"' in shown
    assert site.value("asked-a") is None

    done(site, "sync", app, "--wait")
    second = shop.push({"a.yaml": config_map("asked-a", "2"), "b.yaml": config_map("asked-b", "2")})
    site.until_status(app, lambda status: status.revision == second)
    done(site, "sync", app, "--resource", f":ConfigMap:{site.space}/asked-a", "--wait")
    assert (site.value("asked-a"), site.value("asked-b")) == ("2", "1")
    done(site, "sync", app, "--wait")
    assert (site.value("asked-a"), site.value("asked-b")) == ("2", "2")

    done(site, "sync", app, "--revision", first[:10], "--wait")
    assert (site.value("asked-a"), site.value("asked-b")) == ("1", "1")
    status = site.until_status(app, lambda status: status.revision == second)
    assert status.sync is SyncStatus.OUT_OF_SYNC
    unknown = run(site, "sync", app, "--revision", "nowhere", "--wait")
    assert unknown.returncode == 1
    assert "revision 'nowhere' not found" in unknown.stderr
    assert run(site, "sync", app, "--resource", "nonsense").returncode == 2


@pytest.mark.parametrize("dialect", Dialect)
def test_force_replaces_what_cannot_be_changed_and_only_then(story, dialect):
    site, name = story.site, f"forced-{dialect}"
    shop = site.repository(f"{name}.git")

    def locked(value: str) -> dict[str, str]:
        return {"a.yaml": config_map(name, value) + "immutable: true\n"}

    if dialect is Dialect.FLUX:
        app = site.app(name, "kustomization")
        site.declare(f"{name}.yaml", *story.flux(name, shop.url, "./", retryInterval="5m"))
    else:
        app = site.app(name)
        site.declare(f"{name}.yaml", site.argo(name, shop.url, "."))
    shop.push({"kustomization.yaml": "resources: [a.yaml]\n", **locked("1")})
    site.until_synced(app)
    shop.push(locked("2"))
    refused = site.until_status(app, lambda status: status.sync is SyncStatus.UNKNOWN)
    assert "immutable" in refused.message
    again = run(site, "sync", app, "--wait")
    assert again.returncode == 1
    assert "immutable" in again.stderr
    assert site.value(name) == "1"
    done(site, "sync", app, "--force", "--wait")
    assert site.value(name) == "2"


def test_a_sync_that_waits_is_ended_by_terminate_and_over_the_api(story):
    site, shop = story.site, story.site.repository("stuck.git")
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stuck"},
        "spec": {"containers": [{"name": "main", "image": "registry.example/main"}]},
    }
    shop.push({"pod.yaml": yaml.safe_dump(pod), "kustomization.yaml": "resources: [pod.yaml]\n"})
    site.declare("stuck.yaml", *story.flux("stuck", shop.url, "./", wait=True, retryInterval="5m"))
    app = site.app("stuck", "kustomization")
    site.until_status(app, lambda status: status.operation and status.operation.phase is Phase.RUNNING)
    assert "terminated by" in done(site, "terminate", app)
    status = site.status(app)
    assert status is not None
    assert status.operation is not None
    assert status.operation.phase is Phase.FAILED
    assert status.operation.message.startswith("terminated by")
    assert status.health is HealthStatus.IN_PROGRESS
    assert site.live("pods", "stuck") is not None
    assert run(site, "terminate", app).returncode == 1

    url = f"{site.engine.web}/api/v1/applications/{app}"
    asked = httpx.post(f"{url}/sync", json={}).json()["request"]
    site.until_status(app, lambda status: status.operation and status.operation.phase is Phase.RUNNING)
    assert httpx.get(f"{url}/request").json()["phase"] is None
    assert httpx.post(f"{url}/terminate", json={}).status_code == 202
    site.until_status(app, lambda status: status.operation and status.operation.phase is Phase.FAILED)
    assert httpx.get(f"{url}/request").json()["phase"] == "Succeeded"
    assert httpx.get(f"{url}/request").json()["id"] != asked


def test_a_change_made_by_hand_a_moment_before_is_healed_by_a_refresh(story):
    site, shop = story.site, story.site.repository("fresh.git")
    shop.push({"a.yaml": config_map("fresh", "git")})
    # Polls come once an hour, so only the refresh can find it.
    site.declare("fresh.yaml", *story.flux("fresh", shop.url, "./", interval="1h"))
    app = site.app("fresh", "kustomization")
    site.until_synced(app)
    assert done(site, "diff", app, "--refresh") == ""
    path = f"/api/v1/namespaces/{site.space}/configmaps/fresh"
    for value in ("by hand", "by hand again"):
        assert site.east.call("PATCH", path, {"data": {"v": value}})[0] == 200
        answer = run(site, "get", app, "--refresh", "-o", "json")
        assert answer.returncode == 0, answer.stderr
        site.until(lambda: site.value("fresh") == "git", "the heal that the refresh rings for")


def test_a_scaled_deployment_that_heals_by_hand_only_differs_in_the_refreshed_diff(story):
    site, shop = story.site, story.site.repository("scaled.git")
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "scaled"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "scaled"}},
            "template": {
                "metadata": {"labels": {"app": "scaled"}},
                "spec": {"containers": [{"name": "main", "image": "registry.example/main"}]},
            },
        },
    }
    shop.push({"a.yaml": yaml.safe_dump(deployment)})
    site.declare("scaled.yaml", site.argo("scaled", shop.url, ".", syncPolicy={"automated": {"selfHeal": False}}))
    app = site.app("scaled")
    site.until_synced(app)
    path = f"/apis/apps/v1/namespaces/{site.space}/deployments/scaled"
    for replicas in (2, 1, 3, 1, 4, 1):  # each within the interval of the cluster's poll
        assert site.east.call("PATCH", path, {"spec": {"replicas": replicas}})[0] == 200
        answer = run(site, "diff", app, "--refresh")
        assert answer.returncode == (0 if replicas == 1 else 1), answer.stdout + answer.stderr
        assert (f"replicas: {replicas}" in answer.stdout) is (replicas != 1)
