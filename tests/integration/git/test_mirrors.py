"""The mirror on this host: rebuilt when damaged, kept small, never a reason to guess."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gitops_workers.adapters.git import GitSettings, GitSources
from gitops_workers.core.errors import Refused, Retry, SourceUnavailable, UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.source.revisions import RevisionNotFound
from gitops_workers.local.git_server import GitServer
from tests.servers.git_repository import BareRepository
from tests.servers.sources import LAPTOP, git_sources

FILES = {f"apps/{number}/web.yaml": b"name: %d" % number for number in range(20)}


def contents(sources: GitSources, source: SourceSpec, commit: str) -> dict[str, bytes]:
    tree = sources.tree(source, commit)
    blobs = sources.blobs(source, [entry.oid for entry in tree])
    return {entry.path: blobs[entry.oid] for entry in tree}


def mirror_of(tmp_path: Path) -> Path:
    [path] = [path for path in (tmp_path / "m").glob("*.git") if not path.name.endswith(".history.git")]
    return path


@pytest.mark.parametrize("damage", ["truncate", "remove", "garbage", "index", "empty-head"])
def test_a_damaged_mirror_is_made_anew(
    repository: BareRepository, sources: GitSources, tmp_path: Path, damage: str
) -> None:
    commit = repository.commit(FILES)
    source = SourceSpec(repository.url)
    sources.fetch(source, commit)
    mirror = mirror_of(tmp_path)
    packs = list((mirror / "objects" / "pack").glob("*.pack"))
    assert packs
    for pack in packs:
        pack.chmod(0o600)
        pack.with_suffix(".idx").chmod(0o600)
        match damage:
            case "index":
                pack.with_suffix(".idx").write_bytes(b"x" * 500)
            case "truncate":
                os.truncate(pack, 40)
            case "remove":
                pack.unlink()
            case "garbage":
                pack.write_bytes(os.urandom(pack.stat().st_size))
            case _:
                (mirror / "HEAD").write_text("")
    sources.close()  # a process that has the pack open would not notice
    for _ in range(3):
        with contextlib.suppress(Retry):
            sources.fetch(source, commit)
            assert contents(sources, source, commit) == FILES
            return
    pytest.fail("the mirror was not made anew within three attempts")


def test_a_reader_that_was_killed_is_replaced(repository: BareRepository, sources: GitSources, tmp_path: Path) -> None:
    commit = repository.commit(FILES)
    source = SourceSpec(repository.url)
    assert contents(sources, source, commit) == FILES
    for child in _children("cat-file"):
        os.kill(child, signal.SIGKILL)
    assert sources.tree_id(source, commit, "apps/1")
    assert not (mirror_of(tmp_path) / "condemned").exists()


def test_a_reader_survives_the_thread_that_started_it_or_is_replaced(
    repository: BareRepository, sources: GitSources, tmp_path: Path
) -> None:
    commit = repository.commit(FILES)
    source = SourceSpec(repository.url)
    for _ in range(5):
        thread = threading.Thread(target=sources.tree_id, args=(source, commit, "apps"))
        thread.start()
        thread.join()
        assert sources.tree_id(source, commit, "apps")
    assert not (mirror_of(tmp_path) / "condemned").exists()


def test_locks_left_by_a_killed_fetch_do_not_stay(
    repository: BareRepository, sources: GitSources, tmp_path: Path
) -> None:
    first = repository.commit(FILES)
    source = SourceSpec(repository.url)
    sources.fetch(source, first)
    second = repository.commit({**FILES, "more": b""})
    mirror = mirror_of(tmp_path)
    for name in ("shallow.lock", "packed-refs.lock", f"refs/keep/{second}.lock"):
        (mirror / name).touch()
    sources.fetch(source, second)
    assert sources.tree_id(source, second, "more")


def test_a_server_that_serves_no_commits_by_id_is_fetched_whole(repository: BareRepository, tmp_path: Path) -> None:
    old = repository.commit(FILES)
    repository.commit({**FILES, "more": b""})
    repository.git("update-server-info")
    with _static(repository.path.parent) as url, git_sources(tmp_path / "m") as sources:
        source = SourceSpec(f"{url}/app.git")
        assert contents(sources, source, old) == FILES
        with pytest.raises(RevisionNotFound, match="force-push"):
            sources.fetch(source, "1" * 40)


def test_a_force_pushed_commit_stays_readable_here_and_is_refused_elsewhere(
    repository: BareRepository, sources: GitSources, tmp_path: Path
) -> None:
    gone = repository.commit({"a": b"old"})
    source = SourceSpec(repository.url)
    sources.fetch(source, gone)
    repository.git("update-ref", "-d", "refs/heads/main")
    repository.commit({"a": b"new"})
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("prune", "--expire=now")
    assert contents(sources, source, gone) == {"a": b"old"}
    with git_sources(tmp_path / "elsewhere") as other, pytest.raises(RevisionNotFound, match=gone):
        other.fetch(source, gone)


def test_history_follows_a_force_push_and_a_branch_that_becomes_a_folder(
    repository: BareRepository, sources: GitSources
) -> None:
    old = repository.commit({"a": b"1"}, branch="x")
    source = SourceSpec(repository.url)
    assert sources.on_branch(source, old, "x")
    repository.git("update-ref", "-d", "refs/heads/x")
    new = repository.commit({"a": b"2"}, branch="x/y")
    sources.refs(source, not_before=time.time())
    assert sources.on_branch(source, new, "x/y")
    assert not sources.on_branch(source, old, "x")


def test_many_fetches_leave_few_packs_and_old_commits_go(repository: BareRepository, tmp_path: Path) -> None:
    settings = GitSettings(schemes=LAPTOP.schemes, packs=5)
    source = SourceSpec(repository.url)
    commits = [repository.commit({"n": b"%d" % number * 50}) for number in range(10)]
    with git_sources(tmp_path / "m", settings=settings) as sources:
        for commit in commits:
            sources.fetch(source, commit)
        mirror = mirror_of(tmp_path)
        assert len(list((mirror / "objects" / "pack").glob("*.pack"))) <= 6
        assert [contents(sources, source, commit)["n"] for commit in commits] == [b"%d" % n * 50 for n in range(10)]
        long_ago = time.time() - 30 * 86_400
        for path in (mirror / "cleaned", *((mirror / "refs/keep" / commit) for commit in commits[:5])):
            os.utime(path, (long_ago, long_ago))
        sources.fetch(source, commits[4])  # still in use
        for number in range(6):
            sources.fetch(source, repository.commit({"n": b"later %d" % number}))
        kept = {path.name for path in (mirror / "refs/keep").iterdir()}
        assert not kept & set(commits[:4])
        assert set(commits[4:]) <= kept
        repository.git("rev-parse", commits[0])
        assert contents(sources, source, commits[0]) == {"n": b"0" * 50}  # fetched again


def test_a_full_disk_is_tried_again_later(repository: BareRepository, tmp_path: Path) -> None:
    commit = repository.commit({"big": os.urandom(3 << 20)})
    settings = GitSettings(schemes=LAPTOP.schemes, max_pack_bytes=1 << 20)
    with git_sources(tmp_path / "m", settings=settings) as sources, pytest.raises(SourceUnavailable):
        sources.fetch(SourceSpec(repository.url), commit)


def test_a_folder_that_cannot_be_written_is_said(repository: BareRepository, tmp_path: Path) -> None:
    commit = repository.commit(FILES)
    with git_sources(tmp_path / "m") as sources:
        for path in (tmp_path / "m").iterdir():
            path.unlink()
        (tmp_path / "m").rmdir()
        with pytest.raises(SourceUnavailable, match="disk"):
            sources.fetch(SourceSpec(repository.url), commit)


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="install git"), git_sources(tmp_path / "m"):
        pass


def test_objects_that_gits_own_check_refuses_are_unsafe_content(
    repository: BareRepository, sources: GitSources
) -> None:
    commit = repository.commit({".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'})
    with pytest.raises(UnsafeContent, match="own check"):
        sources.fetch(SourceSpec(repository.url), commit)


def test_history_holds_commits_only_where_the_server_can_leave_the_rest_out(
    repository: BareRepository, server: GitServer, sources: GitSources, tmp_path: Path
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    old = repository.commit(FILES)
    new = repository.commit({"a": b"1"})
    repository.tag("v1", old, at=7)
    source = SourceSpec(server.url("app.git"))
    assert sources.on_branch(source, old, "main")
    assert sources.resolve_short(source, new[:8]) == new
    assert sources.tag_times(source, ["v1"]) == {"v1": 7}
    assert not sources.on_branch(source, "1" * 40, "main")
    [history] = (tmp_path / "m").glob("*.history.git")
    listed = subprocess.run(
        ["git", f"--git-dir={history}", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"],
        capture_output=True,
        check=True,
    )
    assert set(listed.stdout.split()) == {b"commit", b"tag"}


def _children(word: str) -> list[int]:
    """Our own children with this word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and word.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    assert found
    return found


@contextlib.contextmanager
def _static(folder: Path) -> Iterator[str]:
    """A web server that knows nothing of Git: the "dumb" protocol."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
