"""A served repository and sources that read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_workers.adapters.git import GitSources
from gitops_workers.local.git_server import GitServer, git_server
from tests.servers.git_repository import BareRepository
from tests.servers.sources import git_sources


@pytest.fixture
def repository(tmp_path: Path) -> BareRepository:
    return BareRepository(tmp_path / "served" / "app.git")


@pytest.fixture
def server(repository: BareRepository) -> Iterator[GitServer]:
    with git_server(repository.path.parent) as running:
        yield running


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[GitSources]:
    with git_sources(tmp_path / "m") as opened:
        yield opened
