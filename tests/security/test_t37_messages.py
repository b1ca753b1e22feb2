"""T37: nothing secret is ever told to Redis: not in messages, documents, statuses, diffs or events."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
import redis
import yaml

from gitops_workers.local.git_server import git_server
from tests.integration.engine.installation import Installation, config_map, installation, publish, secret
from tests.security.leaks import Monitor, dump, found
from tests.servers.git_repository import BareRepository

CANARIES = {
    "manifest": "kanarie-manifest-6d21",
    "changed": "kanarie-changed-88fa",
    "refused": "kanarie-refused-41c0",
    "git": "kanarie-git-90b3",
    "variable": "kanarie-variable-5ae7",
    "hook": "kanarie-hook-77d2",
    "webhook": "kanarie-webhook-13e9",
}
USERINFO = re.compile(rb"(?:https?|file)://[^/\s\"'\\]*@")


def manifest(name: str, value: str, **extra: object) -> str:
    """A Secret in Git: the value in both spellings."""
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"plain": value}, **extra}
    return yaml.safe_dump({**body, "data": {"coded": base64.b64encode(value.encode()).decode()}})


@pytest.fixture(scope="module")
def site(planes, tmp_path_factory) -> Iterator[Installation]:
    secrets = (f"github={CANARIES['webhook']}",)
    with installation(tmp_path_factory.mktemp("engine"), planes, webhook_secrets=secrets) as running:
        yield running


def flux(site: Installation, url: str) -> list[dict[str, object]]:
    """A Kustomization with a secret variable, and a Receiver."""
    metadata = {"name": site.name("varied"), "namespace": "flux-system"}
    reference = {"kind": "GitRepository", "name": metadata["name"]}
    api = "toolkit.fluxcd.io/v1"
    source = {"url": url, "interval": "2s", "ref": {"branch": "main"}}
    build = {"substituteFrom": [{"kind": "Secret", "name": "variables"}]}
    spec = {"interval": "2s", "prune": True, "path": "./varied", "targetNamespace": site.space, "postBuild": build}
    hook = {"type": "generic", "secretRef": {"name": "hook"}, "resources": [reference]}
    return [
        {"apiVersion": f"source.{api}", "kind": "GitRepository", "metadata": metadata, "spec": source},
        {
            "apiVersion": f"kustomize.{api}",
            "kind": "Kustomization",
            "metadata": metadata,
            "spec": {**spec, "sourceRef": reference},
        },
        {"apiVersion": f"notification.{api}", "kind": "Receiver", "metadata": metadata, "spec": hook},
    ]


def test_a_full_run_tells_redis_no_secret(site, tmp_path):
    BareRepository(tmp_path / "private" / "app.git").commit(
        {"app/a.yaml": manifest("own", CANARIES["git"][::-1]).encode()}
    )
    with (
        git_server(tmp_path / "private", user="robot", password=CANARIES["git"]) as private,
        Monitor(site.redis.url) as monitor,
    ):
        url = private.url("app.git")
        publish(
            site.folder / "secrets" / "all.yaml",
            secret(
                "repository",
                "argocd",
                {"argocd.argoproj.io/secret-type": "repository"},
                type="git",
                url=url,
                username="robot",
                password=CANARIES["git"],
            ),
            secret("variables", "flux-system", PASSWORD=CANARIES["variable"]),
            secret("hook", "flux-system", token=CANARIES["hook"]),
        )
        shop = site.repository("shop.git")
        files = {
            "held/a.yaml": manifest("held", CANARIES["manifest"]),
            "manual/a.yaml": manifest("manual", CANARIES["manifest"]),
            "refused/a.yaml": manifest("refused", CANARIES["refused"], type="kubernetes.io/dockerconfigjson"),
            "varied/a.yaml": manifest("varied", "${PASSWORD}").replace(
                base64.b64encode(b"${PASSWORD}").decode(), base64.b64encode(b"other").decode()
            ),
            "plain/a.yaml": config_map("plain"),
        }
        shop.push(files)
        names = ("held", "manual", "refused", "plain")
        apps = {name: site.argo(name, shop.url, name) for name in names}
        apps["manual"]["spec"]["syncPolicy"] = {}
        site.declare("apps.yaml", *apps.values(), site.argo("private", url, "app"), *flux(site, shop.url))
        for app in (site.app("held"), site.app("plain"), site.app("private"), site.app("varied", "kustomization")):
            site.until_synced(app)
        assert (
            site.live("secrets", "varied")["data"]["plain"] == base64.b64encode(CANARIES["variable"].encode()).decode()
        )
        # A change of each kind: in Git, by hand, waiting for a person, refused by the server.
        shop.push({f"{name}/a.yaml": manifest(name, CANARIES["changed"]) for name in ("held", "manual")})
        path = f"/api/v1/namespaces/{site.space}/secrets/held"
        site.until_status(site.app("manual"), lambda status: "automated sync is off" in status.message)
        site.until_status(site.app("refused"), lambda status: status.message)
        assert site.east.call("PATCH", path, {"stringData": {"plain": CANARIES["changed"][::-1]}})[0] == 200
        wanted = base64.b64encode(CANARIES["changed"].encode()).decode()
        site.until(lambda: site.live("secrets", "held")["data"]["plain"] == wanted, "healing")
        assert site.state.resources(site.app("manual"))[0].diff  # there is a diff, and it is masked
    commands = monitor.commands()
    assert sum(any(b"gitops:celery:" in item for item in command) for command in commands) > 20  # we did listen
    needles = [*CANARIES.values(), *(text[::-1] for text in CANARIES.values()), site.east.token]
    arguments = {item for command in commands for item in command}
    assert not {(needle, item[:200]) for item in arguments for needle in found(needles, item)}
    with redis.Redis.from_url(site.redis.url) as client:
        everything = dict(dump(client))
    assert len(everything) > 20
    parts = {part for parts in everything.values() for part in parts}
    assert not {(needle, part[:200]) for part in parts for needle in found(needles, part)}
    assert not [part[:200] for part in arguments | parts if USERINFO.search(part)]
    assert not found(needles, site.logs().encode())
