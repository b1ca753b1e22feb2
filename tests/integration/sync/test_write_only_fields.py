"""Fields that a server takes and stores under another name: what Git drops from them goes from the cluster, too."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.diff import desired
from gitops_workers.core.model import Dialect, IgnoreRule
from gitops_workers.core.objects import GroupKind, Manifest
from tests.integration.sync.test_mishaps import tell
from tests.integration.sync.yard import DEPLOYMENT, Yard, deployment

SECRET = GroupKind("", "Secret")


def secret(data: Any = None, **texts: Any) -> Manifest:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": texts}
    return body if data is None else {**body, "data": {name: encoded(text) for name, text in data.items()}}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def live(yard: Yard) -> dict[str, str]:
    data = yard.there(SECRET, "login").get("data") or {}
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


@pytest.mark.parametrize("dialect", Dialect)
def test_a_key_that_git_drops_from_string_data_goes(yard: Yard, dialect: Dialect) -> None:
    yard.adopt(dialect)
    yard.commit(secret(a="1", b="2"))
    yard.until_synced()
    assert live(yard) == {"a": "1", "b": "2"}
    yard.commit(secret(a="1"))
    yard.until_synced()
    assert live(yard) == {"a": "1"}
    yard.commit(secret({"c": "3"}))
    yard.until_synced()
    assert live(yard) == {"c": "3"}


def test_a_key_goes_that_an_earlier_release_sent_as_string_data(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.adopt()
    with monkeypatch.context() as earlier:
        earlier.setattr(desired, "stored", lambda _, manifest: manifest)
        yard.commit(secret(a="1", b="2"))
        yard.until_synced()
    yard.commit(secret(a="1"))
    yard.until_synced()
    assert live(yard) == {"a": "1"}


def test_string_data_goes_before_data_as_the_server_has_it(yard: Yard) -> None:
    yard.adopt()
    yard.commit(secret({"a": "data", "b": "data"}, a="text"))
    yard.until_synced()
    assert live(yard) == {"a": "text", "b": "data"}


def test_a_rotated_value_is_left_alone_where_git_has_string_data(yard: Yard) -> None:
    app = yard.adopt(respect_ignored=True)
    rule = IgnoreRule("", "Secret", pointers=("/data/token",))
    yard.applications[app] = replace(yard.applications[app], ignore=(rule,))
    yard.enroll()
    yard.commit(secret(token="first", user="ann"))
    yard.until_synced()
    path = f"/api/v1/namespaces/{yard.space}/secrets/login"
    assert yard.plane.call("PATCH", path, {"data": {"token": encoded("rotated")}})[0] == 200
    yard.commit(secret(token="first", user="bob"))
    yard.until_synced()
    assert live(yard) == {"token": "rotated", "user": "bob"}


def test_a_service_account_that_git_no_longer_names_is_no_longer_used(yard: Yard) -> None:
    yard.adopt()
    named = deployment("web")
    named["spec"]["template"]["spec"]["serviceAccountName"] = "special"
    yard.commit(named)
    yard.until_synced()
    assert yard.there(DEPLOYMENT, "web")["spec"]["template"]["spec"]["serviceAccountName"] == "special"
    yard.commit(deployment("web"))
    yard.until_synced()
    pod = yard.there(DEPLOYMENT, "web")["spec"]["template"]["spec"]
    assert not pod.get("serviceAccountName")
    assert not pod.get("serviceAccount")


@pytest.mark.parametrize("texts", [{}, {"k": "v"}], ids=["alone", "under a text"])
def test_a_value_that_is_no_base64_is_refused(yard: Yard, texts: dict[str, str]) -> None:
    """The server decodes `data` before `stringData` wins, so a text does not hide it."""
    wrong = {**secret(**texts), "data": {"k": "no base64"}}
    assert yard.plane.call("POST", f"/api/v1/namespaces/{yard.space}/secrets", wrong)[0] == 400
    yard.adopt()
    yard.commit(wrong)
    message = tell(yard, f"Secret {yard.space}/login in cluster east")
    assert "no base64" not in message
    assert yard.get(SECRET, "login") is None
