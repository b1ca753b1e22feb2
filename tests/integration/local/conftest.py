"""Real programs for the tests of this folder: a missing one is a skip on a laptop and a failure in CI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_workers.core.errors import Refused


def require(find: Callable[[], Any]) -> Any:
    """Return what `find` finds; where it says what is missing, skip with its words, or fail under CI."""
    try:
        return find()
    except Refused as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture(name="require", scope="session")
def require_fixture() -> Callable[[Callable[[], Any]], Any]:
    return require


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Run git away from the machine's own configuration; returns what it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }

    def run(*arguments: str | Path, timeout: float = 30, **extra: str) -> str:
        done = subprocess.run(
            ["git", *map(str, arguments)],
            env=environment | extra,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, arguments, done.stdout, done.stderr)
        return done.stdout

    return run


@pytest.fixture
def repositories(tmp_path: Path, git: Callable[..., str]) -> Path:
    """A folder with one bare repository, team/app.git, that has one commit on main."""
    work, root = tmp_path / "work", tmp_path / "repositories"
    git("init", "-q", "-b", "main", work)
    (work / "app.yaml").write_text("kind: ConfigMap\n")
    git("-C", work, "add", ".")
    git("-C", work, "commit", "-q", "-m", "first")
    git("clone", "-q", "--bare", work, root / "team" / "app.git")
    return root
