"""Values that decide what is written to clusters, stored so that an edit is noticed.

Whoever can write Redis must not thereby write to a cluster (CVE-2024-31989 of Argo CD is just that): applications and
documents carry a digest keyed by a secret that only our processes have, over the place and the content. A value that
does not fit is as good as absent, and everything here can be rebuilt.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson
import zstandard

from gitops_workers.core.documents.kind import DAMAGED

COMPRESS_BYTES = 1024
"""Below it, compressing costs more than it saves."""

LARGEST_BYTES = 64 * 1024 * 1024
"""What a value may unpack to; ours stay far below, so more is somebody's bomb."""

_MAC_BYTES = 16


class Seal:
    """Seals bytes and JSON for a place (key and field), with one secret per installation."""

    def __init__(self, key: bytes) -> None:
        """`key` is up to 64 bytes; empty only guards against accidents."""
        self._key = key

    def close(self, place: str, content: bytes) -> bytes:
        """Compressed where worth it, behind the keyed digest."""
        body = b"z" + zstandard.compress(content, 1) if len(content) > COMPRESS_BYTES else b"p" + content
        return self._digest(place, body) + body

    def open(self, place: str, stored: bytes | None) -> bytes | None:
        """The content, None when there is none or it is not what we stored there."""
        if stored is None:
            return None
        mac, body = stored[:_MAC_BYTES], stored[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._digest(place, body)):
            return None
        return unpacked(body[1:]) if body[:1] == b"z" else body[1:]

    def close_json(self, place: str, value: Any) -> bytes:
        """A JSON value, sealed."""
        return self.close(place, orjson.dumps(value))

    def open_json(self, place: str, stored: bytes) -> Any:
        """The JSON value; DAMAGED where it is not what we stored there."""
        content = self.open(place, stored)
        try:
            return DAMAGED if content is None else orjson.loads(content)
        except orjson.JSONDecodeError:
            return DAMAGED

    def _digest(self, place: str, body: bytes) -> bytes:
        state = hashlib.blake2b(key=self._key, digest_size=_MAC_BYTES)
        state.update(len(place).to_bytes(4, "big") + place.encode())
        state.update(body)
        return state.digest()


def unpacked(packed: bytes) -> bytes | None:
    """Decompress, None when it is damaged or too large."""
    try:
        if zstandard.frame_content_size(packed) > LARGEST_BYTES:
            return None
        return zstandard.decompress(packed, max_output_size=LARGEST_BYTES)
    except zstandard.ZstdError:
        return None
