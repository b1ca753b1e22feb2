"""What every `Repositories` promises, over real git and over its volatile twin."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gitops_workers.core.errors import RenderFailed, Retry, UnsafeContent
from gitops_workers.core.model import Resolved, RevisionKind, RevisionSpec, SourceSpec
from gitops_workers.core.source.revisions import RevisionNotFound, resolve
from gitops_workers.ports import TreeEntry
from gitops_workers.ports.git import Repositories
from gitops_workers.testing.volatile_sources import VolatileRepository, VolatileSources
from tests.servers.git_repository import BareRepository, File
from tests.servers.sources import git_sources

ABSENT = "0" * 40
ROOT = "0627485e69f85ffb912291e19def3270e6e45faa"
"""What `git rev-parse COMMIT^{tree}` says for FILES."""
FILES: dict[str, File] = {
    "README.md": b"hello",
    "apps/web/deployment.yaml": b"kind: Deployment",
    "apps/web/run.sh": ("100755", b"#!/bin/sh"),
    "apps/web-extra/service.yaml": b"kind: Service",
    "apps/web.yaml": b"kind: ConfigMap",
    "link": ("120000", b"apps/web"),
    "caf\u00e9/men\u00fc.yaml": b"kind: Menu",
}


@dataclass
class World:
    """A server with one repository, and sources that can reach it."""

    sources: Repositories
    repository: BareRepository | VolatileRepository
    source: SourceSpec
    nowhere: SourceSpec
    other: BareRepository | VolatileRepository
    """Another repository that the sources can reach, for submodules."""
    other_url: str


@pytest.fixture(params=["git", "volatile"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "volatile":
        sources = VolatileSources(time.time)
        sources.repositories["https://git.test/app"] = repository = VolatileRepository()
        sources.repositories["https://git.test/other"] = other = VolatileRepository()
        app, nowhere = SourceSpec("https://git.test/app"), SourceSpec("https://git.test/none")
        yield World(sources, repository, app, nowhere, other, "https://git.test/other")
        return
    bare, module = BareRepository(tmp_path / "app.git"), BareRepository(tmp_path / "other.git")
    with git_sources(tmp_path / "mirrors") as real:
        yield World(real, bare, SourceSpec(bare.url), SourceSpec(f"file://{tmp_path}/none.git"), module, module.url)


def test_refs_name_every_branch_and_peel_annotated_tags(world: World) -> None:
    first = world.repository.commit(FILES, at=1)
    second = world.repository.commit({"a": b"1"}, branch="feature/x", at=2)
    world.repository.tag("light", first)
    world.repository.tag("annotated", second, at=9)
    listed = world.sources.refs(world.source, not_before=0)
    assert listed.refs == {
        "HEAD": first,
        "refs/heads/feature/x": second,
        "refs/heads/main": first,
        "refs/tags/annotated": second,
        "refs/tags/light": first,
    }
    assert listed.head == "refs/heads/main"


def test_refs_are_listed_again_only_when_too_old(world: World) -> None:
    world.repository.commit(FILES)
    old = world.sources.refs(world.source, not_before=0)
    commit = world.repository.commit({"a": b"2"})
    assert world.sources.refs(world.source, not_before=old.listed_at) == old
    new = world.sources.refs(world.source, not_before=time.time())
    assert new.refs["HEAD"] == commit
    assert new.listed_at > old.listed_at


def test_an_empty_repository_has_no_refs_and_no_revision(world: World) -> None:
    listed = world.sources.refs(world.source, not_before=0)
    assert listed.refs == {}
    with pytest.raises(RevisionNotFound, match="push a first commit"):
        resolve(RevisionSpec(), listed.refs, listed.head)


def test_a_repository_that_does_not_answer_is_a_retry(world: World) -> None:
    with pytest.raises(Retry, match="none"):
        world.sources.refs(world.nowhere, not_before=0)


def test_a_tree_is_every_file_sorted_with_its_mode(world: World) -> None:
    commit = world.repository.commit(FILES)
    world.sources.fetch(world.source, commit)
    tree = world.sources.tree(world.source, commit)
    assert [entry.path for entry in tree] == sorted(FILES, key=str.encode)
    assert {entry.path: entry.mode for entry in tree if entry.mode != "100644"} == {
        "apps/web/run.sh": "100755",
        "link": "120000",
    }
    assert all(isinstance(entry, TreeEntry) for entry in tree)


def test_a_submodule_is_an_entry_with_its_commit_and_no_folder(world: World) -> None:
    commit = world.repository.commit({"a": b"1", "s": ("160000", b"1" * 40)})
    assert [(entry.path, entry.mode, entry.oid) for entry in world.sources.tree(world.source, commit)][1:] == [
        ("s", "160000", "1" * 40)
    ]
    assert world.sources.tree(world.source, commit, "s") == ()


def test_a_submodule_is_listed_and_read_through_its_parent(world: World) -> None:
    inner = world.other.commit({"a/x.yaml": b"inner", "y": b"y"})
    commit = world.repository.commit({"x": b"outer", "s": ("160000", inner.encode())})
    world.sources.fetch(world.source, commit)
    listed = world.sources.submodule(world.source, world.other_url, inner)
    assert [entry.path for entry in listed] == ["a/x.yaml", "y"]
    [outer, _] = sorted(world.sources.tree(world.source, commit), key=lambda entry: entry.mode)
    blobs = world.sources.blobs(world.source, [outer.oid, listed[0].oid])
    assert (blobs[outer.oid], blobs[listed[0].oid]) == (b"outer", b"inner")


def test_a_submodules_commit_is_no_commit_of_its_parent(world: World) -> None:
    inner = world.other.commit({"secret": b"1"})
    world.repository.commit({"s": ("160000", inner.encode())})
    world.sources.submodule(world.source, world.other_url, inner)
    with pytest.raises(RevisionNotFound):
        world.sources.fetch(world.source, inner)
    with pytest.raises(RevisionNotFound):
        world.sources.tree(world.source, inner)


def test_a_submodule_that_is_not_there_is_an_error(world: World) -> None:
    world.repository.commit({"a": b""})
    world.other.commit({"a": b""})
    with pytest.raises(RenderFailed, match="no commit"):
        world.sources.submodule(world.source, world.other_url, ABSENT)
    with pytest.raises(Retry):
        world.sources.submodule(world.source, world.nowhere.url, ABSENT)


def test_the_urls_of_submodules_are_those_of_gitmodules(world: World) -> None:
    text = (
        b'[submodule "one"]\n\tpath = a/one\n\turl = ../one.git\n[submodule "two"]\n\tpath = two\n\turl = https://x/y\n'
    )
    commit = world.repository.commit({".gitmodules": text, "empty": b""})
    oids = {entry.path: entry.oid for entry in world.sources.tree(world.source, commit)}
    assert world.sources.submodule_urls(world.source, oids[".gitmodules"]) == {
        "a/one": "../one.git",
        "two": "https://x/y",
    }
    assert world.sources.submodule_urls(world.source, oids["empty"]) == {}


@pytest.mark.parametrize("path", ["apps/web", "./apps/web/", "apps/../apps/web"])
def test_a_folder_lists_only_itself_with_paths_from_the_root(world: World, path: str) -> None:
    commit = world.repository.commit(FILES)
    listed = [entry.path for entry in world.sources.tree(world.source, commit, path)]
    assert listed == ["apps/web/deployment.yaml", "apps/web/run.sh"]


def test_what_is_not_there_is_empty(world: World) -> None:
    commit = world.repository.commit(FILES)
    assert world.sources.tree(world.source, commit, "apps/none") == ()
    assert world.sources.tree_id(world.source, commit, "apps/none") == ""
    assert world.sources.tree(world.source, commit, "README.md") == ()


def test_an_unknown_commit_is_an_error_and_never_empty(world: World) -> None:
    world.repository.commit(FILES)
    for call in (world.sources.tree, world.sources.tree_id):
        with pytest.raises(RevisionNotFound, match=ABSENT):
            call(world.source, ABSENT, "apps")
    with pytest.raises(RevisionNotFound, match="choose another revision"):
        world.sources.fetch(world.source, ABSENT)


def test_tree_ids_are_those_git_gives(world: World) -> None:
    commit = world.repository.commit(FILES)
    assert world.sources.tree_id(world.source, commit, "") == ROOT
    same = world.repository.commit({**FILES, "README.md": b"changed"})
    assert world.sources.tree_id(world.source, same, "apps") == world.sources.tree_id(world.source, commit, "apps")
    assert world.sources.tree_id(world.source, same, ".") != world.sources.tree_id(world.source, commit, ".")


def test_blobs_are_read_by_content(world: World) -> None:
    big = bytes(range(256)) * 1_000
    commit = world.repository.commit({**FILES, "big": big, "empty": b"", "lines": b"a\nb missing\n\n"})
    tree = {entry.path: entry.oid for entry in world.sources.tree(world.source, commit)}
    blobs = world.sources.blobs(world.source, [*tree.values(), *tree.values()])
    assert blobs[tree["big"]] == big
    assert blobs[tree["empty"]] == b""
    assert blobs[tree["lines"]] == b"a\nb missing\n\n"
    assert blobs[tree["link"]] == b"apps/web"
    assert set(blobs) == set(tree.values())


def test_many_blobs_come_in_one_call(world: World) -> None:
    commit = world.repository.commit({f"d/{number}": b"%d" % number * 100 for number in range(2_000)})
    entries = world.sources.tree(world.source, commit)
    blobs = world.sources.blobs(world.source, (entry.oid for entry in entries))
    assert {entry.path: blobs[entry.oid] for entry in entries} == {
        f"d/{number}": b"%d" % number * 100 for number in range(2_000)
    }


def test_a_blob_over_the_limit_is_refused_with_its_size(world: World) -> None:
    commit = world.repository.commit({"huge.yaml": b"x" * (11 << 20)})
    [entry] = world.sources.tree(world.source, commit)
    with pytest.raises(RenderFailed, match=str(11 << 20)):
        world.sources.blobs(world.source, [entry.oid])
    small = world.repository.commit({"small": b"1"})
    [entry] = world.sources.tree(world.source, small)
    assert world.sources.blobs(world.source, [entry.oid]) == {entry.oid: b"1"}


def test_changed_paths_between_two_commits(world: World) -> None:
    old = world.repository.commit(FILES)
    new = world.repository.commit({**FILES, "README.md": b"new", "apps/new.yaml": b"", "link": b"apps/web"})
    assert world.sources.changed_paths(world.source, old, new) is None  # the old one was never fetched
    world.sources.fetch(world.source, old)
    assert world.sources.changed_paths(world.source, old, new) == {"README.md", "apps/new.yaml", "link"}
    assert world.sources.changed_paths(world.source, old, old) == frozenset()


def test_a_moved_file_is_two_changed_paths(world: World) -> None:
    old = world.repository.commit({"a/x.yaml": b"same", "keep": b""})
    new = world.repository.commit({"b/x.yaml": b"same", "keep": b""})
    world.sources.fetch(world.source, old)
    assert world.sources.changed_paths(world.source, old, new) == {"a/x.yaml", "b/x.yaml"}


def test_tag_times_are_the_taggers_else_the_commits(world: World) -> None:
    commit = world.repository.commit(FILES, at=1_000)
    world.repository.tag("light", commit)
    world.repository.tag("annotated", commit, at=2_000)
    assert world.sources.tag_times(world.source, ["light", "annotated", "none"]) == {"light": 1_000, "annotated": 2_000}


def test_a_new_tag_has_a_time_after_the_next_listing(world: World) -> None:
    commit = world.repository.commit(FILES, at=1)
    world.repository.tag("prod-1", commit, at=10)
    assert world.sources.tag_times(world.source, ["prod-1"]) == {"prod-1": 10}
    world.repository.tag("prod-2", commit, at=20)
    world.sources.refs(world.source, not_before=time.time())
    assert world.sources.tag_times(world.source, ["prod-1", "prod-2"]) == {"prod-1": 10, "prod-2": 20}


def test_a_short_commit_is_found_when_it_is_the_only_one(world: World) -> None:
    old = world.repository.commit({"a": b"1"})
    world.repository.commit({"a": b"2"})
    assert world.sources.resolve_short(world.source, old[:7]) == old
    assert world.sources.resolve_short(world.source, old[:39]) == old
    assert world.sources.resolve_short(world.source, "0123456") is None
    assert world.sources.resolve_short(world.source, "main") is None


def test_a_commit_is_on_a_branch_or_not(world: World) -> None:
    old = world.repository.commit({"a": b"1"})
    new = world.repository.commit({"a": b"2"})
    other = world.repository.commit({"b": b"1"}, branch="other")
    on = world.sources.on_branch
    assert [on(world.source, commit, "main") for commit in (old, new, other)] == [True, True, False]
    assert on(world.source, other, "other")
    assert not on(world.source, old, "none")
    assert not on(world.source, ABSENT, "main")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a\nb", "a\x00b"])
def test_a_path_out_of_the_repository_is_refused(world: World, path: str) -> None:
    commit = world.repository.commit(FILES)
    with pytest.raises(UnsafeContent):
        world.sources.tree_id(world.source, commit, path)
    with pytest.raises(UnsafeContent):
        world.sources.tree(world.source, commit, path)


@pytest.mark.parametrize("oid", ["main", "--output=/tmp/x", "abc", "HEAD", "", "A" * 40])
def test_only_full_ids_name_objects(world: World, oid: str) -> None:
    world.repository.commit(FILES)
    with pytest.raises(RenderFailed, match="object id"):
        world.sources.fetch(world.source, oid)
    with pytest.raises(RenderFailed, match="object id"):
        world.sources.changed_paths(world.source, oid, ABSENT)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (RevisionSpec(value="prod-*"), "prod-a"),
        (RevisionSpec(value="short"), ""),
        (RevisionSpec(RevisionKind.COMMIT, "full", "main"), "main"),
        (RevisionSpec(RevisionKind.COMMIT, "short"), ""),
        (RevisionSpec(RevisionKind.COMMIT, "short", "main"), "main"),
        (RevisionSpec(value="1.x"), "v1.9.0"),
        (RevisionSpec(RevisionKind.SEMVER, ">=1.0.0"), "v1.9.0+new"),
    ],
)
def test_what_a_revision_needs_to_know_the_port_can_tell(world: World, spec: RevisionSpec, expected: str) -> None:
    commit = world.repository.commit(FILES, at=5)
    for name, at in (("prod-a", 30), ("prod-b", 20), ("v1.9.0", 7), ("v1.9.0+new", 8)):
        if not (name == "v1.9.0+new" and spec.kind is RevisionKind.ARGOCD):
            world.repository.tag(name, commit, at=at)
    value = {"short": commit[:10], "full": commit}.get(spec.value, spec.value)
    spec = RevisionSpec(spec.kind, value, spec.branch)
    source = replace(world.source, revision=spec)
    assert world.sources.resolve(source) == Resolved(commit, expected)
    assert world.sources.resolve(source, world.sources.poll(source, not_before=0)) == Resolved(commit, expected)


@pytest.mark.parametrize("spec", [RevisionSpec(value="prod-*"), RevisionSpec(RevisionKind.SEMVER, ">=1.0.0")])
def test_a_tag_that_is_gone_before_its_date_was_read_is_tried_again(world: World, spec: RevisionSpec) -> None:
    commit = world.repository.commit(FILES, at=5)
    for name in ("prod-1", "prod-2", "v1.9.0+a", "v1.9.0+b"):
        world.repository.tag(name, commit, at=7)
    source = replace(world.source, revision=spec)
    listed = world.sources.poll(source, not_before=0)
    for name in ("prod-2", "v1.9.0+b"):
        world.repository.remove_tag(name)
    with pytest.raises(Retry, match="was removed"):
        world.sources.resolve(source, listed)
    assert world.sources.resolve(source, world.sources.poll(source, not_before=time.time())).commit == commit
