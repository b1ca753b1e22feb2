"""T17, the whole run: a canary in every credential slot, everything fails, and it is found nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis

from gitops_workers.settings import environment_of
from tests.integration.engine.installation import (
    Installation,
    answers,
    config_map,
    installation,
    publish,
    secret,
    write_contexts,
)
from tests.security.leaks import command_lines, dump, found
from tests.servers.console import run_console
from tests.servers.engine import free_port

SLOTS = (
    *("password", "bearer", "key", "client-key", "template", "userinfo", "flux-password", "flux-bearer", "flux-key"),
    *("cluster-token", "cluster-secret", "api-token", "webhook", "unreadable"),
)
CANARIES = {slot: f"kanarie-{slot}-c41d" for slot in SLOTS}
FAILURES = 30


def pem(canary: str) -> str:
    """What looks like a private key."""
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{canary}\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def site(planes, tmp_path_factory) -> Iterator[Installation]:
    settings: dict[str, Any] = {
        "tokens": (f"read={CANARIES['api-token']}",),
        "webhook_secrets": (f"github={CANARIES['webhook']}",),
        "loopback": False,
        "credential": ("robot", "the-right-password"),
    }
    with installation(tmp_path_factory.mktemp("engine"), planes, **settings) as running:
        running.until(lambda: answers(running), "the web process")
        yield running


def argocd_secrets(site: Installation) -> list[dict[str, object]]:
    """Repository and cluster Secrets, none of which works."""
    git, labels = site.git.base_url, {"argocd.argoproj.io/secret-type": "repository"}
    template = {"argocd.argoproj.io/secret-type": "repo-creds"}
    cluster = {"argocd.argoproj.io/secret-type": "cluster"}
    bearer = json.dumps({"bearerToken": CANARIES["cluster-secret"], "tlsClientConfig": {"caData": "bm9uZQ=="}})
    return [
        secret("a", "argocd", labels, type="git", url=f"{git}/a.git", username="robot", password=CANARIES["password"]),
        secret("b", "argocd", labels, type="git", url=f"{git}/b.git", bearerToken=CANARIES["bearer"]),
        secret(
            "c", "argocd", labels, type="git", url="ssh://git@127.0.0.1:1/c.git", sshPrivateKey=pem(CANARIES["key"])
        ),
        secret(
            "d",
            "argocd",
            labels,
            type="git",
            url="https://127.0.0.1:1/d.git",
            tlsClientCertData="none",
            tlsClientCertKey=pem(CANARIES["client-key"]),
        ),
        secret("e", "argocd", template, type="git", url=f"{git}/e", username="robot", password=CANARIES["template"]),
        secret("f", "argocd", cluster, name="secret-cluster", server="https://127.0.0.1:1", config=bearer),
    ]


def flux(site: Installation, name: str, url: str) -> list[dict[str, object]]:
    """A GitRepository with a Secret of its name, and a Kustomization."""
    metadata = {"name": site.name(name), "namespace": "flux-system"}
    reference = {"kind": "GitRepository", "name": metadata["name"]}
    source = {"url": url, "interval": "2s", "ref": {"branch": "main"}, "secretRef": {"name": name}}
    spec = {"interval": "2s", "retryInterval": "2s", "prune": True, "path": ".", "sourceRef": reference}
    return [
        {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata, "spec": source},
        {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": metadata, "spec": spec},
    ]


def test_failing_runs_show_no_credential_anywhere(site):
    git = site.git.base_url
    for name in ("a", "b", "u"):
        site.repository(f"{name}.git").push({"a.yaml": config_map(name)})
    east = site.east
    contexts = {"east": (east, east.token), "denied": (east, CANARIES["cluster-token"])}
    write_contexts(site.folder / "kubeconfig", contexts)
    fluxes = {"flux-password": f"{git}/a.git", "flux-bearer": f"{git}/b.git", "flux-key": "ssh://git@127.0.0.1:1/c.git"}
    publish(
        site.folder / "secrets" / "all.yaml",
        *argocd_secrets(site),
        secret("flux-password", "flux-system", username="robot", password=CANARIES["flux-password"]),
        secret("flux-bearer", "flux-system", bearerToken=CANARIES["flux-bearer"]),
        secret("flux-key", "flux-system", identity=pem(CANARIES["flux-key"]), known_hosts="127.0.0.1 ssh-ed25519 AAAA"),
    )
    publish(site.folder / "secrets" / "broken.yaml", f"kind: Secret\ndata: [{CANARIES['unreadable']}\n")
    urls = {
        "a": f"{git}/a.git",
        "b": f"{git}/b.git",
        "c": "ssh://git@127.0.0.1:1/c.git",
        "d": "https://127.0.0.1:1/d.git",
        "e": f"{git}/e/e.git",
        "u": f"{git}/u.git".replace("http://", f"http://robot:{CANARIES['userinfo']}@"),
    }
    apps = [site.argo(name, url, ".") for name, url in urls.items()]
    apps.append(site.argo("denied", f"{git}/a.git", ".", destination={"name": "denied"}))
    apps.append(site.argo("walled", f"{git}/a.git", ".", destination={"name": "secret-cluster"}))
    site.declare("apps.yaml", *apps, *(item for name, url in fluxes.items() for item in flux(site, name, url)))
    ids = [
        *(site.app(name) for name in ("a", "b", "c", "d", "e")),
        *(site.app(name, "kustomization") for name in fluxes),
    ]
    seen_lines = []

    def failed_often() -> bool:
        seen_lines.extend(found(CANARIES.values(), b"\n".join(line for _, line in command_lines())))
        for app in site.state.applications():
            site.ask(app)
        return site.logs().count('"attempt_failed"') + site.logs().count('"poll_failed"') >= FAILURES

    ids.append(site.app("u"))
    for app in ids:
        assert site.until_status(app, lambda status: status.message).message
    site.until(failed_often, f"{FAILURES} failures", 90)
    assert not seen_lines

    environment = environment_of(site.engine.settings)
    header = {"Authorization": f"Bearer {CANARIES['api-token']}"}
    pages = [httpx.get(f"{site.engine.web}{path}", timeout=10).text for path in ("/metrics", "/readyz", "/api/docs")]
    base = f"{site.engine.web}/api/v1"
    listing = httpx.get(f"{base}/applications?limit=100", headers=header, timeout=10)
    assert listing.status_code == 200
    assert site.name("a") in listing.text
    pages.append(listing.text)
    for app in site.state.applications():
        parts = ("", "/diff", "/resources", "/history")
        pages += [httpx.get(f"{base}/applications/{app}{part}", headers=header, timeout=10).text for part in parts]
    pages += [httpx.get(f"{base}/clusters", headers=header, timeout=10).text]
    with run_console(site.redis, site.folder / "console.log", free_port(), env=environment) as console:
        for path in ("/applications", "/clusters", "/workers", "/tasks", "/broker"):
            code, text = console.get(path)
            assert code < 500
            pages.append(text)
        assert any(site.name("a") in page for page in pages[-5:])
    pages += [site.logs(), (site.folder / "console.log").read_text(errors="replace")]
    for page in pages:
        assert not found(CANARIES.values(), page.encode()), page[:300]
    with redis.Redis.from_url(site.redis.url) as client:
        everything = dict(dump(client))
    assert len(everything) > 20
    told = [(key, part) for key, parts in everything.items() for part in parts]
    assert not {(slot, key) for key, part in told for slot in found(CANARIES.values(), part)}
