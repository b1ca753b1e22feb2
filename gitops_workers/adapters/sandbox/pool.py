"""The pool of sandbox children: where everything from a repository is parsed and rendered.

A child is a fresh interpreter (`gitops_workers.sandboxed`), about 15 MB, confined by the kernel. Jobs and answers go
through pipes; files live in the child's own folder on tmpfs. Whatever happens to a child is a typed error for the one
job it had: the worker process and the other children go on.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gitops_workers.adapters.sandbox.child import Child, Died
from gitops_workers.adapters.sandbox.limits import SandboxLimits
from gitops_workers.adapters.sandbox.refusals import refusal
from gitops_workers.adapters.sandbox.scratch import Scratch
from gitops_workers.core.errors import Retry, UnsafeContent
from gitops_workers.core.render.isolation import Isolation
from gitops_workers.sandbox_protocol import frames

SLOW = 1.0
"""Seconds after which a job is slow: a kustomization takes 20 ms, a chart 60."""

OPEN_NETWORK = (
    "nothing is rendered here: this kernel closes the network of a render by no means (no network namespace, no "
    "seccomp filter); allow one of them, or set GITOPS_ALLOW_RENDER_NETWORK=true where egress is closed otherwise"
)
"""What is said instead of rendering with a network."""


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
        renderers: Mapping[str, str] | None = None,
    ) -> None:
        """`tools`: paths of the programs of renders; a missing one fails only the jobs that need it.

        `program` is the module of `gitops_workers.sandboxed` that the children run: `main`, or `rules`. `renderers`:
        tool -> the module there that renders it; without them the children only parse.
        """
        self._program = program
        self._renderers = dict(renderers or {})
        self._tools = {name: os.fspath(path) for name, path in tools.items()}
        self._limits = limits or SandboxLimits()
        # One thread that lives as long as the pool starts all children: the kernel sends the death signal when the
        # thread that forked ends, and a worker's threads come and go.
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-spawner")
        self.scratch = Scratch()
        """The folder below which each child has its own."""
        self._living: set[Child] = set()
        self._turn = threading.Condition()
        self._idle: list[Child] = []
        self._unstarted = max(1, children)
        self._jobs: dict[int, float] = {}
        self._close = weakref.finalize(self, _end, self._living, self._spawner, self.scratch)

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
        except Died as problem:
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
            raise refusal(answer, what)
        return answer["result"], body

    def documents(self, data: bytes, what: str) -> list[tuple[Any, dict[tuple[str | int, ...], int]]]:
        """Parse YAML or JSON in a child: per document its value and the lines by path. Raises as `run`, with `line`."""
        result, _ = self.run("documents", {}, [data], what=what)
        return [(value, {tuple(place): line for place, line in lines}) for value, _, lines in result]

    def isolation(self) -> Isolation:
        """What keeps the children apart from this host; starts one where none runs."""
        child = self._acquire()
        try:
            child = child or self._start()
            return child.isolation
        finally:
            self._release(child)

    def pids(self) -> list[int]:
        """The living children, for the accounts and tests."""
        return sorted(child.pid for child in list(self._living))

    def close(self) -> None:
        """End all children and remove their files."""
        self._close()

    def _acquire(self) -> Child | None:
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

    def _release(self, child: Child | None) -> None:
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

    def _start(self) -> Child:
        if not self._close.alive:
            raise Retry("the sandbox is closed; this worker is shutting down")
        folder = self.scratch.folder()
        child = self._spawner.submit(Child, folder, self._tools, self._limits, self._program, self._renderers).result()
        self._living.add(child)
        try:
            child.greet()
        except Died as problem:
            self._discard(child)
            raise Retry(f"a sandbox child does not start: {problem}") from None
        if not child.isolation.network_closed and not self._limits.open_network:
            self._discard(child)
            raise Retry(OPEN_NETWORK)
        return child

    def _discard(self, child: Child | None) -> None:
        if child is not None:
            self._living.discard(child)
            child.end()


def _end(living: set[Child], spawner: ThreadPoolExecutor, scratch: Scratch) -> None:
    for child in list(living):
        child.end()
    living.clear()
    spawner.shutdown(wait=False)
    scratch.remove()
