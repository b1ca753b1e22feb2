"""The port `RenderCache` on Redis: rendered objects that whoever can read or write Redis can neither read nor forge.

An entry is a nonce and AES-256-GCM over zstd; the entry's own key is the associated data, so that an entry copied to
another key does not open. A cache that does not answer is a miss: rendering again is always right.
"""

from __future__ import annotations

import os

import redis
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE = 12
_LARGEST = 64 << 20
"""Bytes of one entry, unpacked: what a sandbox child may answer."""


class RedisRenderCache:
    """Sealed bytes by content key."""

    def __init__(self, client: redis.Redis[bytes], key: bytes, prefix: str) -> None:
        """`client` returns bytes; `key` has 32 bytes, the same on all workers; `prefix` starts every entry's key."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"the cache key has {len(key)} bytes, it needs {KEY_BYTES}")
        self._client = client
        self._cipher = AESGCM(key)
        self._prefix = prefix

    def get(self, key: str) -> bytes | None:
        """The bytes; None when absent, expired or tampered with."""
        name = self._prefix + key
        try:
            sealed = self._client.get(name)
        except redis.RedisError:
            return None
        if not isinstance(sealed, bytes) or len(sealed) <= _NONCE:
            return None
        try:
            packed = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
            # Compressors are not safe to share between threads; making one costs microseconds.
            return zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
        except (InvalidTag, zstandard.ZstdError):
            return None

    def put(self, key: str, value: bytes, lifetime: float) -> None:
        """Keep for `lifetime` seconds; forgotten when Redis does not answer."""
        name = self._prefix + key
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, zstandard.ZstdCompressor(level=3).compress(value), name.encode())
        try:
            self._client.set(name, sealed, px=max(1, int(lifetime * 1000)))
        except redis.RedisError:
            return
