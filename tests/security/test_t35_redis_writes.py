"""T35: whoever can write Redis cannot thereby write to a cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

import pytest
import redis

from gitops_workers.cipher import Cipher
from gitops_workers.redis_keys import APPLICATIONS
from tests.integration.engine.installation import Installation, Repository, config_map, installation
from tests.security.test_t34_pickle import message


@pytest.fixture(scope="module")
def site(planes, tmp_path_factory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("engine"), planes) as running:
        yield running


@pytest.fixture(scope="module")
def repository(site) -> Repository:
    """Two applications, in sync."""
    repository = site.repository("shop.git")
    repository.push({"ours/a.yaml": config_map("ours"), "theirs/a.yaml": config_map("theirs")})
    site.declare("apps.yaml", *(site.argo(name, repository.url, name) for name in ("ours", "theirs")))
    for name in ("ours", "theirs"):
        site.until_synced(site.app(name))
    return repository


def test_a_task_for_something_unknown_is_dropped(site, repository):
    unknown = ["application/argocd/evil", "kustomization/../../etc", "", "x" * 10_000]
    with redis.Redis.from_url(site.redis.url) as client:
        for name in unknown:
            for task in ("gitops.reconcile", "gitops.poll"):
                body = json.dumps([[name, 7], {}, {}]).encode()
                client.lpush("gitops:celery:control", message(body, "application/json", task))
        client.lpush("gitops:celery:control", message(b"[[],{},{}]", "application/json", "os.system"))
        site.until(lambda: not client.llen("gitops:celery:control"), "the messages are taken")
        number = str(time.time_ns())
        repository.push({"ours/a.yaml": config_map("ours", number)})
        site.until(lambda: site.value("ours") == number, "the next commit")
        assert not [key for key in client.scan_iter() if b"evil" in key or b"etc" in key]
    assert all(site.state.status(name) is None for name in unknown)
    assert sorted(site.state.applications()) == sorted(site.app(name) for name in ("ours", "theirs"))
    for child in site.engine.children.values():
        child.check()


def test_an_edited_application_is_ignored_and_read_from_its_manifest_again(site, repository):
    ours, theirs = site.app("ours"), site.app("theirs")
    with redis.Redis.from_url(site.redis.url) as client:
        genuine = client.hget(APPLICATIONS, theirs)
        assert genuine is not None
        document = json.loads(as_json(site, ours))
        document["destination"]["namespace"] = "kube-system"
        forged = Cipher(b"").close(f"application {ours}", json.dumps(document).encode())
        for value in (forged, genuine, json.dumps(document).encode(), b""):
            client.hset(APPLICATIONS, ours, value)
            assert site.state.application(ours) is None
            # A doorbell straight to a worker, so that somebody tries to use it.
            body = json.dumps([[ours, 1], {}, {}]).encode()
            site.ask(ours)
            client.lpush("gitops:celery:fleet.default", message(body, "application/json", "gitops.reconcile"))
            site.until(lambda: site.state.application(ours) is not None, "the manifest is read again")
    number = str(time.time_ns())
    repository.push({"ours/a.yaml": config_map("ours", number)})
    site.until(lambda: site.value("ours") == number, "the next commit")
    assert site.live("configmaps", "ours", space="kube-system") is None


def test_an_edited_render_is_not_used(site, repository):
    """The entries change places while no process remembers them; then everybody renders anew."""
    with redis.Redis.from_url(site.redis.url) as client:
        site.stop()
        keys = sorted(client.scan_iter(match="gitops:cache:*", count=1000))
        values = [client.get(key) or b"" for key in keys]
        assert len(keys) >= 3
        forged = dict(zip(keys, [*values[1:], values[0]], strict=True))
        for key, value in forged.items():
            client.set(key, value)
        for name in ("ours", "theirs"):
            path = f"/api/v1/namespaces/{site.space}/configmaps/{name}"
            assert site.east.call("PATCH", path, {"data": {"v": "by hand"}})[0] == 200
        site.start()
        for name in ("ours", "theirs"):
            site.ask(site.app(name))
        site.until(lambda: "by hand" not in (site.value("ours"), site.value("theirs")), "healing")
        assert site.value("theirs") == "1"
        assert [key for key, value in forged.items() if client.get(key) not in (None, value)]
    number = str(time.time_ns())
    repository.push({"ours/a.yaml": config_map("ours", number)})
    site.until(lambda: site.value("ours") == number, "the next commit")


def as_json(site: Installation, app: str) -> bytes:
    """An application as JSON, as its reader would see it."""
    found = site.until(lambda: site.state.application(app), "the application")
    return json.dumps(asdict(found)).encode()
