"""Who descends from a process, told by the kernel."""

from __future__ import annotations

import time
from pathlib import Path

Process = tuple[int, str]
"""Process id and start time: together they name one process forever."""


def alive(process: Process) -> bool:
    """Whether just this process still runs; a zombie does not."""
    found = _stat(process[0])
    return found is not None and found[2] == process[1] and found[0] != "Z"


def descendants(root: int) -> set[Process]:
    """All children, their children, and so on, by the parents they have now."""
    children: dict[int, list[Process]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (found := _stat(int(folder.name))):
            children.setdefault(found[1], []).append((int(folder.name), found[2]))
    found_all: set[Process] = set()
    waiting = [root]
    while waiting:
        for process in children.get(waiting.pop(), ()):
            found_all.add(process)
            waiting.append(process[0])
    return found_all


def all_gone(processes: set[Process], seconds: float = 20.0) -> set[Process]:
    """Those that are still there after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := {process for process in processes if alive(process)}) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _stat(pid: int) -> tuple[str, int, str] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1]), fields[19]
