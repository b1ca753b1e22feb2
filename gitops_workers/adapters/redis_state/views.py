"""What pages show beside the rows: an application's objects, the event stream, the clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import zstandard
from pydantic import TypeAdapter, ValidationError

from gitops_workers import redis_keys as keys
from gitops_workers.adapters.redis_state.sealed import unpacked
from gitops_workers.core.model import AppId
from gitops_workers.core.status.rows import ClusterView, Event, ResourceView
from gitops_workers.core.telemetry.presence import Presence
from gitops_workers.ports import ClusterLoad
from gitops_workers.redis_client import RedisClient

EVENTS_KEPT = 10_000
_EVENTS_AT_ONCE = 1000

Loads = Callable[[Sequence[str]], Mapping[str, ClusterLoad]]
Attendance = Callable[[], Presence]

_RESOURCES = TypeAdapter(tuple[ResourceView, ...])
_EVENT = TypeAdapter(Event)
_CLUSTER = TypeAdapter(ClusterView)


class Views:
    """The part of the port about resources, events and clusters."""

    def __init__(self, client: RedisClient, loads: Loads, presence: Attendance) -> None:
        """`loads` gives the queue's figures, `presence` who is there: they are live, never stored with the view."""
        self._client = client
        self._loads = loads
        self._presence = presence

    def resources(self, app: AppId) -> Sequence[ResourceView]:
        """As last seen; none when there are none."""
        stored = self._client.hget(keys.RESOURCES, app)
        content = unpacked(stored) if stored else None
        try:
            return _RESOURCES.validate_json(content) if content is not None else ()
        except ValidationError:
            # Written by another version of this program; the next attempt writes it anew.
            return ()

    def save_resources(self, app: AppId, resources: Sequence[ResourceView]) -> None:
        """Compressed: diffs repeat themselves."""
        content = _RESOURCES.dump_json(tuple(resources), exclude_defaults=True)
        self._client.hset(keys.RESOURCES, app, zstandard.compress(content, 3))

    def discard_resources(self, app: AppId) -> None:
        """Remove them."""
        self._client.hdel(keys.RESOURCES, app)

    def add_events(self, events: Sequence[Event]) -> None:
        """In one round trip; the oldest fall out."""
        if not events:
            return
        with self._client.pipeline(transaction=False) as pipe:
            for event in events:
                pipe.xadd(
                    keys.EVENTS,
                    {"e": _EVENT.dump_json(event, exclude_defaults=True)},
                    maxlen=EVENTS_KEPT,
                    approximate=False,
                )
            pipe.execute()

    def events(self, app: AppId | None, limit: int) -> Sequence[Event]:
        """Newest first; those of one application are picked from the stream, a thousand at a time."""
        found: list[Event] = []
        last = "+"
        while len(found) < limit:
            count = limit if app is None else _EVENTS_AT_ONCE
            chunk = self._client.xrevrange(keys.EVENTS, max=last, count=count)
            events = (_event(name, fields[b"e"]) for name, fields in chunk)
            found.extend(event for event in events if app is None or event.app == app)
            if len(chunk) < count:
                break
            last = f"({chunk[-1][0].decode()}"
        return tuple(found[:limit])

    def events_after(self, event: str, limit: int) -> Sequence[Event]:
        """Oldest first; the event itself may have left the stream by now."""
        chunk = self._client.xrange(keys.EVENTS, min=f"({event}" if event else "-", count=limit)
        return tuple(_event(name, fields[b"e"]) for name, fields in chunk)

    def save_cluster(self, view: ClusterView) -> None:
        """Without the figures of the moment."""
        bare = replace(view, queue_depth=0, in_flight=0, lag=0.0, workers=0, unserved="")
        self._client.hset(keys.CLUSTER_VIEWS, view.name, _CLUSTER.dump_json(bare))

    def clusters(self) -> Sequence[ClusterView]:
        """By name, with the queue's figures and the workers of this moment."""
        stored = self._client.hvals(keys.CLUSTER_VIEWS)
        views = sorted((_CLUSTER.validate_json(item) for item in stored), key=lambda view: view.name)
        if not views:
            return ()
        loads, there = self._loads([view.name for view in views]), self._presence()
        return tuple(
            replace(
                view,
                queue_depth=loads[view.name].depth,
                in_flight=loads[view.name].in_flight,
                lag=loads[view.name].lag,
                workers=there.workers(view.fleet),
                unserved=there.unserved(view.fleet),
            )
            for view in views
        )


def _event(name: bytes, content: bytes) -> Event:
    """An entry of the stream, whose name there is the event's id."""
    return replace(_EVENT.validate_json(content), id=name.decode())
