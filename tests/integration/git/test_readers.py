"""Which reading processes of Git stay for the next question."""

from __future__ import annotations

from pathlib import Path

from gitops_workers.adapters.git import GitSettings
from gitops_workers.adapters.git.batch import Reader, ReaderPool
from gitops_workers.adapters.git.command import GitProgram
from tests.servers.git_repository import BareRepository


def itself(reader: Reader) -> Reader:
    return reader


def test_the_reader_of_a_repository_that_is_fetched_outlives_those_of_many_others(tmp_path: Path) -> None:
    pool = ReaderPool(GitProgram(GitSettings(), tmp_path), limit=1)
    fetched, *others = [BareRepository(tmp_path / f"{number}.git").path for number in range(4)]
    with pool.reserved(fetched):
        reader = pool.ask(fetched, itself)
        readers = [pool.ask(other, itself) for other in others]
        assert pool.ask(fetched, itself) is reader
        assert [other.alive for other in readers] == [False, False, True]  # the bound of whoever is not reserved
    pool.ask(others[0], itself)
    assert not reader.alive
    pool.close()
