"""A tree brought forward from an older commit is the tree that a fresh listing gives."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.adapters.rendering.closure.tree import Tree, Trees
from gitops_workers.core.model import SourceSpec
from gitops_workers.ports import TreeEntry
from gitops_workers.testing.volatile_sources import VolatileRepository, VolatileSources

SOURCE = SourceSpec("https://git.example.com/x.git")
SLOW = SourceSpec("https://slow.example.com/x.git")
PATHS = st.sampled_from(["a/x", "a/y", "a/b/x", "a/b/c/x", "ab/x", "d/x", "e", "a-b/x"])
TREES = st.lists(st.dictionaries(PATHS, st.binary(max_size=1), min_size=1), min_size=2, max_size=5)


@given(TREES)
def test_bringing_forward_equals_listing(commits):
    repository, sources = VolatileRepository(), VolatileSources(lambda: 0.0)
    sources.repositories[SOURCE.url] = repository
    trees = Trees(sources)
    for files in commits:
        commit = repository.commit(files)
        sources.fetch(SOURCE, commit)

        tree = trees.get(SOURCE, commit)

        assert tree.files == {entry.path: entry for entry in sources.tree(SOURCE, commit)}
        assert tree.paths == sorted(files)


@given(TREES)
def test_a_folder_holds_what_is_below_it_and_nothing_beside(commits):
    repository, sources = VolatileRepository(), VolatileSources(lambda: 0.0)
    sources.repositories[SOURCE.url] = repository
    commit = repository.commit(commits[0])
    sources.fetch(SOURCE, commit)
    tree = Tree(sources.tree(SOURCE, commit))

    for folder in ("a", "a/b", "ab", "e", ""):
        below = [path for path in sorted(commits[0]) if not folder or path.startswith(folder + "/")]
        assert [entry.path for entry in tree.under(folder)] == below
        assert tree.is_folder(folder) is bool(below)


class SlowSources(VolatileSources):
    """Sources of which one repository gives no answer until the test lets it."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.asked, self.answers = threading.Event(), threading.Event()

    def tree(self, source: SourceSpec, commit: str, path: str = "") -> Sequence[TreeEntry]:
        if source != SOURCE:
            self.asked.set()
            assert self.answers.wait(30)
        return super().tree(source, commit, path)


def test_a_repository_that_gives_no_answer_keeps_nobody_from_another():
    sources = SlowSources()
    commits = {}
    for source in (SOURCE, SLOW):
        commits[source] = sources.repositories.setdefault(source.url, VolatileRepository()).commit({"a/x": b""})
        sources.fetch(source, commits[source])
    trees = Trees(sources)
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(trees.get, SLOW, commits[SLOW])
        assert sources.asked.wait(30)
        try:
            assert threads.submit(trees.get, SOURCE, commits[SOURCE]).result(30).paths == ["a/x"]
        finally:
            sources.answers.set()
        assert slow.result(30).paths == ["a/x"]
