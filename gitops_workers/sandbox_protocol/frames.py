"""The language between a worker and its sandbox children: a JSON head and raw bytes, both length-prefixed."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from gitops_workers.core.errors import RenderFailed

PREFIX = struct.Struct(">II")
"""Bytes of the head, bytes of the body."""


class InputMissing(RenderFailed):
    """The tool wants a file that was not exported: render again with the whole commit."""


class Runner(Protocol):
    """The worker's side, for those who only hand in jobs."""

    def run(
        self, job: str, request: Mapping[str, Any], blobs: Sequence[bytes] = (), *, what: str, seconds: float = 0.0
    ) -> tuple[Any, bytes]:
        """Do a job in a child. Raises RenderFailed; `what` names the job in messages."""


def encode(head: Any, body: bytes = b"") -> bytes:
    """Return one frame."""
    text = orjson.dumps(head)
    return PREFIX.pack(len(text), len(body)) + text + body


def read(source: int) -> tuple[Any, bytes] | None:
    """Read one frame from a blocking descriptor; None at its end."""
    prefix = _exactly(source, PREFIX.size)
    if prefix is None:
        return None
    head_size, body_size = PREFIX.unpack(prefix)
    head, body = _exactly(source, head_size), _exactly(source, body_size)
    return None if head is None or body is None else (orjson.loads(head), body)


def write(target: int, frame: bytes) -> None:
    """Write all of a frame to a blocking descriptor."""
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(target, rest) :]


def _exactly(source: int, size: int) -> bytes | None:
    parts = []
    while size:
        part = os.read(source, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
