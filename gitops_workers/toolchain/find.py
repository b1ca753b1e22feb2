"""Finding a program that is ready, at the pinned version; nothing is ever built here.

The order: a directory named by `GITOPS_TOOLS` (a container image's), else the per-user cache, whose folder is named by
a digest of the pinned module, so that a tool of another pin is never taken for ours; then `PATH`, when the program
there says the pinned major.minor version.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

from gitops_workers.toolchain.pins import Tool, ToolMissing, Version, cache, known, pinned, read_version

COMMAND = "gitops-workers tools"


def tool(name: str) -> Path:
    """Return the path of a ready program, or raise `ToolMissing` with the command that makes it."""
    found = find(known(name))
    if found is None:
        raise ToolMissing(f"{name} {_wanted(known(name))} is neither in {cache()} nor on PATH; run: {COMMAND} {name}")
    return found


def _wanted(item: Tool) -> str:
    version = pinned(item.name)
    return "" if version is None else ".".join(version.split(".")[:2])


def find(item: Tool) -> Path | None:
    """The program where it is ready, None where it has to be built first."""
    built = cache() / item.name
    if os.access(built, os.X_OK) and ("GITOPS_TOOLS" not in os.environ or _fits(item, built)):
        return built
    on_path = shutil.which(item.name)
    return Path(on_path) if on_path and _fits(item, Path(on_path)) else None


def _fits(item: Tool, program: Path) -> bool:
    """Whether a program that others put there says the pinned major.minor (any, where no module is to compare with)."""
    wanted = pinned(item.name)
    found = ask(program, item.ask, program.stat().st_mtime_ns)
    return found is not None and (wanted is None or found[:2] == (read_version(wanted) or ())[:2])


@functools.cache
def ask(program: Path, arguments: tuple[str, ...], _changed: int) -> Version | None:
    """The version that a program tells of itself; `_changed` is its modification time, so that a new one is asked."""
    try:
        answer = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_version(answer.stdout) if answer.returncode == 0 else None
