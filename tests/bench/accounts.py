"""What a run costs: CPU and memory of process trees, requests seen by the API server."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")


def tree(roots: Iterable[int]) -> list[int]:
    """The processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes, and of the children they have waited for."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(fields[index]) for index in (11, 12, 13, 14))
    return total / TICKS


def memory_mib(pids: Iterable[int]) -> float:
    """Proportional set size: shared pages are counted once over all sharers."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


@dataclass(slots=True)
class PeakMemory:
    """The largest memory of the trees, sampled four times a second while the block runs."""

    roots: Sequence[int]
    peak: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(0.5):
            self.peak = max(self.peak, memory_mib(tree(self.roots)))


def requests(audit: Path) -> dict[str, int]:
    """The engine's requests so far, by verb and resource."""
    counts: dict[str, int] = {}
    with audit.open() as lines:
        for line in lines:
            event = json.loads(line)
            reference = event.get("objectRef") or {}
            name = f"{event['verb']} {reference.get('resource', event['requestURI'].partition('?')[0])}"
            if "dryRun" in event["requestURI"]:
                name += " (dry-run)"
            counts[name] = counts.get(name, 0) + 1
    return counts


def difference(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    """What was added between two counts."""
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
