"""T20: whatever is sent, the answer is 2xx or 4xx and the process lives."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from gitops_workers.core.documents.polls import StoredReceiver
from gitops_workers.core.source.receiver_address import hook_hash
from gitops_workers.web.receivers import TYPES, verify
from gitops_workers.web.webhooks.event import Rejected
from gitops_workers.web.webhooks.registry import receive
from tests.web_world import WRITE, bearer
from tests.webhook_requests import BUILDERS, SECRETS, signature

HOSTILE = {
    "deep objects": b'{"a":' * 100_000,
    "deep lists": b"[" * 100_000,
    "closed deep lists": b"[" * 50_000 + b"]" * 50_000,
    "not a number": b'{"repository": NaN}',
    "infinity": b'{"ref": Infinity}',
    "long number": b'{"ref": ' + b"9" * 5_000 + b"}",
    "huge exponent": b'{"ref": 1e999999999}',
    "lone surrogate": b'{"ref": "\\ud800"}',
    "no UTF-8": b'{"ref": "\xff\xfe"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "duplicate keys": b'{"repository": {"html_url": "https://a/b"}, "repository": []}',
    "null": b"null",
    "text": b'"text"',
    "list": b"[]",
    "empty": b"",
    "NUL": b"\x00",
    "wrong types": b'{"repository": {"html_url": {}, "clone_url": [], "ssh_url": 1}, "ref": [], "commits": {}}',
    "deeper wrong types": b'{"repository": {"html_url": "https://a/b"}, "commits": [1, {"added": {}}, {"added": [1]}]}',
    "push of nothing": b'{"push": {"changes": [null, {"new": 1, "old": []}]}, "repository": {"links": {"html": []}}}',
    "large and cut": b'{"commits": [' + b'"' + b"x" * 1_100_000,
    "large list": b"[" + b'"x",' * 300_000 + b"1]",
    "large not a number": b'{"repository": NaN, "padding": "' + b"x" * 1_100_000 + b'"}',
    "large lone surrogate": b'{"ref": "\\ud800", "padding": "' + b"x" * 1_100_000 + b'"}',
    "large no UTF-8": b'{"ref": "\xff", "padding": "' + b"x" * 1_100_000 + b'"}',
    "large deep lists": b"[" * 600_000 + b"]" * 600_000,
    "large wrong types": b'{"repository": [], "push": 1, "resource": {}, "padding": "' + b"x" * 1_100_000 + b'"}',
    "wide list": b'{"commits": [' + b"{}," * 200_000 + b"{}]}",
}
VALUES = [None, True, 0, -1, 1e308, "", "\x00", "a" * 5_000, "\ud7ff", [], {}, [[]], {"": {}}, "https://[/", "@:/"]


def signed(provider: str, body: bytes) -> dict[str, str]:
    """The genuine headers of that provider for any body."""
    headers, _ = BUILDERS[provider]()
    secret = SECRETS[provider]
    for name in headers:
        if name.endswith("signature-256") or name == "x-hub-signature":
            headers[name] = "sha256=" + signature(body, secret)
        elif name.endswith("-signature"):
            headers[name] = signature(body, secret)
    return headers


@pytest.mark.parametrize("provider", BUILDERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_with_a_right_signature_are_2xx_or_4xx(world, provider, name):
    client = world.client(webhook_secrets=SECRETS)
    answer = client.post("/api/webhook", content=HOSTILE[name], headers=signed(provider, HOSTILE[name]))
    assert 200 <= answer.status_code < 300 or 400 <= answer.status_code < 500
    assert world.published == []


@pytest.mark.parametrize("provider", BUILDERS)
def test_ten_thousand_mutations_are_an_event_or_a_refusal(provider):
    chance = random.Random(provider)  # the same mutations in every run
    _, original = BUILDERS[provider]()
    for _ in range(10_000):
        body = _mutated(chance, json.loads(original)) if chance.random() < 0.7 else _broken(chance, original)
        assert 200 <= _status(receive, signed(provider, body), body, SECRETS) < 500


@pytest.mark.parametrize(
    "name", ["x-github-event", "x-hub-signature-256", "x-gitlab-token", "x-hook-uuid", "content-type"]
)
@pytest.mark.parametrize("value", ["é" * 10, "ÿ\u0080", "sha256=é", "sha256=", "=", "", "sha1=" + "0" * 40])
def test_hostile_header_values_are_4xx(world, name, value):
    client = world.client(webhook_secrets=SECRETS)
    for provider in ("github", "gitlab", "bitbucket"):
        headers, body = BUILDERS[provider]()
        headers = {key: text.encode("latin-1") for key, text in (headers | {name: value}).items()}
        answer = client.post("/api/webhook", content=body, headers=headers)
        assert answer.status_code < 500


@pytest.mark.parametrize("kind", [*TYPES, "acr", ""])
@pytest.mark.parametrize("body", [HOSTILE["deep objects"], HOSTILE["no UTF-8"], b""])
def test_receivers_take_anything(kind, body):
    receiver = StoredReceiver("ns", "n", kind, ("Secret", "ns", "t"), ("push",))
    for value in ("", "é", "sha256=é", "sha512=", "x" * 10_000):
        headers = dict.fromkeys(
            ("x-signature", "x-hub-signature", "x-hub-signature-256", "x-gitlab-token", "x-github-event"), value
        )
        assert _status(verify, receiver, headers, body, b"token") in (200, 400)


@pytest.mark.parametrize("path", ["/hook/x", "/hook/" + "é" * 64, "/hook/" + "A" * 64, "/hook/%00", "/hook/..%2f"])
def test_paths_that_are_no_hash_are_4xx(world, path):
    assert 400 <= world.client().post(path).status_code < 500


@pytest.mark.parametrize("name", HOSTILE)
def test_the_api_takes_hostile_bodies(world, name):
    headers = bearer(WRITE) | {"Content-Type": "application/json"}
    answer = world.client().post("/api/v1/applications/a/sync", content=HOSTILE[name], headers=headers)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("app", ["%00", "a%0d%0ab", "..%2f..%2fetc", "é", "%ff", "a" * 5_000, "a/b", "a/b/c/d/e"])
def test_the_api_takes_hostile_names(world, app):
    assert world.client().get(f"/api/v1/applications/{app}", headers=bearer(WRITE)).status_code in (404, 400)


def test_a_document_that_somebody_else_wrote_is_no_crash(world):
    path_hash = hook_hash(b"t", "n", "ns")
    assert world.client().post(f"/hook/{path_hash}", content=b"[" * 100_000).status_code == 404


def _status(ask, *arguments) -> int:
    """200, or the status of the refusal; anything else that is raised would be a 500."""
    try:
        ask(*arguments)
    except Rejected as refusal:
        return refusal.status
    return 200


def _mutated(chance: random.Random, payload: dict[str, Any]) -> bytes:
    """The payload with one value, somewhere, replaced or removed."""
    places = []

    def walk(value, parent, key):
        if parent is not None:
            places.append((parent, key))
        for child in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            walk(value[child], value, child)

    walk(payload, None, None)
    parent, key = chance.choice(places)
    if chance.random() < 0.2:
        del parent[key]
    else:
        parent[key] = chance.choice(VALUES)
    return json.dumps(payload).encode()


def _broken(chance: random.Random, body: bytes) -> bytes:
    """The body with a few bytes changed, dropped or doubled."""
    data = bytearray(body)
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(data))
        choice = chance.randrange(3)
        if choice == 0:
            data[place] = chance.randrange(256)
        elif choice == 1:
            del data[place : place + chance.randrange(1, 20)]
        else:
            data[place:place] = data[place : place + chance.randrange(1, 20)]
        data = data or bytearray(b"{")
    return bytes(data)
