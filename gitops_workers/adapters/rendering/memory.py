"""What a process remembers of renders: recent results, failures with growing patience, and renders under way."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from gitops_workers.core.errors import RenderFailed

FIRST, LONGEST = 60.0, 3600.0
"""Seconds a failure is believed, doubling each time it is seen again: a poison application costs nothing."""

FAILURES = 10_000


class Recent:
    """The last results, bounded in bytes."""

    def __init__(self, size: int) -> None:
        """`size` in bytes."""
        self._size = size
        self._held = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The value, now the most recent."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: str, value: bytes) -> None:
        """Keep it, and forget the oldest over the bound."""
        with self._lock:
            self._held += len(value) - len(self._values.pop(key, b""))
            self._values[key] = value
            while self._held > self._size:
                self._held -= len(self._values.popitem(last=False)[1])


@dataclass(frozen=True, slots=True)
class _Failure:
    error: RenderFailed
    until: float
    delay: float


class Failures:
    """Failed renders by key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds, monotonic."""
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failure] = OrderedDict()

    def check(self, key: str) -> None:
        """Raise the remembered failure while it is believed."""
        with self._lock:
            failure = self._failures.get(key)
        if failure is not None and self._clock() < failure.until:
            raise type(failure.error)(*failure.error.args)

    def add(self, key: str, error: RenderFailed) -> None:
        """Believe a failure, twice as long as the time before."""
        with self._lock:
            before = self._failures.pop(key, None)
            delay = FIRST if before is None else min(before.delay * 2, LONGEST)
            self._failures[key] = _Failure(error, self._clock() + delay, delay)
            while len(self._failures) > FAILURES:
                self._failures.popitem(last=False)

    def forget(self, key: str) -> None:
        """It worked."""
        with self._lock:
            self._failures.pop(key, None)


class SingleFlight:
    """Equal work is done once at a time; those who come later wait for the first."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._lock = threading.Lock()
        self._flights: dict[str, Future[bytes]] = {}

    def do(self, key: str, work: Callable[[], bytes]) -> tuple[bytes, bool]:
        """Return the result, and whether somebody else worked for it. Raises what the work raised."""
        with self._lock:
            flight = self._flights.get(key)
            ours = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not ours:
            return flight.result(), True
        try:
            flight.set_result(work())
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._flights[key]
        return flight.result(), False
