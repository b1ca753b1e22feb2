"""Credentials that change under a running process."""

from __future__ import annotations

import json
import sys
from urllib.parse import urlsplit

import pytest

from gitops_workers.adapters.cluster import credentials
from gitops_workers.adapters.cluster.credentials import obtain
from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.cluster.access import ClusterAccess, ExecPlugin
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.objects import ObjectKey
from tests.contract.cluster_grounds import access_of, transport_of
from tests.integration.git.http_servers import tls_server
from tests.servers.scripted_api import Reply, scripted_api, serving, status

KEY = ObjectKey("", "ConfigMap", "default", "absent")
PRINTS = "import json,sys; print(json.dumps({'kind': 'ExecCredential', 'status': json.loads(sys.argv[1])}))"


def plugin(answer: dict[str, str], code: str = PRINTS) -> ExecPlugin:
    return ExecPlugin(sys.executable, ("-c", code, json.dumps(answer)))


def test_a_rotated_token_file_needs_no_restart(planes, tmp_path):
    east, file = planes[0], tmp_path / "token"
    file.write_text("old-and-revoked")
    cluster = HttpCluster(transport_of(east, token="", token_file=str(file)))
    with pytest.raises(ClusterUnavailable, match="renew it"):
        cluster.get(KEY)
    file.write_text(f"{east.token}\n")
    assert cluster.get(KEY) is None


def test_a_refused_write_is_sent_again_only_under_a_new_credential(tmp_path):
    file = tmp_path / "token"
    file.write_text("one")
    sent = []

    def script(method: str, path: str, headers: dict[str, str]) -> Reply:
        sent.append((method, headers["Authorization"]))
        file.write_text("two")
        return Reply(201, {}) if headers["Authorization"] == "Bearer two" else Reply(401, status(401, "", ""))

    with scripted_api(serving(script)) as api, tls_server(urlsplit(api.url).port, tmp_path) as (port, ca):
        transport = Transport(ClusterAccess("east", f"https://127.0.0.1:{port}", ca=ca, token_file=str(file)))
        assert transport.request("POST", "/api/v1/namespaces", body=b"{}").status == 201
    assert sent == [("POST", "Bearer one"), ("POST", "Bearer two")]


def test_a_credential_program_gives_the_token(planes):
    east = planes[0]
    access = access_of(east, token="", exec=plugin({"token": east.token}))
    assert HttpCluster(Transport(access)).get(KEY) is None


def test_a_token_about_to_expire_is_not_kept(monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    soon = ClusterAccess("a", "https://a", exec=plugin({"token": "t", "expirationTimestamp": "2020-01-01T00:00:00Z"}))
    plain = ClusterAccess("a", "https://a", exec=plugin({"token": "t"}))
    assert obtain(soon).until == 1000.0
    assert obtain(plain).until == 1000.0 + credentials.MAX_AGE


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (plugin({}), "no ExecCredential"),
        (plugin({}, "print('canary-31')"), "no ExecCredential"),
        (plugin({}, "import sys; print('canary-31', file=sys.stderr); sys.exit(3)"), "status 3"),
        (ExecPlugin("/no/such/program"), "cannot be started"),
        (plugin({}, "import time; time.sleep(60)"), "did not end"),
    ],
)
def test_a_program_that_fails_is_an_error_and_no_anonymous_request(program, words, monkeypatch, tmp_path):
    monkeypatch.setattr(credentials, "EXEC_TIMEOUT", 1.0)
    with scripted_api(serving(lambda *_: Reply())) as api, tls_server(urlsplit(api.url).port, tmp_path) as (port, ca):
        access = ClusterAccess("east", f"https://127.0.0.1:{port}", ca=ca, exec=program)
        with pytest.raises(ClusterUnavailable, match=words) as caught:
            HttpCluster(Transport(access)).get(KEY)
        assert api.requests == []
    assert "canary-31" not in str(caught.value)


@pytest.mark.parametrize(
    "login",
    [
        {"token": "canary"},
        {"username": "admin", "password": "canary"},
        {"token_file": "/no/such/file"},
        {"exec": plugin({"token": "canary"})},
    ],
)
def test_without_tls_no_credential_is_sent_or_even_read(login):
    seen = []

    def script(_: str, __: str, headers: dict[str, str]) -> Reply:
        seen.append(headers)
        return Reply(404, status(404, "NotFound", "", name="absent"))

    with scripted_api(serving(script)) as api:
        assert HttpCluster(Transport(ClusterAccess("proxy", api.url, **login))).get(KEY) is None
    assert seen
    assert all("Authorization" not in headers for headers in seen)


def test_a_program_does_not_see_our_own_keys(monkeypatch):
    monkeypatch.setenv("GITOPS_CACHE_KEY", "ours")
    monkeypatch.setenv("AWS_PROFILE", "its")
    shows = "import os,json; e=os.environ; t=e.get('GITOPS_CACHE_KEY','none')+e['AWS_PROFILE']+e['X'];"
    shows += "print(json.dumps({'status': {'token': t}}))"
    access = ClusterAccess("a", "https://a", exec=ExecPlugin(sys.executable, ("-c", shows), (("X", "!"),)))
    assert obtain(access).headers["Authorization"] == "Bearer noneits!"


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a\nb", "ü"])
def test_a_token_cannot_add_headers(token):
    with pytest.raises(ClusterUnavailable, match="line breaks") as caught:
        obtain(ClusterAccess("a", "https://a", token=token))
    assert "Evil" not in str(caught.value)


def test_values_of_credentials_are_in_no_repr():
    access = ClusterAccess(
        "a", "https://a", token="canary", password="canary", key="canary", cert="canary", proxy="http://u:canary@p"
    )
    assert "canary" not in repr(access)
    assert "canary" not in repr(obtain(ClusterAccess("a", "https://127.0.0.1", token="canary")))
