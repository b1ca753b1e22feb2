"""Mistakes in the environment are errors at the start, and no message shows a secret."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.settings import Settings, split_address
from gitops_workers.web.configure import web_settings
from gitops_workers.web.services import Role, Token

SECRET = "canary-0123456789abcdef"


def test_tokens_have_a_role_and_may_have_a_name_and_projects():
    tokens = web_settings(Settings(tokens=(f"read={SECRET}", f"write:ci@shop+web={SECRET}=="))).tokens
    assert tokens == (
        Token.of("read-1", Role.READ, SECRET),
        Token.of("ci", Role.WRITE, SECRET + "==", ["shop", "web"]),
    )


def test_webhook_secrets_are_kept_per_provider():
    settings = web_settings(Settings(webhook_secrets=("github=a=b", "bitbucket-server=c")))
    assert settings.webhook_secrets == {"github": b"a=b", "bitbucket-server": b"c"}


@pytest.mark.parametrize(
    "settings",
    [
        Settings(tokens=(SECRET,)),
        Settings(tokens=(f"admin={SECRET}",)),
        Settings(tokens=("read=canary",)),
        Settings(tokens=("read=",)),
        Settings(webhook_secrets=(f"svn={SECRET}",)),
        Settings(webhook_secrets=(SECRET,)),
        Settings(webhook_secrets=("github=",)),
    ],
)
def test_a_mistake_is_named_without_the_secret(settings):
    with pytest.raises(InvalidManifest, match=r"GITOPS_.*entry 1") as problem:
        web_settings(settings)
    assert "canary" not in str(problem.value)


def test_nothing_configured_is_everything_off():
    settings = web_settings(Settings())
    assert (settings.tokens, settings.webhook_secrets, settings.open_to_loopback) == ((), {}, False)


def test_no_representation_shows_a_secret():
    settings = web_settings(Settings(tokens=(f"read={SECRET}",), webhook_secrets=(f"github={SECRET}",)))
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:80", ("::1", 80)), ("0.0.0.0:0", ("0.0.0.0", 0))],
)
def test_an_address_is_host_and_port(text, address):
    assert split_address(text) == address


@pytest.mark.parametrize("text", ["", "8080", ":8080", "host:", "host:x", "host:70000"])
def test_no_address_says_how_one_is_written(text):
    with pytest.raises(InvalidManifest, match="host:port"):
        split_address(text)
