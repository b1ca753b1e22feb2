"""Keeps a handful of processes running: what `up` and `demo` start, under one parent.

A process that ends is started again after a pause that doubles while it keeps ending, and the terminal is told. Each
writes to a log file of its own; lines of level error are repeated on the terminal, so that nobody has to know where to
look first. When the supervisor ends, in whatever way, so does everything it started (see `child`).
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from gitops_workers.core.text.redact import scrub
from gitops_workers.local.child import Child

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds before a restart: at once for an accident, rarely for a program that cannot start."""
STABLE_SECONDS = 30.0
"""After so long the earlier ends of a process are forgotten."""
LOG_BYTES = 16 << 20
"""A log over this size is put aside at the start; one older log is kept."""
TAIL_LINES = 8
RELAY_BYTES = 262_144
"""Read of one log at a time; a process that floods its log must not hold up the others."""

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Program:
    """One process. `grace` is how many seconds it has between TERM and KILL."""

    name: str
    argv: tuple[str, ...]
    grace: float = 10.0


@dataclass(slots=True)
class _Kept:
    """A program and how it is doing."""

    program: Program
    log: Path
    child: Child | None = None
    began: float = 0.0
    ends: int = 0
    due: float = 0.0
    read: int = 0
    rest: bytes = field(default=b"", repr=False)


class Supervisor:
    """Runs programs while a `with` block lasts; call `tend` about once a second."""

    def __init__(
        self, programs: Sequence[Program], *, logs: Path, environment: Mapping[str, str], cwd: Path, say: Say
    ) -> None:
        """`environment` replaces ours for all of them; `say` gets what a person should read."""
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._environment = dict(environment)
        self._cwd = cwd
        self._say = say
        self._kept = [_Kept(program, logs / f"{program.name}.log") for program in programs]
        self._lasting: list[_Kept] = []

    def adopt(self, child: Child) -> None:
        """Keep a server running that somebody else started; it is ended after all others, since they may need it."""
        assert child.log is not None
        kept = _Kept(Program(child.name, child.argv), child.log, child, time.monotonic())
        kept.read = child.log.stat().st_size if child.log.exists() else 0
        self._lasting.append(kept)

    @property
    def children(self) -> Mapping[str, Child]:
        """What runs now, by name."""
        return {kept.program.name: kept.child for kept in (*self._lasting, *self._kept) if kept.child is not None}

    def tend(self) -> None:
        """Start again what ended and is due; repeat new errors."""
        for kept in (*self._lasting, *self._kept):
            if kept.child is not None and not kept.child.alive:
                self._ended(kept, kept.child)
            if kept.child is None and time.monotonic() >= kept.due:
                self._start(kept)
            for line in _new_errors(kept):
                self._say(f"{kept.program.name}: {line}")

    def stop(self) -> None:
        """End everything: all at once, what others need last."""
        for group in (self._kept, self._lasting):
            running = [(kept, kept.child) for kept in group if kept.child is not None]
            for _, child in running:
                child.signal(signal.SIGTERM)
                child.thaw()  # a stopped process takes no TERM
            began = time.monotonic()
            for kept, child in running:
                child.wait(max(0.0, kept.program.grace - (time.monotonic() - began)))
                child.terminate(0.0)

    def __enter__(self) -> Self:
        """Start everything."""
        for kept in self._kept:
            if kept.log.exists() and kept.log.stat().st_size > LOG_BYTES:
                kept.log.replace(kept.log.with_suffix(".log.1"))
            kept.read = kept.log.stat().st_size if kept.log.exists() else 0
            self._start(kept)
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self.stop()

    def _start(self, kept: _Kept) -> None:
        adopted = kept in self._lasting
        kept.child = Child.spawn(
            kept.program.argv,
            name=kept.program.name,
            log=kept.log,
            env=None if adopted else self._environment,
            cwd=None if adopted else self._cwd,
        )
        kept.began = time.monotonic()

    def _ended(self, kept: _Kept, child: Child) -> None:
        now = time.monotonic()
        kept.ends = 1 if now - kept.began > STABLE_SECONDS else kept.ends + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(kept.ends - 1, 10))
        kept.child, kept.due = None, now + pause
        code = child.returncode or 0
        how = f"was ended by signal {-code}" if code < 0 else f"exited with status {code}"
        self._say(f"{kept.program.name} {how}; it is started again in {pause:g} s. The end of {kept.log}:")
        for line in child.tail(TAIL_LINES).splitlines():
            self._say(f"    {scrub(line)}")


def _new_errors(kept: _Kept) -> list[str]:
    """The error events that a log gained since the last look, one line each."""
    try:
        with kept.log.open("rb") as stream:
            stream.seek(kept.read)
            new = stream.read(RELAY_BYTES)
    except FileNotFoundError:
        return []
    kept.read += len(new)
    *lines, kept.rest = (kept.rest + new).split(b"\n")
    return [text for line in lines if (text := _error_of(line))]


def _error_of(line: bytes) -> str:
    """The text of a JSON log line of level error or critical; "" for every other line."""
    if not line.startswith(b"{"):
        return ""
    try:
        event = json.loads(line)
    except ValueError:
        return ""
    if event.get("level") not in ("error", "critical"):
        return ""
    fields = [f"{key}={value}" for key, value in event.items() if key not in _UNSHOWN]
    cause = str(event.get("exception", "")).strip().rsplit("\n", 1)[-1]
    return scrub(" ".join([str(event.get("event", "")), *fields, *([f"({cause})"] if cause else [])]))


_UNSHOWN = frozenset({"event", "level", "timestamp", "exception"})
