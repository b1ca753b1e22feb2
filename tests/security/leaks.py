"""Where a secret could show up: everything Redis holds and is told, every process' command line, every log."""

from __future__ import annotations

import base64
import binascii
import re
import threading
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import redis
import zstandard

ZSTD = b"\x28\xb5\x2f\xfd"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
_ESCAPED = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)
_ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


def readings(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """The bytes, and what they hold compressed or in base64."""
    yield data
    if not depth:
        return
    place = data.find(ZSTD)
    while place >= 0:
        try:
            inner = zstandard.ZstdDecompressor().decompressobj().decompress(data[place:])
        except zstandard.ZstdError:
            inner = b""
        if inner:
            yield from readings(inner, depth - 1)
        place = data.find(ZSTD, place + 1)
    for match in _BASE64.finditer(data):
        text = match[0].rstrip(b"=")
        try:
            inner = base64.b64decode(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            continue
        yield from readings(inner, depth - 1)


def found(needles: Iterable[str], data: bytes) -> list[str]:
    """The needles that can be read in the data, in any disguise that `readings` knows."""
    wanted = [(needle, needle.encode()) for needle in needles]
    everything = b"\0".join(readings(data))
    return [needle for needle, raw in wanted if raw in everything]


def dump(client: Any) -> Iterator[tuple[str, list[bytes]]]:
    """Every key of a Redis with all that it holds, its own name first.

    Each part stands alone: joined, the last readable letters of one and the random bytes of a sealed next one make
    whatever a search is for, sooner or later.
    """
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        match kind:
            case b"string":
                parts = [client.get(key) or b""]
            case b"hash":
                parts = [part for item in client.hgetall(key).items() for part in item]
            case b"list":
                parts = client.lrange(key, 0, -1)
            case b"set":
                parts = list(client.smembers(key))
            case b"zset":
                parts = client.zrange(key, 0, -1)
            case b"stream":
                entries = client.xrange(key)
                parts = [part for _, fields in entries for item in fields.items() for part in item]
            case b"none":
                continue  # it has expired just now
            case other:
                raise AssertionError(f"{key!r} is a {other!r}, which this test cannot read")
        yield key.decode(errors="replace"), [key, *parts]


class Monitor:
    """Listens to every command that a Redis is told while the block runs.

    The last command is the monitor's own, and the listener goes on until it hears that one: a listener that stopped as
    soon as the block was over left unheard whatever it had not read yet.
    """

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._end = uuid.uuid4().hex
        self._raw = bytearray()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.echo(self._end)
        self._thread.join(60)
        self._client.close()
        assert not self._thread.is_alive(), "the listener has not heard the last command"

    def commands(self) -> list[list[bytes]]:
        """What was heard: each command's arguments as they were sent, its name first."""
        lines = bytes(self._raw).split(b"\r\n")
        return [[_ESCAPED.sub(_unescaped, item) for item in _ARGUMENT.findall(line)] for line in lines if line]

    def _listen(self) -> None:
        connection = self._client.connection_pool.get_connection()
        connection.send_command("MONITOR")
        assert connection.read_response() == b"OK"
        self._ready.set()
        end = self._end.encode()
        while end not in (line := connection.read_response()):
            self._raw += line + b"\r\n"
        connection.disconnect()


def _unescaped(match: re.Match[bytes]) -> bytes:
    text = match[1]
    return bytes([int(text[1:], 16)]) if len(text) == 3 else _NAMED.get(text, text)


def command_lines() -> Iterator[tuple[str, bytes]]:
    """The command line of every process of this machine that can be read."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield str(path), path.read_bytes()
        except OSError:
            continue
