"""T21: without the right secret nothing happens, and a replay is worth one poll."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.documents import raw
from tests.webhook_requests import BUILDERS, REPOSITORIES, SECRETS, github, signature

PATH = "/api/webhook"


@pytest.fixture
def armed(world):
    for repository in set(REPOSITORIES.values()):
        world.state.save(raw("repository"), repository, ["repository/one"])
    world.queue.enroll_poll("repository/one", "//git.example.com", 500.0)
    return world


@pytest.mark.parametrize("provider", BUILDERS)
def test_no_secret_configured_means_off_even_for_an_empty_key(armed, provider):
    headers, body = BUILDERS[provider](secret=b"")
    for secrets in ({}, {provider: b""}):
        assert armed.client(webhook_secrets=secrets).post(PATH, content=body, headers=headers).status_code == 404
    assert armed.published == []


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha1="},
        {"x-hub-signature-256": "md5=" + "0" * 32},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature-256": signature(github()[1])},
        {"x-hub-signature": "sha1=" + hmac.new(SECRETS["github"], github()[1], hashlib.sha1).hexdigest()},
        {"x-hub-signature-256": "sha256=" + signature(github()[1], b"the secret of another application")},
    ],
)
def test_a_forged_signature_is_refused(armed, forged):
    headers, body = github()
    del headers["x-hub-signature-256"]
    answer = armed.client(webhook_secrets=SECRETS).post(PATH, content=body, headers=headers | forged)
    assert (answer.status_code, answer.json()["code"]) == (400, "unauthorized")
    assert armed.published == []


def test_a_signature_of_one_provider_does_not_open_another(armed):
    secrets = {**SECRETS, "gitlab": b"the secret of gitlab"}
    headers, body = github(secret=b"the secret of gitlab")
    assert armed.client(webhook_secrets=secrets).post(PATH, content=body, headers=headers).status_code == 400


def test_a_thousand_replays_are_one_poll(armed):
    client = armed.client(webhook_secrets=SECRETS)
    headers, body = github()
    for _ in range(1_000):
        assert client.post(PATH, content=body, headers=headers).status_code == 200
    assert [bell.id for bell in armed.published] == ["repository/one"]


@pytest.mark.parametrize("provider", BUILDERS)
def test_the_refusal_shows_nothing_of_the_secret(armed, provider):
    secrets = dict.fromkeys(BUILDERS, b"canary:canary")
    headers, body = BUILDERS[provider](secret=b"user:wrong")
    assert "canary" not in armed.client(webhook_secrets=secrets).post(PATH, content=body, headers=headers).text
