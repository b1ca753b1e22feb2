"""Flux Receivers: the path is the address, the proof is the type's, the effect is what the Receiver lists."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.documents.kinds import RECEIVER
from gitops_workers.core.documents.polls import StoredReceiver
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.source.receiver_address import hook_hash
from gitops_workers.pipeline.catalogue.external_inputs import address
from tests.webhook_requests import gitlab, hook_path, signature

TOKEN = b"a receiver's token"
JSON = {"Content-Type": "application/json"}


def receiver(kind: str, **changes: Any) -> StoredReceiver:
    values: dict[str, Any] = {"events": (), "groups": ("repository/one",), **changes}
    return StoredReceiver("flux-system", "hook", kind, ("Secret", "flux-system", "token"), **values)


@pytest.fixture
def path(world):
    world.secrets.values["flux-system", "token"] = {"token": TOKEN}
    world.queue.enroll_poll("repository/one", "//git.example.com", 500.0)
    return hook_path(TOKEN, "hook", "flux-system")


def save(world, value: StoredReceiver) -> None:
    world.state.save(RECEIVER, hook_hash(TOKEN, value.name, value.namespace), value)


def proof(kind: str, body: bytes) -> dict[str, str]:
    return {
        "generic": {},
        "generic-hmac": {"X-Signature": "sha512=" + signature(body, TOKEN, "sha512")},
        "github": {"X-Hub-Signature-256": "sha256=" + signature(body, TOKEN), "X-GitHub-Event": "push", **JSON},
        "gitlab": {"X-Gitlab-Token": TOKEN.decode(), "X-Gitlab-Event": "Push Hook"},
        "bitbucket": {
            "X-Hub-Signature": "sha256=" + signature(body, TOKEN),
            "X-Event-Key": "repo:refs_changed",
            **JSON,
        },
    }[kind]


KINDS = ["generic", "generic-hmac", "github", "gitlab", "bitbucket"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_notification_rings_for_what_the_receiver_lists(world, path, kind):
    save(world, receiver(kind))
    answer = world.client().post(path, content=b"anything", headers=proof(kind, b"anything"))
    assert (answer.status_code, answer.json()) == (200, {"accepted": True, "polls": 1})
    assert [bell.id for bell in world.published] == ["repository/one"]


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_wrong_proof_is_refused(world, path, kind):
    save(world, receiver(kind))
    right = proof(kind, b"x")
    forged = next(name for name in right if "Sig" in name or "Token" in name)
    wrong = {**right, forged: right[forged][:-1] + ("0" if right[forged][-1] != "0" else "1")}
    answer = world.client().post(path, content=b"x", headers=wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "unauthorized")
    assert world.client().post(path, content=b"x").status_code == 400
    assert world.published == []


def test_an_event_that_is_not_listed_is_refused_and_does_nothing(world, path):
    save(world, receiver("github", events=("release",)))
    answer = world.client().post(path, content=b"{}", headers=proof("github", b"{}"))
    assert answer.status_code == 400
    assert "'push'" in answer.json()["detail"]
    assert world.published == []


@pytest.mark.parametrize("kind", ["github", "bitbucket", "generic-hmac"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_signature_in_any_algorithm_of_flux_is_taken(world, path, kind, algorithm):
    save(world, receiver(kind))
    header = "X-Signature" if kind == "generic-hmac" else "X-Hub-Signature"
    headers = {header: f"{algorithm}=" + signature(b"x", TOKEN, algorithm), **JSON}
    assert world.client().post(path, content=b"x", headers=headers).status_code == 200


def test_the_newer_signature_goes_before_the_older_one(world, path):
    save(world, receiver("github"))
    headers = {
        "X-Hub-Signature-256": "sha256=" + "0" * 64,
        "X-Hub-Signature": "sha1=" + signature(b"x", TOKEN, "sha1"),
        **JSON,
    }
    assert world.client().post(path, content=b"x", headers=headers).status_code == 400


def test_a_content_type_that_github_never_sends_is_refused(world, path):
    save(world, receiver("github"))
    headers = {**proof("github", b"x"), "Content-Type": "text/plain"}
    assert world.client().post(path, content=b"x", headers=headers).status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_any_method_will_do_as_in_flux(world, path, method):
    save(world, receiver("generic"))
    assert world.client().request(method, path).status_code == 200
    assert [bell.id for bell in world.published] == ["repository/one"]


def test_a_path_with_a_query_is_another_path(world, path):
    save(world, receiver("generic"))
    assert world.client().post(path + "?a=b").status_code == 404


def test_events_are_compared_without_case(world, path):
    save(world, receiver("gitlab", events=("push hook",)))
    headers, body = gitlab(secret=TOKEN)
    assert world.client().post(path, content=body, headers=headers).json()["accepted"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_suspended_receiver_is_unavailable_and_does_nothing(world, path, kind):
    save(world, receiver(kind, suspended=True))
    assert world.client().post(path, content=b"", headers=proof(kind, b"")).status_code == 503
    assert world.published == []


def test_a_changed_token_closes_the_old_path_at_once(world, path):
    save(world, receiver("generic"))
    world.secrets.values["flux-system", "token"] = {"token": b"a new token"}
    assert world.client().post(path).status_code == 404


@pytest.mark.parametrize("missing", ["receiver", "secret", "token"])
def test_everything_that_is_not_there_answers_alike(world, path, missing):
    if missing != "receiver":
        save(world, receiver("generic"))
    if missing == "secret":
        world.secrets.values.clear()
    if missing == "token":
        world.secrets.values["flux-system", "token"] = {"password": TOKEN}
    answer = world.client().post(path)
    assert (answer.status_code, answer.json()["detail"].partition(";")[0]) == (404, "there is no Receiver at this path")


def test_a_type_that_is_not_served_says_which_are(world, path):
    save(world, receiver("dockerhub"))
    answer = world.client().post(path)
    assert answer.status_code == 400
    assert "generic-hmac" in answer.json()["detail"]


def test_the_document_holds_no_token_and_reads_back_as_it_was():
    value = receiver("github", events=("push",))
    document = RECEIVER.dumps(value)
    assert TOKEN.decode() not in str(document)
    assert RECEIVER.loads(document) == value


@pytest.mark.parametrize("token", [b"\xff\xfe\x00raw", "schl\u00fcssel".encode(), b"\x80" * 32])
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_may_be_any_bytes_and_its_address_is_the_one_the_catalogue_saves(world, kind, token):
    """The bytes are hashed and compared as they are, by Flux and by whoever saves the address."""
    secret = SecretRef("Secret", "flux-system", "token")
    world.secrets.values["flux-system", "token"] = {"token": token}
    world.queue.enroll_poll("repository/one", "", 500.0)
    saved = address(world, secret, "hook", "flux-system")
    world.state.save(RECEIVER, saved.removeprefix("/hook/"), receiver(kind))
    headers = {**proof(kind, b"x"), "X-Signature": "sha512=" + signature(b"x", token, "sha512")}
    headers |= JSON
    headers["X-Hub-Signature-256"] = "sha256=" + signature(b"x", token)
    headers["X-Hub-Signature"] = "sha256=" + signature(b"x", token)
    raw = [(name.encode(), value.encode()) for name, value in headers.items() if name != "X-Gitlab-Token"]

    answer = world.client().post(
        hook_path(token, "hook", "flux-system"), content=b"x", headers=[*raw, (b"X-Gitlab-Token", token)]
    )

    assert answer.status_code == 200
    assert [bell.id for bell in world.published] == ["repository/one"]
