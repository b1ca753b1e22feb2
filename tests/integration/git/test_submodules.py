"""Submodules over real servers: whose credential goes where, which URLs may be asked, and what a restart keeps."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gitops_workers.adapters.git import GitSettings
from gitops_workers.core.errors import RenderFailed, SourceUnavailable, UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.source.credentials import Credential
from gitops_workers.local.git_server import git_server
from tests.integration.git.http_servers import redirecting_server
from tests.servers.git_repository import BareRepository
from tests.servers.sources import LAPTOP, git_sources

BOT = Credential("bot", "canary-s3cret")


def two(tmp_path: Path) -> tuple[str, str]:
    """A parent and a submodule's repository in one folder; the commits of both."""
    inner = BareRepository(tmp_path / "served" / "inner.git").commit({"x.yaml": b"inner"})
    outer = BareRepository(tmp_path / "served" / "app.git").commit({"s": ("160000", inner.encode())})
    return outer, inner


def test_the_parents_credential_opens_a_submodule_on_its_own_server(tmp_path: Path) -> None:
    outer, inner = two(tmp_path)
    with git_server(tmp_path / "served", user="bot", password="canary-s3cret") as server:
        source = SourceSpec(server.url("app.git"))
        with git_sources(tmp_path / "m", credentials={source.url: BOT}) as sources:
            sources.fetch(source, outer)
            [entry] = sources.submodule(source, server.url("inner.git"), inner)
            assert sources.blobs(source, [entry.oid]) == {entry.oid: b"inner"}
        with git_sources(tmp_path / "m", credentials={source.url: BOT}) as again:
            assert again.submodule(source, server.url("inner.git"), inner) == (entry,)
            assert again.blobs(source, [entry.oid]) == {entry.oid: b"inner"}


@pytest.mark.parametrize("secret", [None, SecretRef("Secret", "flux-system", "app")])
def test_the_parents_credential_goes_to_no_other_server(tmp_path: Path, secret: SecretRef | None) -> None:
    outer, inner = two(tmp_path)
    with (
        git_server(tmp_path / "served", user="bot", password="canary-s3cret") as server,
        redirecting_server(lambda _: None) as (other, seen),
    ):
        source = SourceSpec(server.url("app.git"), credential=secret)
        with git_sources(tmp_path / "m", credentials={source.url: BOT}) as sources:
            sources.fetch(source, outer)
            with pytest.raises(SourceUnavailable):
                sources.submodule(source, f"{other}/inner.git", inner)
    assert seen
    assert {authorization for _, authorization in seen} == {""}


def test_a_credential_declared_for_the_submodules_url_is_used(tmp_path: Path) -> None:
    outer, inner = two(tmp_path)
    with git_server(tmp_path / "served", user="bot", password="canary-s3cret") as guarded:
        app = SourceSpec(f"file://{tmp_path}/served/app.git")
        url = guarded.url("inner.git")
        with git_sources(tmp_path / "m", credentials={url: BOT}) as sources:
            sources.fetch(app, outer)
            assert len(sources.submodule(app, url, inner)) == 1


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c touch% x", "file:///etc", "http://git.test/x", "-u./x", "https://127.0.0.1/x", "https://h/a%0ab"],
)
def test_a_url_that_no_repository_may_have_no_submodule_has(tmp_path: Path, url: str) -> None:
    outer, inner = two(tmp_path)
    with git_sources(tmp_path / "m", settings=GitSettings()) as sources, pytest.raises(UnsafeContent):
        sources.submodule(SourceSpec("https://git.example.com/app"), url, inner)
    assert outer
    assert not list(tmp_path.rglob("x"))


def test_an_installation_may_fetch_none(tmp_path: Path) -> None:
    outer, inner = two(tmp_path)
    settings = dataclasses.replace(LAPTOP, submodules=False)
    source = SourceSpec(f"file://{tmp_path}/served/app.git")
    with git_sources(tmp_path / "m", settings=settings) as sources:
        sources.fetch(source, outer)
        with pytest.raises(RenderFailed, match="GITOPS_GIT_SUBMODULES"):
            sources.submodule(source, f"file://{tmp_path}/served/inner.git", inner)


def test_git_reads_its_own_file_and_nothing_that_it_names(tmp_path: Path) -> None:
    canary = tmp_path / "included"
    canary.write_text('[submodule "evil"]\n\tpath = evil\n\turl = https://evil.test/x\n')
    text = (
        f"[include]\n\tpath = {canary}\n"
        '# a comment\n[submodule "a.b \\"c\\""] ; odd names\n\tpath = "a b"\n\turl = https://git.test/\\\n  x\n'
        '[submodule "half"]\n\tpath = half\n[submodule "twice"]\n\tpath = t\n\turl = one\n\turl = two\n'
    )
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit({"modules": text.encode(), "broken": b"[submodule"})
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        broken, modules = sources.tree(source, commit)
        assert sources.submodule_urls(source, modules.oid) == {"a b": "https://git.test/  x", "t": "two"}
        with pytest.raises(RenderFailed, match="gitmodules"):
            sources.submodule_urls(source, broken.oid)
