"""Both queues with a clock that the test moves, so that leases and backoffs pass without waiting.

The Redis one runs the real script; only the source of its time is a list in that Redis instead of the TIME command.
"""

from __future__ import annotations

from typing import Protocol

from gitops_workers.adapters.redis_queue import RedisQueue
from gitops_workers.ports import Queue
from gitops_workers.redis_client import RedisClient
from gitops_workers.testing.volatile_queue import VolatileQueue

START = 1_800_000_000.0


class Ground(Protocol):
    queue: Queue

    def advance(self, seconds: float) -> None: ...

    def clear(self) -> None:
        """FLUSHALL."""


class VolatileGround:
    def __init__(self, **options) -> None:
        self.time = START
        self.queue = VolatileQueue(lambda: self.time, **options)

    def advance(self, seconds: float) -> None:
        self.time += seconds

    def clear(self) -> None:
        self.queue.clear()


class SteppedRedisQueue(RedisQueue):
    script = RedisQueue.script.replace("redis.call('TIME')", "redis.call('LRANGE', 'clock', 0, 1)")

    def now(self) -> float:
        seconds, micros = self._client.lrange("clock", 0, 1)
        return int(seconds) + int(micros) / 1e6


class RedisGround:
    def __init__(self, client: RedisClient, **options) -> None:
        self.time = START
        self.client = client
        self.queue = SteppedRedisQueue(client, **options)
        self.clear()

    def advance(self, seconds: float) -> None:
        self.time += seconds
        with self.client.pipeline() as pipe:
            pipe.delete("clock")
            pipe.rpush("clock", int(self.time), int(self.time % 1 * 1e6))
            pipe.execute()

    def clear(self) -> None:
        self.client.flushall()
        self.advance(0)


def ids(doorbells) -> list[str]:
    return [bell.id for bell in doorbells]
