"""Where adapters meet ports: the only place that knows which implementation a process uses.

`open_queue` and `open_state` are cheap, for processes that only read and ring (beat, web, Flower, CLI). `open_world`
adds Git, rendering and clusters, for workers; it imports them only when called, so that nobody else pays for them.
"""

from __future__ import annotations

import functools
import os
import secrets as randomness
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_workers.adapters.redis_queue import RedisQueue
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.redis_client import connect
from gitops_workers.settings import Settings, read

if TYPE_CHECKING:
    from gitops_workers.adapters.redis_state import RedisState
    from gitops_workers.pipeline.world import World
    from gitops_workers.ports import Catalogue
    from gitops_workers.publishing import Sender

RELOAD_SECONDS = 5.0
"""How old what we know of kubeconfig and Secrets may be: a rotated token is used by the next attempt."""


def open_queue(settings: Settings) -> RedisQueue:
    """The due queue."""
    if not settings.redis_url:
        raise InvalidManifest("GITOPS_REDIS_URL: not set. Set it, or start everything here with `gitops-workers up`.")
    return RedisQueue(connect(settings.redis_url), slots=settings.admission)


def open_state(settings: Settings) -> RedisState:
    """The status store."""
    from gitops_workers.adapters.redis_state import RedisState  # noqa: PLC0415 - beat does without it

    return RedisState(connect(settings.redis_url), open_queue(settings).loads, key=cache_key(settings))


def cache_key(settings: Settings) -> bytes:
    """The 32-byte secret of this installation: from the setting, else kept in the state directory."""
    if settings.cache_key:
        try:
            key = bytes.fromhex(settings.cache_key)
        except ValueError as error:
            raise InvalidManifest("GITOPS_CACHE_KEY: not hexadecimal. Make one with `openssl rand -hex 32`.") from error
        if len(key) != 32:
            raise InvalidManifest(
                f"GITOPS_CACHE_KEY: {len(key)} bytes, expected 32. Make one with `openssl rand -hex 32`."
            )
        return key
    path = settings.state_directory / "cache.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(randomness.token_bytes(32))
    except FileExistsError:
        pass
    for _ in range(50):
        if len(key := path.read_bytes()) == 32:
            return key
        time.sleep(0.02)  # another process has created the file and is about to fill it
    raise InvalidManifest(f"{path}: damaged. Delete it and restart; only caches are lost.")


@dataclass(slots=True)
class Engine:
    """What a worker's tasks use: the ports, the catalogues, and the way to ring."""

    world: World
    catalogues: Sequence[Catalogue]
    celery: Sender
    reload: Callable[[], None]
    _checked: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self) -> Engine:
        """This engine, with credentials that are at most RELOAD_SECONDS old."""
        if time.monotonic() - self._checked > RELOAD_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._checked = time.monotonic()
                self.reload()
            finally:
                self._lock.release()
        return self


def current() -> Engine:
    """The engine of this process, built at the first task: after the fork, so that no connection is shared."""
    return _engine().fresh()


_building = threading.Lock()


def _engine() -> Engine:
    with _building:  # a worker's threads all come at once, and each engine costs connections and render children
        return _build_engine()


@functools.cache
def _build_engine() -> Engine:
    from gitops_workers.app import celery_app  # noqa: PLC0415 - tasks are imported by it
    from gitops_workers.worker_wiring import build  # noqa: PLC0415 - Git, rendering and clusters, for workers only

    return build(read(os.environ), celery_app)


def mirrors_directory(settings: Settings) -> Path:
    """Bare mirrors of repositories, per host."""
    return settings.state_directory / "mirrors"
