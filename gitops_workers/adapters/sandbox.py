"""The pool of sandbox children: where everything from a repository is parsed and rendered.

A child is a fresh interpreter (`gitops_workers.sandboxed`), about 15 MB, confined by the kernel. Jobs and answers go
through pipes; files live in the child's own folder on tmpfs. Whatever happens to a child is a typed error for the one
job it had: the worker process and the other children go on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import yaml

from gitops_workers.core.errors import RenderFailed, Retry, UnsafeContent
from gitops_workers.sandboxed import frames

_BOOT = (
    "import sys, importlib; sys.path[1:1] = sys.argv.pop(1).split('\\n'); "
    "importlib.import_module('gitops_workers.sandboxed.' + sys.argv.pop(1)).main()"
)
_PREFIX = "gitops-render-"
SLOW = 1.0
"""Seconds after which a job is slow: a kustomization takes 20 ms, a chart 60."""


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


class _Died(Exception):
    """A child that did not answer; the text says why."""


class Sandbox:
    """A pool shared by all threads of a process.

    The first child starts with the first job, another one only when all that run have been at their jobs for a while:
    rendering is CPU-bound and a worker process has one core, so more children at once cost 25 MB each with their tools
    and finish nothing sooner. What they are for is that a slow job does not hold up everybody's.
    """

    def __init__(
        self,
        tools: Mapping[str, Path],
        *,
        children: int = 2,
        limits: SandboxLimits | None = None,
        program: str = "main",
    ) -> None:
        """`tools`: paths of `kustomize` and `helm`; a missing one fails only the jobs that need it.

        `program` is the module of `gitops_workers.sandboxed` that the children run: `main`, or `rules`.
        """
        self._program = program
        self._tools = {name: os.fspath(path) for name, path in tools.items()}
        self._limits = limits or SandboxLimits()
        # One thread that lives as long as the pool starts all children: the kernel sends the death signal when the
        # thread that forked ends, and a worker's threads come and go.
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-spawner")
        self._scratch = _Scratch()
        self._living: set[_Child] = set()
        self._turn = threading.Condition()
        self._idle: list[_Child] = []
        self._unstarted = max(1, children)
        self._jobs: dict[int, float] = {}
        self._close = weakref.finalize(self, _end, self._living, self._spawner, self._scratch)

    def run(
        self, job: str, request: Mapping[str, Any], blobs: Sequence[bytes] = (), *, what: str, seconds: float = 0.0
    ) -> tuple[Any, bytes]:
        """Do a job in a child and return its answer. Raises RenderFailed, UnsafeContent, InputMissing, or Retry."""
        allowed = seconds or (self._limits.seconds if job == "render" else self._limits.parsing)
        head = {"job": job, "request": request, "blobs": [len(blob) for blob in blobs], "seconds": allowed}
        frame = frames.encode(head, b"".join(blobs))
        child = self._acquire()
        try:
            if child is None:
                child = self._start()
            answer, body = child.exchange(frame, allowed + self._limits.grace, self._limits.answer)
        except _Died as problem:
            self._discard(child)
            child = None
            raise UnsafeContent(f"{what}: {problem}; the worker goes on, the content must change") from None
        except BaseException:
            self._discard(child)
            child = None
            raise
        finally:
            self._release(child)
        if "error" in answer:
            raise _refusal(answer, what)
        return answer["result"], body

    def documents(self, data: bytes, what: str) -> list[tuple[Any, dict[tuple[str | int, ...], int]]]:
        """Parse YAML or JSON in a child: per document its value and the lines by path. Raises as `run`, with `line`."""
        result, _ = self.run("documents", {}, [data], what=what)
        return [(value, {tuple(place): line for place, line in lines}) for value, _, lines in result]

    def isolation(self) -> Mapping[str, bool]:
        """Which confinements this host allows: `network`, `chroot`, `user`."""
        child = self._acquire()
        try:
            child = child or self._start()
            return child.rights
        finally:
            self._release(child)

    def pids(self) -> list[int]:
        """The living children, for the accounts and tests."""
        return sorted(child.pid for child in list(self._living))

    def close(self) -> None:
        """End all children and remove their files."""
        self._close()

    def _acquire(self) -> _Child | None:
        """A free child; None is the right to start one. Raises Retry when there is neither in time."""
        asked_at = time.monotonic()
        with self._turn:
            while not self._idle and not self._may_start():
                left = asked_at + self._limits.waiting - time.monotonic()
                if left <= 0:
                    waited = f"{self._limits.waiting:.0f} s"
                    raise Retry(f"all sandbox children were busy for {waited}; add workers")
                self._turn.wait(min(left, SLOW))
            self._jobs[threading.get_ident()] = time.monotonic()
            if not self._idle:
                self._unstarted -= 1
                return None
            child = self._idle.pop()
        if not child.alive():
            self._discard(child)
            return None
        return child

    def _may_start(self) -> bool:
        slow = time.monotonic() - SLOW
        return self._unstarted > 0 and all(begun <= slow for begun in self._jobs.values())

    def _release(self, child: _Child | None) -> None:
        worn = child is not None and (child.jobs >= self._limits.jobs or child.resident > self._limits.resident)
        if worn:
            self._discard(child)
        with self._turn:
            del self._jobs[threading.get_ident()]
            if child is None or worn:
                self._unstarted += 1
            else:
                self._idle.append(child)
            self._turn.notify()

    def _start(self) -> _Child:
        if not self._close.alive:
            raise Retry("the sandbox is closed; this worker is shutting down")
        child = self._spawner.submit(_Child, self._scratch.folder(), self._tools, self._limits, self._program).result()
        self._living.add(child)
        try:
            child.greet()
        except _Died as problem:
            self._discard(child)
            raise Retry(f"a sandbox child does not start: {problem}") from None
        return child

    def _discard(self, child: _Child | None) -> None:
        if child is not None:
            self._living.discard(child)
            child.end()


class _Child:
    """One running child; used by one thread at a time."""

    def __init__(self, folder: Path, tools: Mapping[str, str], limits: SandboxLimits, program: str) -> None:
        self.folder = folder
        self.jobs = 0
        self.resident = 0
        self.rights: Mapping[str, bool] = {}
        self._errors = folder / "errors"
        root = folder / "root"
        root.mkdir(mode=0o700)
        settings = {
            "root": str(root),
            "parent": os.getpid(),
            "tools": tools,
            "memory": limits.memory,
            "file_size": limits.file_size,
            "processes": limits.processes,
        }
        paths = [Path(__file__).parents[2], Path(yaml.__file__).parents[1], Path(orjson.__file__).parents[1]]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-B", "-c", _BOOT),
                    *("\n".join(map(str, paths)), program, orjson.dumps(settings)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={"PATH": "/nonexistent"},
                cwd="/",
                start_new_session=True,
                bufsize=0,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def greet(self) -> None:
        answer, _ = self._receive(time.monotonic() + 30.0, 1 << 16)
        self.rights = answer["result"]

    def exchange(self, frame: bytes, seconds: float, limit: int) -> tuple[Any, bytes]:
        deadline = time.monotonic() + seconds
        self._send(frame, deadline)
        answer, body = self._receive(deadline, limit)
        self.jobs += 1
        self.resident = answer["resident"]
        return answer, body

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, frame: bytes, deadline: float) -> None:
        rest = memoryview(frame)
        while rest:
            self._wait(self._to, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._to, rest) :]
            except BrokenPipeError:
                raise self._death() from None

    def _receive(self, deadline: float, limit: int) -> tuple[Any, bytes]:
        head_size, body_size = frames.PREFIX.unpack(self._read(frames.PREFIX.size, deadline))
        if head_size + body_size > limit:
            raise _Died(f"the answer is larger than {limit:,} bytes")
        head = self._read(head_size, deadline)
        return orjson.loads(head), self._read(body_size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        parts = []
        while size:
            self._wait(self._from, select.POLLIN, deadline)
            part = os.read(self._from, min(size, 1 << 20))
            if not part:
                raise self._death()
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, stream: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(stream, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise _Died("it did not end in time and was killed")

    def _death(self) -> _Died:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        code = self._process.returncode
        if code is not None and code < 0:
            return _Died(f"the sandbox child died of {signal.Signals(-code).name}")
        with contextlib.suppress(OSError):
            # Only the exception's name: its text may quote content.
            last = self._errors.read_bytes()[-4096:].decode("utf-8", "replace").strip().rpartition("\n")[2]
            return _Died(f"the sandbox child ended with {last.partition(':')[0][:80] or code}")
        return _Died(f"the sandbox child ended with {code}")


class _Scratch:
    """The folder of a process' children, on tmpfs where there is one; those of dead processes are removed."""

    def __init__(self) -> None:
        shared = Path("/dev/shm")  # noqa: S108 - tmpfs; folders in it are made by mkdtemp
        base = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
        self._sweep(base)
        self.path, self._lock = _locked_folder(base)
        self.path.chmod(0o711)  # a child of a root worker runs as nobody

    def folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self.path))
        folder.chmod(0o711)
        return folder

    def remove(self) -> None:
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


class Refusal(RenderFailed):
    """A refusal with the line it is about, 0 where there is none."""

    line = 0


class Danger(UnsafeContent):
    """As `Refusal`, for content that tries to leave its bounds."""

    line = 0


def _refusal(answer: Mapping[str, Any], what: str) -> RenderFailed:
    message = f"{what}: {answer['message']}"
    if answer["error"] == "InputMissing":
        return frames.InputMissing(message)
    error = Danger(message) if answer["error"] == "UnsafeContent" else Refusal(message)
    error.line = answer.get("line", 0)
    return error


def _end(living: set[_Child], spawner: ThreadPoolExecutor, scratch: _Scratch) -> None:
    for child in list(living):
        child.end()
    living.clear()
    spawner.shutdown(wait=False)
    scratch.remove()
