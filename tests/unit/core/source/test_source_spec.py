"""What a source is known by: to webhooks, to people, and to whoever keeps its answers."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.documents import codec
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import SecretRef

HTTPS = SourceSpec("https://u:canary@git.example/Team/shop.git")


def test_spellings_of_one_repository_have_one_identity() -> None:
    assert HTTPS.identity == SourceSpec("git@git.example:team/shop").identity


def test_sources_of_two_kinds_at_one_url_have_two_identities() -> None:
    assert replace(HTTPS, kind="archive").identity != HTTPS.identity


def test_neither_the_shown_url_nor_the_identity_holds_a_password() -> None:
    for source in (HTTPS, replace(HTTPS, kind="archive")):
        assert "canary" not in source.shown + source.identity


def test_answers_are_shared_by_kind_url_and_credential_alone() -> None:
    elsewhere = replace(HTTPS, path="other", ignore="*.md", timeout=1.0)
    assert elsewhere.access == HTTPS.access
    secret = SecretRef("Secret", "flux-system", "git")
    others = (replace(HTTPS, kind="archive"), replace(HTTPS, credential=secret), replace(HTTPS, url="https://x/y"))
    assert all(other.access != HTTPS.access for other in others)


def test_a_stored_source_without_a_kind_is_a_git_repository() -> None:
    assert codec.load(SourceSpec, {"url": "https://git.example/shop"}).kind == "git"
    assert "kind" not in codec.dump(HTTPS)
