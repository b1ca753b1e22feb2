"""Real Git repositories for tests, made with `git fast-import`: any file name, mode, tag and date in one process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

File = bytes | tuple[str, bytes]
_ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
_AUTHOR = b"volatile <volatile@example.com>"


class BareRepository:
    """A bare repository on disk, as a server has it."""

    def __init__(self, path: Path) -> None:
        """Create it, empty, with HEAD at `main`."""
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main")

    @property
    def url(self) -> str:
        """Its file URL."""
        return f"file://{self.path}"

    def git(self, *arguments: str, data: bytes = b"") -> str:
        """Run git in it and return its output."""
        command = ["git", "-c", "safe.directory=*", *arguments]
        done = subprocess.run(command, cwd=self.path, env=_ENVIRONMENT, input=data, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str, File], *, branch: str = "main", at: int = 0) -> str:
        """Add a commit with exactly these files on the branch; returns its id."""
        ref = f"refs/heads/{branch}"
        stream = [f"commit {ref}\n".encode(), b"committer %s %d +0000\n" % (_AUTHOR, at), b"data 7\nchange\n\n"]
        if self.git("for-each-ref", ref):
            stream.append(f"from {ref}^0\n".encode())
        stream.append(b"deleteall\n")
        for path, content in files.items():
            mode, data = content if isinstance(content, tuple) else ("100644", content)
            if mode == "160000":  # a submodule: its content is the id of its commit
                stream.append(b'M 160000 %s "%s"\n' % (data, path.encode()))
                continue
            quoted = path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
            stream.append(b'M %s inline "%s"\ndata %d\n%s\n' % (mode.encode(), quoted, len(data), data))
        self.git("fast-import", "--quiet", "--force", data=b"".join(stream))
        return self.git("rev-parse", ref)

    def tag(self, name: str, commit: str, *, at: int | None = None) -> None:
        """Set a tag, annotated when it has a time of its own."""
        target = commit
        if at is not None:
            text = f"object {commit}\ntype commit\ntag {name}\ntagger {_AUTHOR.decode()} {at} +0000\n\nrelease\n"
            target = self.git("mktag", data=text.encode())
        self.git("update-ref", f"refs/tags/{name}", target)

    def remove_tag(self, name: str) -> None:
        """Remove a tag; its commit stays where a branch holds it."""
        self.git("update-ref", "-d", f"refs/tags/{name}")
