"""Credentials for one child process, never on a disk, in argv or in an environment.

On Linux each is an anonymous memory file whose descriptor the child inherits; git, curl and ssh want a path and get
`/proc/.../fd/N`. It is gone with the last process that holds it, also after a `kill -9`. Elsewhere it is a file of mode
0600 in a private directory, removed when the request ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Self

FIRST = 10
"""The lowest descriptor used: a shell between us and git may use those below for itself."""
_MEMORY = sys.platform == "linux"


class SecretFiles:
    """The secret files of one request; a context manager that takes them away."""

    def __init__(self) -> None:
        """Nothing is created before `add`."""
        self._descriptors: list[int] = []
        self._folder: Path | None = None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What `Popen(pass_fds=...)` needs."""
        return tuple(self._descriptors)

    def add(self, content: str, *, of_parent: bool = False) -> str:
        """Keep the text; return the path that the child opens.

        `of_parent`: for a program that closes inherited descriptors when it starts (ssh does). Its path goes through
        the git process above it and holds `$PPID`, so it belongs into a shell command and must not be quoted.
        """
        data = content.encode()
        if _MEMORY:
            memory = os.memfd_create("secret")
            descriptor = fcntl.fcntl(memory, fcntl.F_DUPFD_CLOEXEC, FIRST)
            os.close(memory)
            self._descriptors.append(descriptor)
            os.fchmod(descriptor, 0o600)  # ssh refuses a key that others may read, whatever kind of file it is
            with open(descriptor, "wb", closefd=False) as stream:
                stream.write(data)
            return f"/proc/{'$PPID' if of_parent else 'self'}/fd/{descriptor}"
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gitops-secret-"))
        path = self._folder / str(len(list(self._folder.iterdir())))
        path.touch(0o600)
        path.write_bytes(data)
        return str(path)

    def read(self, path: str) -> bytes:
        """What is in a file of ours now, also what the child wrote; `path` is as `add` returned it."""
        return Path(path).read_bytes()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close and remove everything."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
