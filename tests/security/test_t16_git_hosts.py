"""T16: a repository URL reaches no host but its own, and its credential neither."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gitops_workers.adapters.git import GitSettings
from gitops_workers.core.errors import SourceUnavailable, UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.source.credentials import Credential
from gitops_workers.local.git_server import git_server
from tests.integration.git.http_servers import redirecting_server
from tests.servers.git_repository import BareRepository
from tests.servers.sources import LAPTOP, git_sources

SECRET = Credential("bot", "kanarie-4711")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(code: int, tmp_path: Path) -> None:
    repository = BareRepository(tmp_path / "served" / "app.git")
    commit = repository.commit({"a": b"1"})
    with (
        git_server(repository.path.parent) as behind,
        redirecting_server(lambda _: None, behind) as (other, seen),
        redirecting_server(lambda path: other + path, code=code) as (url, _),
    ):
        source = SourceSpec(f"{url}/app.git")
        with git_sources(tmp_path / "m", credentials={source.url: SECRET}) as sources:
            with pytest.raises(SourceUnavailable, match="redirect"):
                sources.refs(source, not_before=time.time())
            with pytest.raises(SourceUnavailable, match="redirect"):
                sources.fetch(source, commit)
    assert seen == []


def test_a_redirect_to_the_metadata_service_is_not_followed(tmp_path: Path) -> None:
    with redirecting_server(lambda _: "http://169.254.169.254/latest/meta-data/") as (url, seen):
        source = SourceSpec(f"{url}/app", timeout=5)
        with git_sources(tmp_path / "m") as sources, pytest.raises(SourceUnavailable, match="redirect"):
            sources.refs(source, not_before=0)
        assert len(seen) == 2  # the URL, and the same host once more with `.git`


def test_a_credential_goes_to_its_own_host_and_port_only(tmp_path: Path) -> None:
    with redirecting_server(lambda _: None) as (one, seen_by_one), redirecting_server(lambda _: None) as (two, seen):
        credentials = {f"{one}/app.git": SECRET}
        with git_sources(tmp_path / "m", credentials=credentials) as sources:
            for url in (one, two):
                with pytest.raises(SourceUnavailable):
                    sources.refs(SourceSpec(f"{url}/app.git"), not_before=0)
    assert {header for _, header in seen_by_one} == {SECRET.authorization}
    assert {header for _, header in seen} == {""}


def test_a_mirror_does_not_get_the_credential_of_the_url_it_stands_for(tmp_path: Path) -> None:
    with redirecting_server(lambda _: None) as (mirror, seen):
        settings = GitSettings(schemes=LAPTOP.schemes, mirrors=(("https://github.test/", f"{mirror}/"),))
        source = SourceSpec("https://github.test/app.git")
        with (
            git_sources(tmp_path / "m", settings=settings, credentials={source.url: SECRET}) as sources,
            pytest.raises(SourceUnavailable),
        ):
            sources.refs(source, not_before=0)
    assert {header for _, header in seen} == {""}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "2130706433"])
def test_our_own_host_and_metadata_are_refused_with_production_settings(host: str, tmp_path: Path) -> None:
    source = SourceSpec(f"https://{host}/latest/meta-data")
    with git_sources(tmp_path / "m", settings=GitSettings()) as sources:
        for call in (lambda: sources.refs(source, not_before=0), lambda: sources.fetch(source, "1" * 40)):
            with pytest.raises(UnsafeContent, match="loopback, link-local or metadata"):
                call()


@pytest.mark.parametrize("url", ["http://host/x", "file:///etc", "git://host/x"])
def test_production_settings_know_https_and_ssh_only(url: str, tmp_path: Path) -> None:
    with git_sources(tmp_path / "m", settings=GitSettings()) as sources, pytest.raises(UnsafeContent, match="allowed"):
        sources.refs(SourceSpec(url), not_before=0)


def test_a_request_goes_to_the_address_that_was_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = BareRepository(tmp_path / "served" / "app.git")
    commit = repository.commit({"a": b"1"})
    from gitops_workers.adapters.git.address import HostGuard, parse_address
    from gitops_workers.adapters.git.command import GitProgram
    from gitops_workers.adapters.git.transport import Transport

    # The name has no address at all: only the pinned one can have been used.
    with git_server(repository.path.parent) as server:
        transport = Transport(GitProgram(LAPTOP, tmp_path))
        monkeypatch.setattr(HostGuard, "check", lambda *_: ("127.0.0.1",))
        address = parse_address(f"http://rebound.invalid:{server.port}/app.git", LAPTOP.schemes)
        assert commit.encode() in transport.list_refs(address, Credential(), 20)
