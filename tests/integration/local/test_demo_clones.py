"""In the demo's clones people work as they are used to: edit, `git commit`, `git push`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitops_workers.local.demo.repositories import create

BRANCHES = [("shop", "main"), ("payments-config", "dev"), ("payments-config", "staging"), ("payments-config", "prod")]


@pytest.mark.parametrize(("name", "branch"), [*BRANCHES, ("shop", "a-new-branch")])
@pytest.mark.parametrize("taste", ["", "[push]\n\tdefault = nothing\n[commit]\n\tgpgSign = true\n"])
def test_a_commit_and_a_bare_push_arrive(tmp_path: Path, name: str, branch: str, taste: str) -> None:
    create(tmp_path / "git", tmp_path / "clones")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(taste)  # a person without a name, or with habits of his own
    clone, bare = tmp_path / "clones" / name, tmp_path / "git" / f"{name}.git"

    def git(*arguments: str, folder: Path = clone) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    git("checkout", "-q", *(["-b"] if branch.startswith("a-new") else []), branch)
    (clone / "NOTES.md").write_text("mine\n")
    git("add", "NOTES.md")
    git("commit", "-q", "-m", "Note")
    git("push")
    assert git("rev-parse", branch, folder=bare) == git("rev-parse", "HEAD")
