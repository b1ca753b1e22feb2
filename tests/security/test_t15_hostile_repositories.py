"""T15: nothing in a repository, and nothing around us, makes git run a program."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gitops_workers.core.errors import UnsafeContent
from gitops_workers.core.model import SourceSpec
from tests.servers.git_repository import BareRepository, File
from tests.servers.sources import git_sources

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"1" * 64 + b"\nsize 9\n"

LAYOUTS: dict[str, dict[str, File]] = {
    "filter and diff drivers": {".gitattributes": b"* filter=x diff=x merge=x\n", "a": b"1"},
    "large file storage": {
        ".gitattributes": b"*.bin filter=lfs\n",
        "a.bin": LFS,
        ".lfsconfig": b"[lfs]\nurl=http://x\n",
    },
    "hooks and a configuration in the tree": {
        "hooks/post-checkout": ("100755", b"#!/bin/sh\ntouch CANARY\n"),
        "config": b"[core]\n\tfsmonitor = touch CANARY\n",
        "HEAD": b"ref: refs/heads/main\n",
        "objects/info/alternates": b"/etc\n",
    },
    "links": {"l": ("120000", b"/etc/passwd"), "d": ("120000", b"../../.."), "d2": ("120000", b"d/x")},
    "an ordinary submodule": {".gitmodules": b'[submodule "s"]\n\tpath = s\n\turl = https://x.test/s\n', "a": b"1"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hostile_content_is_read_as_plain_bytes(layout: str, tmp_path: Path) -> None:
    files = LAYOUTS[layout]
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit(files)
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        tree = sources.tree(source, commit)
        blobs = sources.blobs(source, [entry.oid for entry in tree])
        assert {entry.path: blobs[entry.oid] for entry in tree} == {
            path: content[1] if isinstance(content, tuple) else content for path, content in files.items()
        }
        assert sources.changed_paths(source, commit, repository.commit({"b": b""})) == {*files, "b"}
    assert not list(tmp_path.rglob("CANARY"))
    [mirror] = (tmp_path / "m").glob("*.git")
    assert not (mirror / "hooks").exists()


@pytest.mark.parametrize(
    "files",
    [
        # CVE-2018-17456: a submodule URL that is an option
        {".gitmodules": b'[submodule "s"]\n\tpath = s\n\turl = -u./payload\n'},
        # CVE-2018-11235: a submodule name that leaves .git/modules
        {".gitmodules": b'[submodule "../../x"]\n\tpath = s\n\turl = https://x.test/s\n'},
        {".gitmodules": b'[submodule "s"]\n\tpath = -x\n\turl = https://x.test/s\n'},
    ],
)
def test_objects_made_to_attack_git_are_not_even_received(files: dict[str, File], tmp_path: Path) -> None:
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit({**files, "a": b"1"})
    with git_sources(tmp_path / "m") as sources, pytest.raises(UnsafeContent, match="own check"):
        sources.fetch(SourceSpec(repository.url), commit)


def test_a_submodule_is_listed_as_one_and_not_fetched(tmp_path: Path) -> None:
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit({"a": b"1", "s": ("160000", b"1" * 40)})
    with git_sources(tmp_path / "m") as sources:
        tree = sources.tree(SourceSpec(repository.url), commit)
    assert [(entry.path, entry.mode) for entry in tree] == [("a", "100644"), ("s", "160000")]
    assert tree[1].oid == "1" * 40


def test_nothing_of_our_surroundings_reaches_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "CANARY"
    run = f"touch {canary}"
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[core]\n\tfsmonitor = {run}\n\tsshCommand = {run}\n\taskPass = {run}\n[credential]\n\thelper = "!{run}"\n'
        '[url "https://evil.test/"]\n\tinsteadOf = file://\n[uploadpack]\n\tpackObjectsHook = ' + run + "\n"
    )
    hostile = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_DIR": str(home),
        "GIT_OBJECT_DIRECTORY": str(home),
        "GIT_SSH_COMMAND": run,
        "GIT_SSH": run,
        "GIT_ASKPASS": run,
        "SSH_ASKPASS": run,
        "GIT_PROXY_COMMAND": run,
        "GIT_EXTERNAL_DIFF": run,
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": run,
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={run}'",
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_TEMPLATE_DIR": str(home),
    }
    repository = BareRepository(tmp_path / "app.git")
    commit = repository.commit({"a": b"1"})
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    source = SourceSpec(repository.url)
    with git_sources(tmp_path / "m") as sources:
        assert sources.refs(source, not_before=time.time()).refs["HEAD"] == commit
        assert sources.tree_id(source, commit, "a")
        assert sources.on_branch(source, commit, "main")
    assert not canary.exists()
    assert not (tmp_path / "trace").exists()
