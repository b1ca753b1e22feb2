"""Port `Telemetry` on Redis. A beat imports it, so it must not cost more than redis-py."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gitops_workers import redis_keys as keys
from gitops_workers.core.model import AppId
from gitops_workers.core.telemetry.figures import FIGURES, Sample
from gitops_workers.core.telemetry.presence import Presence, Process
from gitops_workers.redis_client import RedisClient

REMEMBERED = 3600.0
"""Seconds until a process that no longer reports is forgotten; what it did is remembered by its duties."""
KEPT = 30 * 86_400
"""Seconds until an application's figures go that nobody adds to: a counter that begins anew is what rates expect."""


class RedisTelemetry:
    """See `redis_keys` for what it keeps."""

    def __init__(self, client: RedisClient) -> None:
        """The client may be shared."""
        self._client = client

    def report(self, process: Process, added: Mapping[Sample, float], settings: str = "") -> None:
        """See port. All or nothing, so that a full Redis takes no half of it."""
        now = self._now()
        with self._client.pipeline(transaction=True) as pipe:
            pipe.zadd(keys.PROCESSES, {_written(process): now})
            pipe.zremrangebyscore(keys.PROCESSES, "-inf", now - REMEMBERED)
            if settings:
                pipe.zadd(keys.READINGS, {json.dumps([process.name, settings]): now})
                pipe.zremrangebyscore(keys.READINGS, "-inf", now - REMEMBERED)
            for duty in process.duties:
                pipe.hset(keys.LAST_SEEN, duty, repr(now))
            for sample, amount in added.items():
                pipe.hincrbyfloat(keys.figures(sample.app), _field(sample), amount)
            for app in {sample.app for sample in added} - {""}:
                pipe.expire(keys.figures(app), KEPT)
            pipe.execute()

    def leave(self, process: Process) -> None:
        """See port."""
        now = self._now()
        with self._client.pipeline(transaction=True) as pipe:
            pipe.zrem(keys.PROCESSES, _written(process))
            for duty in process.duties:
                pipe.hset(keys.LAST_SEEN, duty, repr(now))
            pipe.execute()

    def presence(self) -> Presence:
        """See port."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.zrange(keys.PROCESSES, 0, -1, withscores=True)
            pipe.hgetall(keys.LAST_SEEN)
            pipe.zrange(keys.READINGS, 0, -1, withscores=True)
            (seconds, micros), processes, last, readings = pipe.execute()
        return Presence(
            float(seconds) + float(micros) / 1e6,
            {found: score for member, score in processes if (found := _read(member)) is not None},
            {duty.decode(): float(at) for duty, at in last.items()},
            {told: score for member, score in readings if (told := _reading(member)) is not None},
        )

    def figures(self, apps: Sequence[AppId]) -> Mapping[Sample, float]:
        """See port."""
        owners = ["", *apps]
        with self._client.pipeline(transaction=False) as pipe:
            for app in owners:
                pipe.hgetall(keys.figures(app))
            answers = pipe.execute()
        return {
            sample: float(value)
            for app, fields in zip(owners, answers, strict=True)
            for field, value in fields.items()
            if (sample := _sample(field, app)) is not None
        }

    def _now(self) -> float:
        seconds, micros = self._client.time()
        return float(seconds) + float(micros) / 1e6


def _written(process: Process) -> str:
    return json.dumps([process.role, process.name, list(process.queues), list(process.isolation)])


def _read(member: bytes) -> Process | None:
    """None for what no version of ours wrote."""
    try:
        role, name, queues, isolation = json.loads(member)
        return Process(str(role), str(name), tuple(map(str, queues)), tuple(map(str, isolation)))
    except (ValueError, TypeError):
        return None


def _reading(member: bytes) -> tuple[str, str] | None:
    """The name of a process and the digest that it reads; None for what no version of ours wrote."""
    try:
        name, settings = json.loads(member)
        return str(name), str(settings)
    except (ValueError, TypeError):
        return None


def _field(sample: Sample) -> str:
    return json.dumps([sample.figure, list(sample.labels), sample.part])


def _sample(field: bytes, app: AppId) -> Sample | None:
    """None for a figure of another version: one that is not known here, or has other labels."""
    try:
        name, labels, part = json.loads(field)
        known = FIGURES.get(name)
        if known is None or len(labels) != len(known.labels):
            return None
        return Sample(name, tuple(map(str, labels)), str(part), app)
    except (ValueError, TypeError):
        return None
