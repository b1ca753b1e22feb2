"""T36: the console shows and does nothing, to whoever is let in."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.console import START

LOGIN = {"Authorization": "Basic " + base64.b64encode(b"ops:canary-password").decode()}
ENVIRONMENT = {"FLOWER_BASIC_AUTH": "ops:canary-password"}
WRITES = [
    "/api/worker/shutdown/w",
    "/api/worker/pool/restart/w",
    "/api/worker/pool/grow/w",
    "/api/worker/queue/add-consumer/w",
    "/api/task/apply/gitops.reconcile",
    "/api/task/async-apply/gitops.reconcile",
    "/api/task/send-task/gitops.reconcile",
    "/api/task/revoke/1",
    "/api/task/abort/1",
    "/api/task/timeout/gitops.reconcile",
    "/api/task/rate-limit/gitops.reconcile",
]
READS = ["/api/workers", "/api/tasks", "/api/task/types", "/api/queues/length", "/api/task/info/1"]
OURS = ["/applications", "/application/application/argocd/checkout-api-prod-eu-1", "/clusters"]


@pytest.fixture(scope="module")
def guarded(start, rows):
    with start(env=ENVIRONMENT) as console:
        yield console


@pytest.mark.parametrize("path", [*OURS, "/workers", "/tasks", *READS])
def test_nothing_is_read_without_the_login(guarded, path):
    assert guarded.get(path)[0] == 401


@pytest.mark.parametrize("path", WRITES)
def test_nothing_is_commanded_without_the_login(guarded, path):
    assert guarded.get(path, method="POST")[0] == 401


@pytest.mark.parametrize("path", WRITES)
def test_nothing_is_commanded_with_the_login_either(guarded, path):
    assert guarded.get(path, LOGIN, "POST")[0] == 403


@pytest.mark.parametrize("path", WRITES)
def test_without_any_login_configured_nothing_is_commanded(console, path):
    assert console.get(path, method="POST")[0] in (401, 403)


@pytest.mark.parametrize("path", OURS)
def test_our_pages_open_with_the_login_and_take_no_other_method(guarded, path):
    assert guarded.get(path, LOGIN)[0] == 200
    assert {guarded.get(path, LOGIN, method)[0] for method in ("POST", "PUT", "DELETE")} <= {403, 405}


@pytest.mark.parametrize("wrong", ["ops:wrong", "ops:", ":", "é:é"])
def test_a_wrong_login_is_refused(guarded, wrong):
    login = base64.b64encode(wrong.encode()).decode()
    assert guarded.get("/applications", {"Authorization": f"Basic {login}"})[0] == 401


@pytest.mark.parametrize("path", ["/metrics", "/healthcheck"])
def test_what_is_open_shows_no_password(guarded, path):
    status, text = guarded.get(path)
    assert status == 200
    assert "canary" not in text


@pytest.mark.parametrize("name", ["../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "/etc/passwd"])
def test_no_file_outside_the_styles_is_served(console, name):
    assert console.get(f"/gitops-static/{name}")[0] in (403, 404)


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--address=0.0.0.0"], "FLOWER_BASIC_AUTH"), (["--persistent=True"], "pickles")]
)
def test_an_unsafe_console_does_not_start(start, redis, arguments, words, tmp_path):
    environment = {
        "GITOPS_REDIS_URL": redis.url,
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path.cwd()),
    }
    argv = [sys.executable, "-c", START, "-b", redis.broker_url, "console", *arguments]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert words in done.stderr
