"""No credential and no control character survives `scrub`."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.source.credentials import Credential
from gitops_workers.core.text.redact import scrub

CANARY = "kanarie-7f3a91c2"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\nkanarie7f3a91c2\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        f"https://bot:{CANARY}@git.test/x.git",
        f"https://{CANARY}@git.test/x.git",
        f"https://{CANARY}:x-oauth-basic@git.test/x.git",
        f"fatal: unable to access 'https://bot:{CANARY}@git.test/x/': 403",
        f"ssh://bot:{CANARY}@git.test:22/x",
        f"https://bot:pa/ss{CANARY}@git.test/x",
        f"https://bot:p@ss{CANARY}@git.test/x",
        f"Authorization: Basic {CANARY}",
        f"authorization: Bearer {CANARY}",
        f"Authorization: {CANARY}",
        f"https://git.test/x?private_token={CANARY}&y=1",
        f"https://s3.test/x?X-Amz-Signature={CANARY}",
        KEY.replace("kanarie7f3a91c2", CANARY),
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}",
    ],
)
def test_credentials_that_look_like_credentials_go_unasked(text: str) -> None:
    assert CANARY not in scrub(text)
    assert "***" in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "fatal: unable to access 'https://git.test:8443/team/app.git/': Connection refused",
        "https://git.test/app@v1.2.0",
        "https://git.test:443/app//overlays/prod?ref=main",
        "git@git.test:team/app.git",
        "ssh://git.test/x",
        "a token is needed; write token: in the Secret",
        "line one\n\tline two",
    ],
)
def test_ordinary_messages_stay_as_they_are(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "form",
    [
        CANARY + "/+ &?",
        quote(CANARY + "/+ &?", safe=""),
        quote(CANARY + "/+ &?"),
        base64.b64encode((CANARY + "/+ &?").encode()).decode(),
    ],
)
def test_a_known_secret_goes_in_every_spelling(form: str) -> None:
    assert scrub(f"before {form} after", [CANARY + "/+ &?"]) == "before *** after"


def test_a_secret_of_several_lines_goes_line_by_line() -> None:
    assert "kanarie7f3a91c2" not in scrub("load_key: kanarie7f3a91c2: error", [KEY])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.test\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("a\x00b\x08c\x7fd\x9be", "abcde"),
        ("user\u202egpj.exe", "usergpj.exe"),
        ("\u2066x\u2069\u200b\ufeff", "x"),
        ("progress\rdone\r\n", "progressdone\n"),
    ],
)
def test_control_characters_are_taken_out(text: str, clean: str) -> None:
    assert scrub(text) == clean


def test_a_secret_cut_by_control_characters_goes_too() -> None:
    assert scrub("kana\x00rie-7f3a\x1b[1m91c2", [CANARY]) == "***"


@given(st.text(), st.text(), st.sampled_from(["", "\x00", "\n", " ", "@", "://", "'"]))
def test_a_canary_never_survives(before: str, after: str, between: str) -> None:
    assert CANARY not in scrub(before + between + CANARY + between + after, [CANARY, ""])


@given(st.text(alphabet="ab:/@?&=\x1b[]m \n\u202e"))
def test_scrubbing_twice_changes_nothing(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


def test_a_credential_does_not_show_itself() -> None:
    credential = Credential(
        username="bot",
        password=CANARY,
        bearer_token=CANARY,
        ssh_private_key=CANARY,
        known_hosts=CANARY,
        ca=CANARY,
        client_certificate=CANARY,
        client_key=CANARY,
    )
    assert CANARY not in repr(credential)
    assert CANARY not in f"{credential}"
    assert CANARY in credential.secrets


def test_a_bearer_token_wins_and_a_lone_user_name_is_sent() -> None:
    assert Credential("u", "p", "t").authorization == "Bearer t"
    assert Credential("u", "p").authorization == "Basic dTpw"
    assert Credential("token-as-user").authorization == "Basic dG9rZW4tYXMtdXNlcjo="
    assert Credential().authorization == ""


def test_a_long_user_name_counts_as_a_token() -> None:
    assert "ghp_0123456789abcdef" in Credential("ghp_0123456789abcdef", "x").secrets
    assert "git" not in Credential("git", "secret").secrets


def test_an_ssh_login_is_no_secret_and_a_password_or_a_token_is() -> None:
    assert (
        scrub("write ssh://git@HOST/PATH or ssh://USER@HOST/PATH")
        == "write ssh://git@HOST/PATH or ssh://USER@HOST/PATH"
    )
    for text in (
        "ssh://git:kanarie@host/x",
        "https://kanarie@host/x",
        "ssh://kanarie-4f1c9e0d7a@host/x",
        "git+ssh://kanarie@host/x",
    ):
        assert "kanarie" not in scrub(text)
