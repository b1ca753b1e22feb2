"""T18: what was resolved is what is read, whatever moves meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gitops_workers.core.model import Resolved, RevisionSpec, SourceSpec
from gitops_workers.core.source.revisions import resolve
from tests.servers.git_repository import BareRepository
from tests.servers.sources import git_sources


@pytest.fixture
def repository(tmp_path: Path) -> BareRepository:
    return BareRepository(tmp_path / "app.git")


def test_a_branch_that_moves_after_the_resolve_changes_nothing(repository: BareRepository, tmp_path: Path) -> None:
    first = repository.commit({"a": b"first"})
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        listed = sources.refs(source, not_before=0)
        resolved = resolve(RevisionSpec(value="main"), listed.refs, listed.head)
        assert resolved == Resolved(first, "main")
        repository.commit({"a": b"second"})
        sources.fetch(source, first)
        [entry] = sources.tree(source, first)
        assert sources.blobs(source, [entry.oid]) == {entry.oid: b"first"}


def test_a_force_push_is_seen_at_the_next_listing_only(repository: BareRepository, tmp_path: Path) -> None:
    first = repository.commit({"a": b"1"})
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        asked_at = time.time()
        assert sources.refs(source, not_before=asked_at).refs["HEAD"] == first
        repository.git("update-ref", "-d", "refs/heads/main")
        second = repository.commit({"a": b"2"})
        assert sources.refs(source, not_before=asked_at).refs["HEAD"] == first
        assert sources.refs(source, not_before=time.time()).refs["HEAD"] == second


@pytest.mark.parametrize(
    ("revision", "is_tag"),
    [("v1", True), ("refs/heads/v1", False), ("refs/tags/v1", True), ("release", False), ("refs/tags/release", True)],
)
def test_a_tag_named_like_a_branch_has_one_documented_answer(
    repository: BareRepository, tmp_path: Path, revision: str, is_tag: bool
) -> None:
    tagged = repository.commit({"a": b"tag"}, branch="elsewhere")
    repository.tag("v1", tagged, at=5)
    repository.tag("release", tagged)
    branch = {name: repository.commit({"a": b"branch"}, branch=name) for name in ("v1", "release")}
    with git_sources(tmp_path / "m") as sources:
        listed = sources.refs(SourceSpec(repository.url), not_before=0)
        answer = resolve(RevisionSpec(value=revision), listed.refs, listed.head)
    name = revision.rpartition("/")[2]
    assert answer == Resolved(tagged if is_tag else branch[name], name)


def test_a_branch_named_like_a_commit_does_not_stand_for_it(repository: BareRepository, tmp_path: Path) -> None:
    wanted = repository.commit({"a": b"wanted"})
    repository.commit({"a": b"evil"}, branch=wanted)
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        listed = sources.refs(source, not_before=0)
        assert resolve(RevisionSpec(value=wanted), listed.refs, listed.head) == Resolved(wanted)
        [entry] = sources.tree(source, wanted)
        assert sources.blobs(source, [entry.oid]) == {entry.oid: b"wanted"}
        assert sources.resolve_short(source, wanted[:12]) == wanted


def test_a_replacement_object_of_the_server_replaces_nothing(repository: BareRepository, tmp_path: Path) -> None:
    wanted = repository.commit({"a": b"wanted"})
    evil = repository.commit({"a": b"evil"}, branch="evil")
    repository.git("update-ref", f"refs/replace/{wanted}", evil)
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        [entry] = sources.tree(source, wanted)
        assert sources.blobs(source, [entry.oid]) == {entry.oid: b"wanted"}


def test_a_moved_tag_has_its_new_commit_and_date(repository: BareRepository, tmp_path: Path) -> None:
    old = repository.commit({"a": b"1"}, at=10)
    repository.tag("prod-1", old, at=20)
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        assert sources.tag_times(source, ["prod-1"]) == {"prod-1": 20}
        new = repository.commit({"a": b"2"}, at=30)
        repository.git("update-ref", "-d", "refs/tags/prod-1")
        repository.tag("prod-1", new, at=40)
        assert sources.refs(source, not_before=time.time()).refs["refs/tags/prod-1"] == new
        assert sources.tag_times(source, ["prod-1"]) == {"prod-1": 40}
