"""Real servers: smart HTTP with and without credentials, SSH, TLS with a private CA, redirects."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as serial

from gitops_workers.adapters.git import GitSettings
from gitops_workers.core.errors import GitOpsError, InvalidManifest, SourceUnavailable
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.source.credentials import Credential
from gitops_workers.local.git_server import GitServer, git_server
from tests.integration.git.http_servers import redirecting_server, tls_server
from tests.servers.git_repository import BareRepository
from tests.servers.git_ssh import generate_key, git_ssh
from tests.servers.sources import LAPTOP, git_sources

FILES = {"apps/web.yaml": b"kind: ConfigMap"}


def test_a_commit_over_http(repository: BareRepository, server: GitServer, tmp_path: Path) -> None:
    commit = repository.commit(FILES)
    source = SourceSpec(server.url("app.git"))
    with git_sources(tmp_path / "m") as sources:
        assert sources.refs(source, not_before=0).refs["refs/heads/main"] == commit
        [entry] = sources.tree(source, commit, "apps")
        assert sources.blobs(source, [entry.oid]) == {entry.oid: b"kind: ConfigMap"}


def test_one_listing_and_one_fetch_however_often_it_is_asked(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    commit = repository.commit(FILES)
    source = SourceSpec(server.url("app.git"))
    with git_sources(tmp_path / "m") as sources:
        asked_at = time.time()
        for _ in range(20):
            sources.refs(source, not_before=asked_at)
            sources.fetch(source, commit)
            sources.tree(source, commit)
            sources.tree_id(source, commit, "apps")
        traffic = server.traffic
        assert (traffic.advertisements, traffic.listings, traffic.fetches) == (2, 1, 1)


def test_a_credential_is_sent_and_a_wrong_one_is_said(repository: BareRepository, tmp_path: Path) -> None:
    commit = repository.commit(FILES)
    root = repository.path.parent
    with git_server(root, user="bot", password="s3cret:/@ \u00fc") as server:
        source = SourceSpec(server.url("app.git"))
        right = {source.url: Credential("bot", "s3cret:/@ \u00fc")}
        with git_sources(tmp_path / "m", credentials=right) as sources:
            assert sources.refs(source, not_before=0).refs["HEAD"] == commit
            assert sources.tree_id(source, commit, "apps")
        wrong = {source.url: Credential("bot", "wr0ng-canary")}
        with (
            git_sources(tmp_path / "w", credentials=wrong) as sources,
            pytest.raises(SourceUnavailable, match="credential") as caught,
        ):
            sources.refs(source, not_before=0)
        assert "wr0ng-canary" not in str(caught.value)
        with git_sources(tmp_path / "n") as sources, pytest.raises(SourceUnavailable, match="needs a credential"):
            sources.refs(source, not_before=0)


def test_userinfo_in_the_url_is_the_fallback(repository: BareRepository, tmp_path: Path) -> None:
    commit = repository.commit(FILES)
    with git_server(repository.path.parent, user="bot", password="p@ss") as server:
        source = SourceSpec(server.url("app.git").replace("http://", "http://bot:p%40ss@"))
        with git_sources(tmp_path / "m") as sources:
            assert sources.refs(source, not_before=0).refs["HEAD"] == commit


def test_another_credential_is_another_mirror(repository: BareRepository, tmp_path: Path) -> None:
    commit = repository.commit(FILES)
    root = repository.path.parent
    with git_server(root, user="bot", password="secret") as server:
        url = server.url("app.git")
        with git_sources(tmp_path / "m", credentials={url: Credential("bot", "secret")}) as sources:
            sources.fetch(SourceSpec(url), commit)
            sources.refs(SourceSpec(url), not_before=0)
        with git_sources(tmp_path / "m") as other_tenant:
            theirs = SourceSpec(url, credential=SecretRef("Secret", "other", "stolen-name"))
            for call in (other_tenant.fetch, other_tenant.tree):
                with pytest.raises(SourceUnavailable, match="credential"):
                    call(theirs, commit)
            with pytest.raises(SourceUnavailable, match="credential"):
                other_tenant.refs(theirs, not_before=0)


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("line_end", ["\n", "", "\r\n"])
def test_ssh_with_a_key_and_known_hosts(
    repository: BareRepository, tmp_path: Path, line_end: str, encrypted: bool
) -> None:
    commit = repository.commit(FILES)
    private, public = generate_key()
    password = ""
    if encrypted:
        key = serial.load_ssh_private_key(private.encode(), None)
        lock = serial.BestAvailableEncryption(b"opens")
        private = key.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.PKCS8, lock).decode()
        password = "opens"
    with git_ssh(repository.path.parent, public) as server:
        source = SourceSpec(server.url("app.git"))
        text = private.strip().replace("\n", "\r\n" if line_end == "\r\n" else "\n") + line_end
        credential = Credential(password=password, ssh_private_key=text, known_hosts=server.known_hosts)
        with git_sources(tmp_path / "m", credentials={source.url: credential}) as sources:
            assert sources.refs(source, not_before=0).refs["HEAD"] == commit
            assert [entry.path for entry in sources.tree(source, commit)] == ["apps/web.yaml"]


def test_ssh_is_pinned_to_the_address_that_was_checked(repository: BareRepository, tmp_path: Path) -> None:
    commit = repository.commit(FILES)
    private, public = generate_key()
    with git_ssh(repository.path.parent, public) as server:
        settings = GitSettings(private_hosts=frozenset({"localhost"}))
        source = SourceSpec(server.url("app.git").replace("127.0.0.1", "localhost"))
        known = server.known_hosts.replace("127.0.0.1", "localhost")
        credential = Credential(ssh_private_key=private, known_hosts=known)
        with git_sources(tmp_path / "m", settings=settings, credentials={source.url: credential}) as sources:
            assert sources.refs(source, not_before=0).refs["HEAD"] == commit


def test_ssh_trusts_no_host_that_is_not_known(repository: BareRepository, tmp_path: Path) -> None:
    private, public = generate_key()
    stranger = generate_key()[1]
    with git_ssh(repository.path.parent, public) as server:
        source = SourceSpec(server.url("app.git"))
        known = f"[127.0.0.1]:{server.port} {stranger}"
        credential = Credential(ssh_private_key=private, known_hosts=known)
        with (
            git_sources(tmp_path / "m", credentials={source.url: credential}) as sources,
            pytest.raises(SourceUnavailable, match="known_hosts"),
        ):
            sources.refs(source, not_before=0)


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (Credential(), "ssh private key"),
        (Credential(ssh_private_key="k"), "known_hosts"),
        (Credential(ssh_private_key="canary-key", known_hosts="h", password="x"), "does not open"),
    ],
)
def test_ssh_says_what_its_credential_lacks(tmp_path: Path, credential: Credential, said: str) -> None:
    source = SourceSpec("ssh://git@127.0.0.1:1/x.git")
    with (
        git_sources(tmp_path / "m", credentials={source.url: credential}) as sources,
        pytest.raises(InvalidManifest, match=said) as caught,
    ):
        sources.refs(source, not_before=0)
    assert "canary-key" not in str(caught.value)


def test_tls_with_a_private_ca_works_and_without_it_is_refused(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    commit = repository.commit(FILES)
    with tls_server(server.port, tmp_path) as (port, ca):
        source = SourceSpec(f"https://127.0.0.1:{port}/app.git")
        with git_sources(tmp_path / "m", credentials={source.url: Credential(ca=ca)}) as sources:
            assert sources.refs(source, not_before=0).refs["HEAD"] == commit
            assert sources.tree_id(source, commit, "apps")
        with git_sources(tmp_path / "n") as sources, pytest.raises(SourceUnavailable, match="CA"):
            sources.refs(source, not_before=0)


def test_a_redirect_to_the_name_with_git_at_its_end_is_taken_once(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    commit = repository.commit(FILES)
    with redirecting_server(lambda path: None if ".git/" in path else path.replace("/app/", "/app.git/"), server) as (
        url,
        seen,
    ):
        source = SourceSpec(f"{url}/app")
        with git_sources(tmp_path / "m") as sources:
            assert sources.refs(source, not_before=0).refs["HEAD"] == commit
            assert sources.tree_id(source, commit, "apps")
            redirected = [path for path, _ in seen if "/app/" in path]
            assert len(redirected) == 1


def test_the_operators_mirror_is_asked_in_place_of_the_url(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    commit = repository.commit(FILES)
    settings = GitSettings(schemes=LAPTOP.schemes, mirrors=(("https://github.test/", f"{server.base_url}/"),))
    with git_sources(tmp_path / "m", settings=settings) as sources:
        assert sources.refs(SourceSpec("https://github.test/app.git"), not_before=0).refs["HEAD"] == commit


def test_what_goes_wrong_at_a_mirror_is_told_of_the_manifest_s_url(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    repository.commit(FILES)
    places = (("https://github.test/", f"{server.base_url}/"), ("https://closed.test/", "http://127.0.0.1:9/"))
    settings = GitSettings(schemes=LAPTOP.schemes, mirrors=places)
    gone, absent = "https://github.test/no-such.git", "0" * 40
    with git_sources(tmp_path / "m", settings=settings) as sources:
        calls = {
            gone: lambda: sources.refs(SourceSpec(gone), not_before=0),
            "https://closed.test/app.git": lambda: sources.refs(
                SourceSpec("https://closed.test/app.git"), not_before=0
            ),
            "https://github.test/app.git": lambda: sources.fetch(SourceSpec("https://github.test/app.git"), absent),
        }
        for url, call in calls.items():
            with pytest.raises(GitOpsError) as problem:
                call()
            assert url in str(problem.value)
            assert server.base_url not in str(problem.value)


def test_a_server_that_hangs_costs_the_sources_own_timeout(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    repository.commit(FILES)
    server.hang()
    source = SourceSpec(server.url("app.git"), timeout=1.0)
    with git_sources(tmp_path / "m") as sources, pytest.raises(SourceUnavailable, match="in time"):
        sources.refs(source, not_before=0)
    server.resume()
