"""Threads, processes and workers share one request and one mirror, and none outlives its worker."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitops_workers.adapters.git import GitSources
from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.model import SourceSpec
from gitops_workers.local.git_server import GitServer
from tests.servers.git_repository import BareRepository
from tests.servers.sources import MemoryStore, git_sources

FILES = {f"apps/{number}/web.yaml": b"name: %d" % number for number in range(20)}


def contents(sources: GitSources, source: SourceSpec, commit: str) -> dict[str, bytes]:
    tree = sources.tree(source, commit)
    blobs = sources.blobs(source, [entry.oid for entry in tree])
    return {entry.path: blobs[entry.oid] for entry in tree}


def test_threads_share_one_request_and_read_the_same(
    repository: BareRepository, server: GitServer, sources: GitSources
) -> None:
    commit = repository.commit(FILES)
    source = SourceSpec(server.url("app.git"))
    asked_at = time.time()
    start = threading.Barrier(16)

    def attempt(_: int) -> dict[str, bytes]:
        start.wait()
        assert sources.refs(source, not_before=asked_at).refs["HEAD"] == commit
        sources.fetch(source, commit)
        return contents(sources, source, commit)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(attempt, range(16))) == [FILES] * 16
    traffic = server.traffic
    assert (traffic.listings, traffic.fetches) == (1, 1)


def test_threads_that_wait_for_a_failing_server_share_its_failure(
    repository: BareRepository, server: GitServer, sources: GitSources
) -> None:
    repository.commit(FILES)
    server.hang()
    source = SourceSpec(server.url("app.git"), timeout=2.0)
    asked_at = time.time()

    def attempt(_: int) -> str:
        with pytest.raises(SourceUnavailable) as caught:
            sources.refs(source, not_before=asked_at)
        return str(caught.value)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(attempt, range(8)))) == 1
    server.resume()
    assert sources.refs(source, not_before=asked_at + 1e-6 + time.time() - asked_at).refs


def test_workers_share_a_listing_through_the_store(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    commit = repository.commit(FILES)
    source = SourceSpec(server.url("app.git"))
    shared = MemoryStore()
    with (
        git_sources(tmp_path / "one", shared=shared) as one,
        git_sources(tmp_path / "two", shared=shared) as two,
    ):
        asked_at = time.time()
        first = one.refs(source, not_before=asked_at)
        assert two.refs(source, not_before=asked_at) == first
        assert server.traffic.listings == 1
        assert two.refs(source, not_before=time.time()).refs["HEAD"] == commit
        assert server.traffic.listings == 2


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b'{"refs": [], "head": "", "listed_at": 9e12}', b"\xff"])
def test_a_shared_listing_that_is_none_is_asked_for_again(
    repository: BareRepository, tmp_path: Path, garbage: bytes
) -> None:
    commit = repository.commit(FILES)
    shared = MemoryStore()
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "one", shared=shared) as one:
        one.refs(source, not_before=0)
    shared.values = dict.fromkeys(shared.values, garbage)
    with git_sources(tmp_path / "two", shared=shared) as two:
        assert two.refs(source, not_before=0).refs["HEAD"] == commit


def test_processes_fetch_into_one_mirror_one_after_the_other(repository: BareRepository, tmp_path: Path) -> None:
    commits = [repository.commit({"n": b"%d" % number}) for number in range(12)]
    program = (
        "import sys; from pathlib import Path; from gitops_workers.core.model import SourceSpec\n"
        "from tests.servers.sources import git_sources\n"
        "with git_sources(Path(sys.argv[1])) as sources:\n"
        "    for commit in sys.argv[3:]:\n"
        "        sources.fetch(SourceSpec(sys.argv[2]), commit)\n"
    )
    orders = [commits, commits[::-1], commits[6:] + commits[:6]]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "m"), repository.url, *order],
            cwd=Path(__file__).parents[3],
        )
        for order in orders
    ]
    assert [child.wait(60) for child in children] == [0, 0, 0]


def test_a_worker_that_is_killed_leaves_no_process_behind(
    repository: BareRepository, server: GitServer, tmp_path: Path
) -> None:
    repository.commit(FILES)
    server.hang()
    url = server.url("app.git")
    program = (
        "import sys; from pathlib import Path; from gitops_workers.core.model import SourceSpec\n"
        "from tests.servers.sources import git_sources\n"
        "with git_sources(Path(sys.argv[1])) as sources:\n"
        "    sources.refs(SourceSpec(sys.argv[2]), not_before=0)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "m"), url], cwd=Path(__file__).parents[3])
    try:
        _eventually(lambda: any("remote-http" in line for line in _command_lines(url)))
    finally:
        worker.kill()
        worker.wait()
    _eventually(lambda: not _command_lines(url))


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _command_lines(word: str) -> list[str]:
    """Of every process that was started with this word, our own apart."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if word in line:
                found.append(line)
    return found
