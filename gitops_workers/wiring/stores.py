"""Where adapters meet ports: the only place that knows which implementation a process uses.

`open_queue` and `open_state` are cheap, for processes that only read and ring (beat, web, Flower, CLI). What only
workers need, Git, rendering and clusters, is wired in `wiring.worker`, so that nobody else pays for it.
"""

from __future__ import annotations

import os
import secrets as randomness
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_workers.adapters.redis_queue import RedisQueue
from gitops_workers.adapters.redis_telemetry import RedisTelemetry
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.redis_client import connect
from gitops_workers.settings import Settings

if TYPE_CHECKING:
    from gitops_workers.adapters.redis_state import RedisState


def open_queue(settings: Settings) -> RedisQueue:
    """The due queue."""
    if not settings.redis_url:
        raise InvalidManifest("GITOPS_REDIS_URL: not set. Set it, or start everything here with `gitops-workers up`.")
    return RedisQueue(connect(settings.redis_url), slots=settings.admission, host_slots=settings.git_admission)


def open_state(settings: Settings) -> RedisState:
    """The status store."""
    from gitops_workers.adapters.redis_state import RedisState  # noqa: PLC0415 - beat does without it

    client = connect(settings.redis_url)
    presence = RedisTelemetry(client).presence
    return RedisState(client, open_queue(settings).cluster_loads, presence, key=cache_key(settings))


def open_telemetry(settings: Settings) -> RedisTelemetry:
    """Heartbeats and figures."""
    return RedisTelemetry(connect(settings.redis_url))


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


def mirrors_directory(settings: Settings) -> Path:
    """Bare mirrors of repositories, per host."""
    return settings.state_directory / "mirrors"
