"""The Git side: bare repositories made of `samples/repositories`, and a clone of each to commit in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitops_workers.core.errors import Refused

SAMPLES = Path(__file__).resolve().parent / "samples"
PUBLIC = "https://git.example.com/"
"""Where the manifests say the repositories are; GITOPS_GIT_MIRRORS leads requests to the local server."""

_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
}
_SETTINGS = {
    "user.name": "Ada Operator",
    "user.email": "ada@example.com",
    "push.default": "simple",
    "push.autoSetupRemote": "true",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
}
"""Of each clone: `git commit` and `git push` work in it as they stand, whatever else this machine configures."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One repository. A branch beside the first differs by replaced texts; tags are put on the first branch."""

    name: str
    branch: str = "main"
    branches: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tags: Sequence[str] = ()


REPOSITORIES = (
    Sample("shop"),
    Sample(
        "payments-config",
        "dev",
        {
            "staging": {"payments-dev": "payments-staging", "1.6.0": "1.5.2"},
            "prod": {"payments-dev": "payments-prod", "1.6.0": "1.5.1"},
        },
    ),
    Sample("search-config", tags=("prod-2026.10",)),
    Sample("platform-config"),
)


class Repository:
    """A clone with a bare origin; every change is committed and pushed."""

    def __init__(self, name: str, clone: Path) -> None:
        """Use `create`."""
        self.name = name
        self.path = clone

    def edit(self, message: str, changes: Mapping[str, tuple[str, str]], branch: str = "main") -> str:
        """Replace one text per file, commit and push; the new commit. A text that is not there is a defect of ours."""
        self._switch(branch)
        for name, (old, new) in changes.items():
            text = (self.path / name).read_text()
            assert old in text, f"{self.name}/{name} has no {old!r}"
            (self.path / name).write_text(text.replace(old, new))
        return self.commit(message, branch)

    def bring(self, message: str, sample: str, into: str, changes: Mapping[str, tuple[str, str]]) -> str:
        """Add the files of `samples/changes/<sample>` to a folder, and `edit`; the new commit on main."""
        shutil.copytree(SAMPLES / "changes" / sample, self.path / into, dirs_exist_ok=True)
        return self.edit(message, changes)

    def remove(self, message: str, file: str, branch: str) -> str:
        """Delete a file and its line in the kustomization next to it; the new commit."""
        self._switch(branch)
        path = self.path / file
        path.unlink()
        listing = path.parent / "kustomization.yaml"
        listing.write_text(listing.read_text().replace(f"  - {path.name}\n", ""))
        return self.commit(message, branch)

    def revert(self, branch: str = "main") -> str:
        """Undo the last commit by another one."""
        self._git("revert", "--no-edit", "HEAD")
        return self._push(branch)

    def tag(self, name: str) -> str:
        """Put a tag on the present commit."""
        self._git("tag", "-a", name, "-m", f"Promote {name}")
        self._git("push", "-q", "origin", name)
        return self._git("rev-parse", "HEAD")

    def commit(self, message: str, branch: str) -> str:
        """Commit everything and push."""
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)
        return self._push(branch)

    def _switch(self, branch: str) -> None:
        self._git("checkout", "-q", branch)

    def _push(self, branch: str) -> str:
        self._git("push", "-q", "--set-upstream", "origin", branch)
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        return git(self.path, *arguments)


def create(bare: Path, clones: Path) -> dict[str, Repository]:
    """Make all sample repositories below `bare`, and a clone of each below `clones`."""
    found = {}
    for sample in REPOSITORIES:
        origin, clone = bare / f"{sample.name}.git", clones / sample.name
        origin.mkdir(parents=True)
        git(origin, "init", "-q", "--bare", "-b", sample.branch)
        shutil.copytree(SAMPLES / "repositories" / sample.name, clone)
        git(clone, "init", "-q", "-b", sample.branch)
        git(clone, "remote", "add", "origin", str(origin))
        for key, value in _SETTINGS.items():
            git(clone, "config", key, value)
        repository = Repository(sample.name, clone)
        repository.commit("The first version", sample.branch)
        for tag in sample.tags:
            repository.tag(tag)
        for branch, replaced in sample.branches.items():
            git(clone, "checkout", "-q", "-b", branch, sample.branch)
            _replace(clone, replaced)
            repository.commit(f"What {branch} has", branch)
        git(clone, "checkout", "-q", sample.branch)
        found[sample.name] = repository
    return found


def git(folder: Path, *arguments: str) -> str:
    """Run git as the demo's person, away from this machine's own configuration."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), **_ENVIRONMENT}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        raise Refused(f"git {' '.join(arguments)} failed in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()


def _replace(clone: Path, replaced: Mapping[str, str]) -> None:
    for path in sorted(clone.rglob("*.yaml")):
        text = path.read_text()
        for old, new in replaced.items():
            text = text.replace(old, new)
        path.write_text(text)
