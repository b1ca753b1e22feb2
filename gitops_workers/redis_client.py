"""The one way to open Redis: deadlines on everything, and failures as our own error.

Every adapter on Redis takes such a client, so none of them needs to know how it was connected or what redis-py raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import OutOfMemoryError, ReadOnlyError  # type: ignore[attr-defined]  # stubs older than the class
from redis.retry import Retry as Attempts

from gitops_workers.core.errors import Retry
from gitops_workers.core.telemetry.figures import REDIS_REQUESTS, counted
from gitops_workers.runtime.meters import METER

if TYPE_CHECKING:
    _Redis = redis.Redis[bytes]
    _Pipeline = Pipeline[bytes]
else:
    _Redis = redis.Redis
    _Pipeline = Pipeline

ANSWER_SECONDS = 10.0
"""Longer than a background save stalls a busy server, shorter than a lease."""

HOST, INITIATOR = "", "gitops-workers"
"""Labels of Argo CD's that would make a series per process here: the host is the scrape's business."""
_UNAVAILABLE = (redis.ConnectionError, redis.TimeoutError, ReadOnlyError, OutOfMemoryError)
_REFUSALS = ("MISCONF", "NOREPLICAS", "MASTERDOWN", "BUSY", "OOM")
_FULL = "OOM command not allowed"
"""How Redis 6 words it from inside a script."""


class StoreUnavailable(Retry):
    """Redis does not answer, is full, or takes no writes: nothing was changed; intake answers 503."""


def connect(url: str) -> RedisClient:
    """A lazily connected client of `redis://`, `rediss://` or `unix://`; threads share it, each call has a deadline."""
    options: dict[str, Any] = (
        {} if url.startswith("unix:") else {"socket_keepalive": True, "socket_connect_timeout": 3.0}
    )
    pool = redis.ConnectionPool.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        # Once more, and only when the connection was found closed: after a timeout nobody knows whether it happened.
        retry=Attempts(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        **options,
    )
    return RedisClient(connection_pool=pool)


class RedisClient(_Redis):
    """redis-py's client that raises StoreUnavailable where waiting helps; programming errors stay what they are."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command."""
        failed = "true"
        try:
            answer = super().execute_command(*args, **options)
            failed = "false"
        except redis.RedisError as error:
            raise _translated(error) from error
        finally:
            METER.add(counted(REDIS_REQUESTS, (HOST, INITIATOR, str(args[0]).lower(), failed)))
        return answer

    def close(self) -> None:
        """Close every connection; a later call opens new ones."""
        super().close()
        self.connection_pool.disconnect()

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> RedisPipeline:
        """Several commands in one round trip."""
        return RedisPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class RedisPipeline(_Pipeline):
    """The same for a pipeline."""

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """All queued commands."""
        failed = "true"
        try:
            answers = super().execute(raise_on_error)
            failed = "false"
        except redis.RedisError as error:
            raise _translated(error) from error
        finally:
            METER.add(counted(REDIS_REQUESTS, (HOST, INITIATOR, "pipeline", failed)))
        return answers


def _translated(error: redis.RedisError) -> Exception:
    if isinstance(error, _UNAVAILABLE) or str(error).startswith(_REFUSALS) or _FULL in str(error):
        return StoreUnavailable(f"Redis cannot serve this now ({error}); it is tried again")
    return error
