"""A process whose kernel answers as in a container that forbids namespaces: system calls fail with EPERM."""

from __future__ import annotations

import ctypes
import errno
import json
import multiprocessing
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from gitops_workers.adapters.rendering import CHILDREN
from gitops_workers.adapters.sandbox import Sandbox, SandboxLimits
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.render.isolation import Isolation
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.sandboxed import system_calls
from tests.servers.rendering import RenderWorld, tools

ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
NUMBERS = {"unshare": (272, 97), "chroot": (161, 51), "landlock_create_ruleset": (444, 444), "prctl": (157, 167)}
NAMESPACES = ("unshare", "chroot")
"""What Docker's own profile refuses a container without capabilities."""
LANDLOCK = "landlock_create_ruleset"
"""Kernels before 5.13 do not know it."""
NO_NEW_PRIVILEGES = 38
"""Of `prctl(2)`: a filter is taken only from a process that can gain no rights."""
SECCOMP = "prctl"
"""Without it no filter can be set, and no Landlock rule by a process without rights."""


@contextmanager
def host(*refused: str) -> Iterator[Callable[..., Any]]:
    """Run functions in a process on such a host."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_refuse, initargs=(refused,)) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result(timeout=120)


def isolation() -> Isolation:
    """What keeps a child apart there."""
    sandbox = Sandbox({}, limits=SandboxLimits(open_network=True))
    try:
        return sandbox.isolation()
    finally:
        sandbox.close()


def rendered(
    files: Mapping[str, bytes | str], path: str, spec: RenderSpec, limits: SandboxLimits | None = None
) -> list[Any] | str:
    """The objects of a path, or the name of the error and its words."""
    sandbox = Sandbox(tools(), limits=limits, renderers=CHILDREN)
    try:
        return RenderWorld(sandbox).objects(files, path, spec)
    except GitOpsError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        sandbox.close()


def _refuse(names: tuple[str, ...]) -> None:
    ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    architecture, column = ARCHITECTURES[platform.machine()]
    assert system_calls.install(architecture, [NUMBERS[name][column] for name in names], errno.EPERM)


def first_words(environment: Mapping[str, str]) -> dict[str, Any]:
    """The first line that a worker logs there, and `code`: how it ended, None while it goes on."""
    command = [sys.executable, "-m", "gitops_workers.process", "worker"]
    given = {**os.environ, "GITOPS_REDIS_URL": "unix:///nonexistent.sock", **environment}
    with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if line.startswith("{"))
        try:
            code = process.wait(timeout=None if '"error"' in line else 0.1)
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
    return {**json.loads(line), "code": code}
