"""What one credential has read is for nobody who names another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gitops_workers.adapters.rendering.closure.submodules import Submodules
from gitops_workers.adapters.rendering.closure.tree import Trees
from gitops_workers.core.errors import SourceUnavailable, SubmoduleUnavailable
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.ports import TreeEntry
from gitops_workers.testing.volatile_sources import VolatileRepository, VolatileSources

OWNER = SourceSpec("https://git.example.com/x.git", credential=SecretRef("Secret", "owner", "token"))
OTHERS = (replace(OWNER, credential=None), replace(OWNER, credential=SecretRef("Secret", "other", "token")))
MODULE = "https://git.example.com/shared.git"


class GuardedSources(VolatileSources):
    """A server that lets the owner read, and nobody else."""

    def tree(self, source: SourceSpec, commit: str, folder: str = "") -> Sequence[TreeEntry]:
        if source.credential != OWNER.credential:
            raise SourceUnavailable("the server asks for another credential")
        return super().tree(source, commit, folder)

    def submodule(self, source: SourceSpec, url: str, commit: str) -> Sequence[TreeEntry]:  # noqa: ARG002 - the port's
        if source.credential != OWNER.credential:
            raise SourceUnavailable("the server asks for another credential")
        return ()


@pytest.mark.parametrize("other", OTHERS)
def test_a_tree_in_memory_needs_the_credential_that_read_it(other: SourceSpec) -> None:
    sources = GuardedSources(lambda: 0.0)
    commit = sources.repositories.setdefault(OWNER.url, VolatileRepository()).commit({"a": b""})
    sources.fetch(OWNER, commit)
    trees = Trees(sources)
    trees.get(OWNER, commit)

    with pytest.raises(SourceUnavailable):
        trees.get(other, commit)


@pytest.mark.parametrize("other", OTHERS)
def test_a_submodule_refused_to_one_is_still_read_by_another(other: SourceSpec) -> None:
    submodules = Submodules(GuardedSources(lambda: 0.0))
    with pytest.raises(SubmoduleUnavailable):
        submodules.files(other, MODULE, "c" * 40, "lib")

    assert submodules.files(OWNER, MODULE, "c" * 40, "lib") == ()
