"""Folders in memory for data that nobody needs tomorrow.

A process that is killed cannot remove its folder, and on tmpfs a forgotten folder is lost memory. So each is locked by
its user, the kernel frees the lock of a dead one, and whoever makes the next folder removes those that nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 (folders in it are made by mkdtemp, private to us)
MINIMUM_BYTES = 1 << 30
"""Free space below which memory is not used: containers have 64 MB there, and etcd's log alone takes 128."""

_LOCK = ".in-use"


@contextlib.contextmanager
def scratch_folder(purpose: str, otherwise: Path) -> Iterator[Path]:
    """Make a private folder in memory, or in `otherwise` where there is too little; it is removed afterwards."""
    prefix = f"gitops-{purpose}-"
    parent = MEMORY if _roomy(MEMORY) else otherwise
    _sweep(parent, prefix)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _roomy(folder: Path) -> bool:
    try:
        space = os.statvfs(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK) and space.f_bavail * space.f_frsize >= MINIMUM_BYTES


def _sweep(parent: Path, prefix: str) -> None:
    """Remove the folders of the dead. One without a lock file is being made right now and left alone."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
