"""Running kustomize and helm: fixed argv, nothing inherited, killed at the deadline or when it says too much."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed import confine

OUTPUT = 16 << 20
"""Bytes of rendered YAML: ten times the largest bundle of CRDs seen, and what etcd would take in 11 objects."""

ERRORS = 64 << 10
"""Bytes of what the program says on its error output; more is read and dropped."""

MEMORY = "600MiB"
"""Go's own limit: below RLIMIT_DATA, so that a large render collects garbage before the kernel refuses memory."""


def environment(home: str) -> dict[str, str]:
    """The whole environment of a tool: a home that ends with the job, and nothing of ours."""
    return {
        "PATH": "/nonexistent",
        "HOME": home,
        "TMPDIR": home,
        "HELM_CACHE_HOME": f"{home}/cache",
        "HELM_CONFIG_HOME": f"{home}/config",
        "HELM_DATA_HOME": f"{home}/data",
        "HELM_PLUGINS": f"{home}/plugins",
        # A render reaches nothing; whatever asks all the same is told so at once instead of waiting for a time limit.
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:1"),
        "NO_PROXY": "",
        "GIT_ALLOW_PROTOCOL": "none",
        "GOGC": "400",  # a render lives for milliseconds: collecting its garbage would cost a third of its time
        "GOMEMLIMIT": MEMORY,
        "GOMAXPROCS": "2",
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended. `seconds` is its own CPU time."""

    status: int
    output: bytes
    errors: str
    seconds: float


class Programs:
    """The tools by name, opened before the root of the file system changes."""

    def __init__(self, paths: dict[str, str]) -> None:
        """Tools that cannot be opened are missing; a job that needs one says so."""
        self._files: dict[str, int] = {}
        for name, path in paths.items():
            with contextlib.suppress(OSError):
                self._files[name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def descriptors(self) -> list[int]:
        """The open files of the tools that are there."""
        return list(self._files.values())

    def run(self, name: str, arguments: Sequence[str], *, folder: str, home: str, deadline: float) -> Outcome:
        """Run a tool in a folder until `deadline` (monotonic seconds). Raises RenderFailed when it had to be killed."""
        if name not in self._files:
            raise RenderFailed(f"{name} is not installed on this worker; `gitops-workers doctor` says how to get it")
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        seconds = max(1, int(deadline - time.monotonic()) + 1)
        parent = os.getpid()
        process = os.fork()
        if process == 0:
            try:
                confine.die_with_parent(parent)
                os.dup2(self._null, 0)
                os.dup2(out_write, 1)
                os.dup2(err_write, 2)
                os.chdir(folder)
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
                os.execve(self._files[name], [name, *arguments], environment(home))  # noqa: S606 - no shell is the point
            finally:
                os._exit(127)
        os.close(out_write)
        os.close(err_write)
        output, errors = bytearray(), bytearray()
        killed = ""
        try:
            killed = _collect({out_read: output, err_read: errors}, {out_read: OUTPUT}, deadline)
        finally:
            if killed:
                os.kill(process, signal.SIGKILL)
            os.close(out_read)
            os.close(err_read)
            _, status, usage = os.wait4(process, 0)
        if killed:
            raise RenderFailed(f"{name} {killed}")
        code = os.waitstatus_to_exitcode(status)
        text = errors.decode("utf-8", "replace")
        if code < 0:
            raise RenderFailed(f"{name} was ended by {signal.Signals(-code).name}: it went over a limit of the sandbox")
        return Outcome(code, bytes(output), text, usage.ru_utime + usage.ru_stime)


def _collect(sinks: dict[int, bytearray], limits: dict[int, int], deadline: float) -> str:
    """Read until both ends close; return why the program must be killed, or ""."""
    poll = select.poll()
    waiting = set(sinks)
    for source in waiting:
        poll.register(source, select.POLLIN)
    while waiting:
        left = deadline - time.monotonic()
        ready = poll.poll(left * 1000) if left > 0 else []
        if not ready:
            return "did not finish in time; make the render smaller"
        for source, _ in ready:
            part = os.read(source, 1 << 18)
            if not part:
                poll.unregister(source)
                waiting.discard(source)
            elif source in limits:
                sinks[source] += part
                if len(sinks[source]) > limits[source]:
                    return f"produced more than {limits[source]:,} bytes; split the application"
            elif len(sinks[source]) < ERRORS:
                sinks[source] += part
    return ""
