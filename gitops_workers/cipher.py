"""What stands in Redis or a ConfigMap and only our processes may read: packed, encrypted, bound to its place.

A sealed value is a nonce of 12 bytes and AES-256-GCM over zstd. The place is the associated data, so that a value
that was copied somewhere else does not open there.
"""

from __future__ import annotations

import hashlib
import os

import zstandard

_KEY = 32
_NONCE = 12
_LARGEST = 64 << 20
"""Bytes that a value may unpack to: what a sandbox child may answer."""


class Cipher:
    """Closes and opens with one key per installation."""

    def __init__(self, key: bytes) -> None:
        """`key` has 32 bytes; of any other length a digest takes its place, which guards against accidents only."""
        self._key = key if len(key) == _KEY else hashlib.blake2b(key, digest_size=_KEY).digest()

    def close(self, place: str, content: bytes) -> bytes:
        """Another text each time, for the nonce is drawn anew."""
        # The import costs 6 MiB, and the web process seldom opens anything.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        nonce = os.urandom(_NONCE)
        # Compressors are not safe to share between threads; making one costs microseconds.
        packed = zstandard.ZstdCompressor(level=3).compress(content)
        return nonce + AESGCM(self._key).encrypt(nonce, packed, place.encode())

    def open(self, place: str, sealed: bytes) -> bytes | None:
        """The content; None when another key closed it, it was closed for another place, or it was changed."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        if len(sealed) <= _NONCE:
            return None
        try:
            packed = AESGCM(self._key).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
            return zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
        except (InvalidTag, zstandard.ZstdError):
            return None
