"""What a commit holds and changes, folder by folder or by a process: the same, and bounded whatever it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import git
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_workers.adapters.git import trees
from gitops_workers.core.model import SourceSpec
from gitops_workers.ports import TreeEntry
from tests.servers.git_repository import BareRepository, File
from tests.servers.sources import git_sources

NAMES = st.text(st.sampled_from("ab-.0Zé "), min_size=1, max_size=4).filter(lambda name: set(name) != {"."})
CONTENTS: st.SearchStrategy[File] = st.sampled_from(
    [b"x", ("100755", b"run"), ("120000", b"elsewhere"), ("160000", b"1" * 40), b"\x00\xff" * 10]
)
FILES: st.SearchStrategy[dict[str, File]] = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=4).map("/".join), CONTENTS, min_size=1, max_size=12
)


def no_file_is_a_folder(files: dict[str, File]) -> bool:
    return not any(other.startswith(f"{path}/") for path in files for other in files)


def read_by_gitpython(repository: BareRepository, commit: str) -> list[TreeEntry]:
    """The second opinion: the same tree, read by a library that shares no code with ours."""
    with git.Repo(repository.path) as opened:
        found: Iterator[Any] = opened.commit(commit).tree.traverse()
        entries = [entry for entry in found if entry.type != "tree"]
        return [TreeEntry(str(entry.path), f"{entry.mode:o}", entry.hexsha) for entry in entries]


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(files=FILES.filter(no_file_is_a_folder))
def test_folder_by_folder_and_all_at_once_are_the_same_list(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, File]
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    repository = BareRepository(folder / "app.git")
    source, commit = SourceSpec(repository.url), repository.commit(files)
    found = []
    for limit in (64, 0):
        with pytest.MonkeyPatch.context() as patch, git_sources(folder / str(limit)) as sources:
            patch.setattr(trees, "FOLDERS", limit)
            sources.fetch(source, commit)
            found.append(sources.tree(source, commit))
    assert found[0] == found[1]
    assert sorted(found[0], key=str) == sorted(read_by_gitpython(repository, commit), key=str)
    assert sorted(entry.path for entry in found[0]) == sorted(files)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(old=FILES.filter(no_file_is_a_folder), new=FILES.filter(no_file_is_a_folder), both=FILES)
def test_what_differs_is_the_same_folder_by_folder_and_by_gits_own_comparison(
    tmp_path_factory: pytest.TempPathFactory, old: dict[str, File], new: dict[str, File], both: dict[str, File]
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    repository = BareRepository(folder / "app.git")
    commits = [
        repository.commit(whole if no_file_is_a_folder(whole := {**both, **files}) else files) for files in (old, new)
    ]
    source = SourceSpec(repository.url)
    found = []
    for limit in (64, 0):
        with pytest.MonkeyPatch.context() as patch, git_sources(folder / str(limit)) as sources:
            patch.setattr(trees, "FOLDERS", limit)
            sources.fetch(source, commits[0])
            found.append(sources.changed_paths(source, *commits))
    assert found[0] == found[1]


def test_a_small_tree_that_stands_for_very_many_paths_is_not_written_out(tmp_path: Path) -> None:
    """Each folder holds the next one ten times: six objects, a million paths; the list of them is over its limit."""
    repository = BareRepository(tmp_path / "app.git")
    blob = repository.git("hash-object", "-w", "--stdin", data=b"x")
    tree = repository.git("mktree", data=f"100644 blob {blob}\tfile\n".encode())
    for _ in range(6):
        lines = "".join(f"040000 tree {tree}\td{number}\n" for number in range(10))
        tree = repository.git("mktree", data=lines.encode())
    other = repository.git("mktree", data=f"100644 blob {blob}\tfile\n".encode())
    with git.Repo(repository.path) as opened:

        def read(oids: Sequence[str]) -> dict[str, bytes]:
            return {oid: opened.odb.stream(bytes.fromhex(oid)).read() for oid in oids}

        assert trees.walked(read, tree, "") is None
        assert trees.differing(read, tree, other) is None
