"""One child of the pool: started with nothing of ours, asked through pipes, killed at a deadline."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from gitops_workers.adapters.sandbox.limits import SandboxLimits
from gitops_workers.core.render.isolation import Isolation
from gitops_workers.sandbox_protocol import frames

_BOOT = (
    "import sys, importlib; sys.path[1:1] = sys.argv.pop(1).split('\\n'); "
    "importlib.import_module('gitops_workers.sandboxed.' + sys.argv.pop(1)).main()"
)


class Died(Exception):
    """A child that did not answer; the text says why."""


class Child:
    """One running child; used by one thread at a time."""

    def __init__(
        self,
        folder: Path,
        tools: Mapping[str, str],
        limits: SandboxLimits,
        program: str,
        renderers: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.jobs = 0
        self.resident = 0
        self.isolation = Isolation()
        self._errors = folder / "errors"
        root = folder / "root"
        root.mkdir(mode=0o700)
        settings = {
            "root": str(root),
            "parent": os.getpid(),
            "tools": tools,
            "renderers": renderers,
            "memory": limits.memory,
            "file_size": limits.file_size,
            "processes": limits.processes,
        }
        paths = [Path(__file__).parents[3], Path(yaml.__file__).parents[1], Path(orjson.__file__).parents[1]]
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
        """Its process id on this host."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def greet(self) -> None:
        """Wait until it is confined and says by which means. Raises Died."""
        answer, _ = self._receive(time.monotonic() + 30.0, 1 << 16)
        self.isolation = Isolation(**answer["result"])

    def exchange(self, frame: bytes, seconds: float, limit: int) -> tuple[Any, bytes]:
        """Hand in a job and return its answer of at most `limit` bytes. Raises Died."""
        deadline = time.monotonic() + seconds
        self._send(frame, deadline)
        answer, body = self._receive(deadline, limit)
        self.jobs += 1
        self.resident = answer["resident"]
        return answer, body

    def end(self) -> None:
        """Kill it with everything that it started, and remove its files."""
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
            raise Died(f"the answer is larger than {limit:,} bytes")
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
            raise Died("it did not end in time and was killed")

    def _death(self) -> Died:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        code = self._process.returncode
        if code is not None and code < 0:
            return Died(f"the sandbox child died of {signal.Signals(-code).name}")
        with contextlib.suppress(OSError):
            # Only the exception's name: its text may quote content.
            last = self._errors.read_bytes()[-4096:].decode("utf-8", "replace").strip().rpartition("\n")[2]
            return Died(f"the sandbox child ended with {last.partition(':')[0][:80] or code}")
        return Died(f"the sandbox child ended with {code}")
