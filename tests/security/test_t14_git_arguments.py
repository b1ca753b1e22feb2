"""T14: a URL, branch or path never becomes an option, a helper or a line of a protocol."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gitops_workers.core.errors import GitOpsError, Refused, UnsafeContent
from gitops_workers.core.model import RevisionKind, RevisionSpec, SourceSpec
from gitops_workers.core.source.revisions import RevisionNotFound, resolve
from tests.servers.git_repository import BareRepository
from tests.servers.sources import git_sources

URLS = [
    "--upload-pack=touch {canary};",
    "-oProxyCommand=touch {canary}",
    "ext::sh -c touch% {canary}",
    "ext::sh -c 'touch {canary}'",
    "fd::3",
    "file://localhost/x",
    "https://h%0ahost=x/y",
    "https://host/x%0ahost=evil.test",
    "https://host/x\nhost=evil.test",
    "https://host/x%00",
    "https://-oProxyCommand=x/y",
    "ssh://-oProxyCommand=touch {canary}/x",
    "ssh://git@-oProxyCommand=touch/x",
    "ssh://-l@host/x",
    "ssh://$(touch {canary})@host/x",
    "ssh://git@host$(touch {canary})/x",
    "ssh://git@`touch {canary}`/x",
    "ssh://git@host;touch {canary}/x",
    "ssh://git@host:22;id/x",
    "git@host;touch$IFS{canary}:x",
    "git@-oProxyCommand=x:y",
    "host:-oProxyCommand=x",
    "ssh://git@host/-upload-pack",
    "https://host/../x",
    "https://host/%2e%2e/x",
    "https://host:0/x",
    "https://host:99999/x",
    "https://host",
    "https:///x",
    "https://a@b@c/x",
    "https://host\\@evil.test/x",
    "https://[::1%25eth0]/x",
    "https://host/x#--upload-pack=y",
    "https://host/x?service=y",
    "https://host/caf\u00e9",
    "git://host/x",
    "ftp://host/x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "",
    "/srv/repository.git",
    "../repository.git",
    "https://host/" + "x" * 3_000,
]


@pytest.mark.parametrize("url", URLS)
def test_a_hostile_url_is_refused_before_anything_runs(url: str, tmp_path: Path) -> None:
    canary = tmp_path / "X"
    source = SourceSpec(url.format(canary=canary) if "{canary}" in url else url)
    with git_sources(tmp_path / "m") as sources:
        for call in (
            lambda: sources.refs(source, not_before=0),
            lambda: sources.fetch(source, "1" * 40),
            lambda: sources.tree_id(source, "1" * 40, "x"),
        ):
            with pytest.raises(UnsafeContent):
                call()
    assert not canary.exists()


NAMES = [
    "--upload-pack=touch {canary};",
    "--output={canary}",
    "-oX",
    "main..--output={canary}",
    "$(touch {canary})",
    "main;touch {canary}",
    "main\ntouch {canary}",
    "@{{upstream}}",
    "main^{{/x}}",
    ":/--output={canary}",
    "refs/heads/../../../etc/passwd",
    "a\x00b",
]


@pytest.mark.parametrize("template", NAMES)
def test_a_hostile_revision_only_ever_is_not_found(template: str, tmp_path: Path) -> None:
    canary = tmp_path / "X"
    name = template.format(canary=canary)
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit({"a": b"1"})
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        listed = sources.refs(source, not_before=time.time())
        for kind in (RevisionKind.ARGOCD, RevisionKind.BRANCH, RevisionKind.TAG, RevisionKind.NAME):
            with pytest.raises(RevisionNotFound):
                resolve(RevisionSpec(kind, name), listed.refs, listed.head)
        with pytest.raises(Refused):
            resolve(RevisionSpec(RevisionKind.COMMIT, name), listed.refs, listed.head)
        assert sources.on_branch(source, commit, name) is False
        assert sources.resolve_short(source, name) is None
        assert sources.tag_times(source, [name]) == {}
        for call in (sources.fetch, sources.tree):
            with pytest.raises(GitOpsError, match="object id"):
                call(source, name)
    assert not canary.exists()


@pytest.mark.parametrize("path", ["--output=X", "-oX", ":(exclude)a", "*", "a b", "$(id)", "commit:a", "@", "^{tree}"])
def test_a_hostile_path_is_a_path_that_does_not_exist(path: str, tmp_path: Path) -> None:
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit({"a": b"1"})
    with git_sources(tmp_path / "m") as sources:
        assert sources.tree_id(SourceSpec(repository.url), commit, path) == ""
        assert sources.tree(SourceSpec(repository.url), commit, path) == ()


def test_file_names_that_look_like_options_or_answers_are_files(tmp_path: Path) -> None:
    files = {"--output=X": b"1", "a missing": b"2", "b\nblob 3": b"3", "-c": b"4", '"quoted"': b"5", "d/$(id)": b"6"}
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit(files)
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        tree = sources.tree(source, commit)
        blobs = sources.blobs(source, [entry.oid for entry in tree])
        assert {entry.path: blobs[entry.oid] for entry in tree} == files
        assert sources.tree_id(source, commit, "a missing")
        assert sources.changed_paths(source, commit, repository.commit({"x": b""})) == {*files, "x"}
