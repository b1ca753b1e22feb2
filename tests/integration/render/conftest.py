"""One pool of real sandbox children for the folder; every test has its own repository."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_workers.adapters.rendering import CHILDREN
from gitops_workers.adapters.sandbox import Sandbox
from tests.servers.rendering import RenderWorld, tools


@pytest.fixture(scope="session")
def pool() -> Iterator[Sandbox]:
    """Two children with kustomize and helm."""
    sandbox = Sandbox(tools(), renderers=CHILDREN)
    yield sandbox
    sandbox.close()


@pytest.fixture
def repo(pool: Sandbox) -> RenderWorld:
    """An empty repository and everything that renders it."""
    return RenderWorld(pool)
