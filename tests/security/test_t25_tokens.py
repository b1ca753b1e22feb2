"""T25: only a whole, known token opens the API, and no endpoint gives a credential back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.fleet import fill
from tests.web_world import READ, WRITE, bearer

LIST = "/api/v1/applications"


def jwt(header: dict[str, Any], payload: dict[str, Any]) -> str:
    """An unsigned JWT: this API knows none, so each is only an unknown text."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)]
    return ".".join([*parts, ""])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        READ,
        f"Basic {READ}",
        f"Token {READ}",
        f"Bearer {READ[:-1]}",
        f"Bearer {READ}x",
        f"Bearer {READ.upper()}",
        f"Bearer {READ} {WRITE}",
        "Bearer é",
        "Bearer " + jwt({"alg": "none"}, {"sub": "ann", "role": "write"}),
        "Bearer " + jwt({"alg": "HS256"}, {"aud": "another", "role": "write"}),
    ],
)
def test_anything_but_a_whole_token_is_refused(world, header):
    answer = world.client().get(LIST, headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["detail"]


@pytest.mark.parametrize("place", ["query", "cookie", "header"])
def test_a_token_in_another_place_is_not_looked_at(world, place):
    options = {
        "query": {"params": {"token": WRITE, "access_token": WRITE}},
        "cookie": {"headers": {"Cookie": f"token={WRITE}"}},
        "header": {"headers": {"X-Api-Key": WRITE}},
    }[place]
    assert world.client().get("/api/v1/clusters", **options).status_code == 401


def test_the_scheme_is_written_in_any_case(world):
    assert world.client().get(LIST, headers={"Authorization": f"bearer {READ}"}).status_code == 200


def test_no_endpoint_returns_a_credential(world):
    row = fill(world.state, 3)[0]
    secrets = {"github": b"canary-webhook", "gitlab": b"canary-webhook"}
    client = world.client(webhook_secrets=secrets)
    paths = [path for path in client.get("/api/openapi.json").json()["paths"] if path != "/api/v1/events"]
    assert len(paths) > 10
    for path in [*paths, "/api/docs", "/api/openapi.json"]:
        for method in ("GET", "POST"):
            concrete = path.replace("{app}", row.id).replace("{path_hash}", "0" * 64)
            answer = client.request(method, concrete, headers=bearer(READ), json={} if method == "POST" else None)
            seen = answer.text + str(answer.headers)
            assert "canary" not in seen
            assert READ not in seen
            assert WRITE not in seen


def test_a_dump_of_the_settings_holds_no_token(world):
    assert READ not in repr(world.services())
    assert READ.encode() not in [token.digest for token in world.services().settings.tokens]
