"""Applications of one repository are polled together, and never those of two."""

from dataclasses import replace

import pytest

from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from tests.unit.dialects.manifests import application

BASE = "https://git.example.com/Team/shop"


def group(url, credential=None):
    app = application()
    return repository_group(replace(app, source=replace(app.source, url=url, credential=credential)))


@pytest.mark.parametrize(
    "url",
    [f"{BASE}.git", f"{BASE}/", "HTTPS://Git.Example.com/Team/shop", "https://git.example.com:443/Team/shop.git/"],
)
def test_spellings_of_one_repository_share_a_group(url):
    assert group(url) == group(BASE)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/team/shop",
        "https://git.example.com:8443/Team/shop",
        "http://git.example.com/Team/shop",
        "https://bot@git.example.com/Team/shop",
        "https://git.example.com/Team/shop2",
        "git@git.example.com:Team/shop",
        "https://[broken/Team/shop",
        "",
    ],
)
def test_what_could_be_another_repository_is_another_group(url):
    assert group(url) != group(BASE)


def test_another_credential_is_another_group_because_it_may_see_other_refs():
    assert group(BASE, SecretRef("Secret", "a", "login")) != group(BASE, SecretRef("Secret", "b", "login"))


def test_the_id_is_short_stable_and_holds_nothing_secret():
    found = group("https://bot:hunter2@git.example.com/x")

    assert "hunter2" not in found
    prefix, _, digits = found.partition("/")
    assert prefix == "repository"
    assert len(digits) == 16
    assert cluster_group("east") == "cluster/east"


def test_sources_of_two_kinds_at_one_url_are_two_groups():
    app = application()
    other = replace(app, source=replace(app.source, kind="archive"))

    assert repository_group(other) != repository_group(app)
