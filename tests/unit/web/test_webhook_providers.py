"""Each provider's push event is understood, and nothing but a genuine one is."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from gitops_workers.core.source.urls import normalise_url
from gitops_workers.web.webhooks.event import Ignored, PushEvent, Rejected
from gitops_workers.web.webhooks.registry import NAMES, receive
from tests.webhook_requests import BUILDERS, REPOSITORIES, SECRET, SECRETS, bitbucket, github, gitlab, signature


def test_there_is_a_request_for_every_provider():
    assert set(BUILDERS) == set(NAMES)


@pytest.mark.parametrize("provider", BUILDERS)
def test_a_push_names_its_repository_and_ref(provider):
    received = receive(*BUILDERS[provider](), SECRETS)
    assert received.provider == provider
    assert isinstance(received.event, PushEvent)
    assert REPOSITORIES[provider] in {normalise_url(url) for url in received.event.urls}
    assert {ref.removeprefix("refs/heads/") for ref in received.event.refs} >= {"main"}


@pytest.mark.parametrize("provider", BUILDERS)
def test_another_secret_is_refused(provider):
    with pytest.raises(Rejected) as refusal:
        receive(*BUILDERS[provider](secret=b"user:another secret"), SECRETS)
    assert (refusal.value.status, refusal.value.code) == (400, "unauthorized")
    assert "secret" in str(refusal.value) or "password" in str(refusal.value)
    assert SECRET.decode() not in str(refusal.value)


@pytest.mark.parametrize("provider", BUILDERS)
def test_a_provider_without_a_secret_is_off_and_says_how_to_switch_it_on(provider):
    with pytest.raises(Rejected, match=f"webhooks of {provider} are off: set a secret") as refusal:
        receive(*BUILDERS[provider](), {})
    assert refusal.value.status == 404


@pytest.mark.parametrize("provider", ["github", "bitbucket-server", "gogs", "gitea", "forgejo"])
def test_a_changed_body_is_refused_where_the_body_is_signed(provider):
    headers, body = BUILDERS[provider]()
    with pytest.raises(Rejected) as refusal:
        receive(headers, body.replace(b"main", b"evil"), SECRETS)
    assert (refusal.value.status, refusal.value.code) == (400, "unauthorized")


@pytest.mark.parametrize(
    ("provider", "event"),
    [
        ("github", "pull_request"),
        ("gitlab", "Issue Hook"),
        ("gitlab", "Merge Request Hook"),
        ("bitbucket", "repo:fork"),
        ("bitbucket-server", "pr:opened"),
        ("gitea", "issues"),
        ("gogs", "create"),
        ("azure-devops", "workitem.created"),
    ],
)
def test_a_genuine_event_that_nobody_listed_is_refused(provider, event):
    with pytest.raises(Rejected, match="causes no work; have it send only") as refusal:
        receive(*BUILDERS[provider](event=event), SECRETS)
    assert refusal.value.status == 400


def test_a_ping_that_proves_itself_is_taken_and_causes_nothing():
    assert isinstance(receive(*github(event="ping"), SECRETS).event, Ignored)


def test_the_ping_of_bitbucket_server_is_not_signed_and_is_taken_as_in_argo_cd():
    headers, body = BUILDERS["bitbucket-server"](event="diagnostics:ping")
    del headers["x-hub-signature"]
    assert isinstance(receive(headers, body, SECRETS).event, Ignored)


def test_a_deleted_branch_of_bitbucket_has_moved():
    event = receive(*bitbucket(), SECRETS).event
    assert isinstance(event, PushEvent)
    assert event.refs == ("main", "gone")


def test_github_may_send_its_payload_in_a_form():
    _, body = github()
    form = urlencode({"payload": body.decode()}).encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-github-event": "push",
        "x-hub-signature-256": "sha256=" + signature(form),
    }
    assert isinstance(receive(headers, form, SECRETS).event, PushEvent)


def test_a_gitlab_system_hook_says_in_its_body_what_it_is():
    assert isinstance(receive(*gitlab(event="System Hook"), SECRETS).event, PushEvent)
    assert isinstance(receive(*gitlab(event="System Hook", event_name="merge_request"), SECRETS).event, Ignored)
    with pytest.raises(Rejected, match="project_create"):
        receive(*gitlab(event="System Hook", event_name="project_create"), SECRETS)


def test_a_server_that_imitates_others_is_read_as_the_first_that_has_a_secret():
    assert receive(*BUILDERS["forgejo"](), {"gogs": SECRET}).provider == "gogs"
    assert receive(*BUILDERS["forgejo"](), {"gogs": SECRET, "gitea": SECRET}).provider == "gitea"


def test_bitbucket_cloud_is_held_to_its_signature_when_it_sends_one():
    headers, body = bitbucket()
    with pytest.raises(Rejected):
        receive({**headers, "x-hub-signature": "sha256=" + "0" * 64}, body, SECRETS)
    assert receive({**headers, "x-hub-signature": "sha256=" + signature(body)}, body, SECRETS).provider == "bitbucket"


def test_a_request_of_nobody_known_is_told_who_is_known():
    with pytest.raises(Rejected, match="github, gitlab"):
        receive({"content-type": "application/json"}, b"{}", SECRETS)


@pytest.mark.parametrize("provider", BUILDERS)
def test_a_large_event_says_what_a_small_one_says(provider):
    """Above a size only a part of the body is made into objects: the part that every provider is asked for."""
    small = receive(*BUILDERS[provider](), SECRETS)
    large = receive(*BUILDERS[provider](commits=[{"message": "x" * 1000}] * 1500), SECRETS)
    assert large == small
