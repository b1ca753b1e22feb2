from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.source.urls import normalise_url, without_credentials


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/org/app",
        "https://github.com/Org/App.git",
        "http://GitHub.com/org/app/",
        "https://user:secret@github.com/org/app.git?x=1#y",
        "https://github.com:443/org//app.git",
        "git@github.com:org/app.git",
        "github.com:org/app",
        "git@github.com:/org/app.git",
        "ssh://git@github.com/org/app.git",
        "ssh://git@ssh.github.com:443/org/app.git",
        "ssh://github.com:22/org/app",
        "git+ssh://git@github.com/org/app",
        "git://github.com/org/app.git",
        "https://github.com/org/%61pp",
        " https://github.com/org/app\n",
    ],
)
def test_every_spelling_of_a_repository_gives_one_name(url):
    assert normalise_url(url) == "github.com/org/app"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@ssh.dev.azure.com:v3/org/project/app", "dev.azure.com/org/project/app"),
        ("https://org@dev.azure.com/org/project/_git/app", "dev.azure.com/org/project/app"),
        ("git@altssh.gitlab.com:org/app.git", "gitlab.com/org/app"),
        ("ssh://git@[2001:db8::1]:22/org/app.git", "[2001:db8::1]/org/app"),
        ("git@[2001:db8::1]:org/app.git", "[2001:db8::1]/org/app"),
        ("file:///srv/Git/app.git", "file:/srv/Git/app"),
        ("/srv/Git/app.git", "file:/srv/Git/app"),
        ("https://git.example.com/~user/app.git", "git.example.com/~user/app"),
        ("https://ssh.com/org/app", "ssh.com/org/app"),
        ("", ""),
        ("https://", ""),
        ("https://github.com/", ""),
    ],
)
def test_what_is_special_keeps_its_own_name(url, name):
    assert normalise_url(url) == name


def test_two_repositories_never_share_a_name_by_path():
    assert normalise_url("https://github.com/org/app") != normalise_url("https://github.com/org/app2")
    assert normalise_url("https://github.com/org/app") != normalise_url("https://gitlab.com/org/app")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:canary@git.example.com/a.git", "https://git.example.com/a.git"),
        ("https://canary@git.example.com:8443/a", "https://git.example.com:8443/a"),
        ("https://git.example.com/a?private_token=canary", "https://git.example.com/a"),
        ("ssh://git:canary@git.example.com/a", "ssh://git@git.example.com/a"),
        ("git@git.example.com:a.git", "git@git.example.com:a.git"),
        ("https://a@canary@git.example.com/a", "https://git.example.com/a"),
    ],
)
def test_a_shown_url_carries_no_login(url, shown):
    assert without_credentials(url) == shown


@given(st.text(max_size=200))
def test_no_text_breaks_a_name_and_a_name_is_final(url):
    name = normalise_url(url)
    assert "\n" not in name
    assert "@" not in name.partition("/")[0]
    without_credentials(url)
