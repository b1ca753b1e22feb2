"""The port `RenderCache` on Redis: rendered objects that whoever can read or write Redis can neither read nor forge.

An entry is sealed for its own key. A cache that does not answer is a miss: rendering again is always right.
"""

from __future__ import annotations

import redis

from gitops_workers.cipher import Cipher


class RedisRenderCache:
    """Sealed bytes by content key."""

    def __init__(self, client: redis.Redis[bytes], cipher: Cipher, prefix: str) -> None:
        """`client` returns bytes; `cipher` has the same key on all workers; `prefix` starts every entry's key."""
        self._client = client
        self._cipher = cipher
        self._prefix = prefix

    def get(self, key: str) -> bytes | None:
        """The bytes; None when absent, expired or tampered with."""
        name = self._prefix + key
        try:
            sealed = self._client.get(name)
        except redis.RedisError:
            return None
        return self._cipher.open(name, sealed) if isinstance(sealed, bytes) else None

    def put(self, key: str, value: bytes, lifetime: float) -> None:
        """Keep for `lifetime` seconds; forgotten when Redis does not answer."""
        name = self._prefix + key
        try:
            self._client.set(name, self._cipher.close(name, value), px=max(1, int(lifetime * 1000)))
        except redis.RedisError:
            return
