"""What a sandbox child may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a child may use. A job over a limit fails; nothing is ever cut."""

    seconds: float = 90.0
    """One job: Argo CD's exec timeout."""
    parsing: float = 20.0
    """One job that only reads files: 4 MiB take 2 s. A child whose memory is used up to the last byte may also spin
    here: CPython 3.11 retries forever when it cannot even note where an exception came from (seen at 64 MiB)."""
    memory: int = 1024 << 20
    """Bytes of a child and of each tool it runs: YAML grows up to 250 times in memory (measured)."""
    file_size: int = 64 << 20
    """Bytes of one file written: above any manifest, below what fills a tmpfs."""
    processes: int = 1024
    """Threads and processes of the child's user on this host (the kernel counts by user, not by child)."""
    open_network: bool = False
    """Whether to run jobs where the kernel closes their network by no means."""
    jobs: int = 500
    """Jobs until a child is replaced: its garbage collector is off."""
    resident: int = 256 << 20
    """Bytes at which it is replaced earlier."""
    grace: float = 2.0
    """Seconds on top of a job's own until the child is killed: it should say itself that it was too slow."""
    waiting: float = 300.0
    """Seconds a job waits for a free child before the worker says that it is overloaded."""
    answer: int = 64 << 20
    """Bytes of one answer: 16 MiB of YAML as JSON, with room."""
