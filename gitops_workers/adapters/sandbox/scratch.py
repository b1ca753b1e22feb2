"""Where the children of a process keep their files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

_PREFIX = "gitops-render-"


class Scratch:
    """The folder of a process' children, on tmpfs where there is one; those of dead processes are removed."""

    def __init__(self) -> None:
        shared = Path("/dev/shm")  # noqa: S108 - tmpfs; folders in it are made by mkdtemp
        base = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
        self._sweep(base)
        self.path, self._lock = _locked_folder(base)
        self.path.chmod(0o711)  # a child of a root worker runs as nobody

    def folder(self) -> Path:
        """Return a new folder for one child."""
        folder = Path(tempfile.mkdtemp(dir=self.path))
        folder.chmod(0o711)
        return folder

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    @staticmethod
    def _sweep(base: Path) -> None:
        for folder in base.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
                    continue
                with (folder / "lock").open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its process lives
                    shutil.rmtree(folder, ignore_errors=True)


def _locked_folder(base: Path) -> tuple[Path, BinaryIO]:
    """A new folder that nobody sweeps away: until its lock is ours, a worker that starts now takes it for an orphan."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        with contextlib.suppress(FileNotFoundError):
            lock = (path / "lock").open("wb")
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (path / "lock").exists():
                return path, lock
            lock.close()
