"""Port `State` in memory: the twin of `redis_state`, for tests and one-process commands."""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from gitops_workers.core.documents.kind import WHOLE, Documents, Kind
from gitops_workers.core.documents.kinds import REFRESH_DONE
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.status.listing import ORDERS, RESTING, index_fields, sort_keys
from gitops_workers.core.status.rows import ClusterView, Event, ResourceView, Status
from gitops_workers.core.status.staleness import marked
from gitops_workers.core.telemetry.presence import Presence
from gitops_workers.ports import ClusterLoad, StatusPage, StatusQuery
from gitops_workers.stored_documents import DocumentReader

EVENTS_KEPT = 10_000
T = TypeVar("T")


class VolatileState:
    """Everything in dictionaries; documents as JSON text, so that they come back as JSON and unshared."""

    def __init__(
        self, loads: Callable[[Sequence[str]], Mapping[str, ClusterLoad]], presence: Callable[[], Presence]
    ) -> None:
        """`loads`, `presence`: queue's and telemetry's method of that name."""
        self._loads = loads
        self._presence = presence
        self._applications: dict[AppId, Application] = {}
        self._documents: dict[tuple[str, str], str] = {}
        self._rows: dict[AppId, tuple[int, Status]] = {}
        self._checked: dict[str, str] = {}
        self._resources: dict[AppId, tuple[ResourceView, ...]] = {}
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._told = 0
        self._clusters: dict[str, ClusterView] = {}
        self._lock = threading.RLock()
        self._reader = DocumentReader(lambda: self.discard(REFRESH_DONE, WHOLE))

    def clear(self) -> None:
        """Forget every application and document, as Redis does by FLUSHALL."""
        with self._lock:
            self._documents.clear()
            self._applications.clear()

    def applications(self) -> Sequence[AppId]:
        """See port."""
        return sorted(self._applications)

    def application(self, app: AppId) -> Application | None:
        """See port."""
        return self._applications.get(app)

    def load_applications(self, apps: Sequence[AppId]) -> Mapping[AppId, Application]:
        """See port."""
        return {app: self._applications[app] for app in apps if app in self._applications}

    def save_applications(self, apps: Sequence[Application]) -> None:
        """See port."""
        with self._lock:
            self._applications.update({app.id: app for app in apps})

    def delete_application(self, app: AppId) -> None:
        """See port."""
        with self._lock:
            self._applications.pop(app, None)
            self._rows.pop(app, None)
            self._resources.pop(app, None)
            for place in [place for place in self._documents if place[1] == app]:
                del self._documents[place]

    def load(self, kind: Kind[T], key: str) -> T | None:
        """See port."""
        return self.load_many(kind, [key]).get(key)

    def load_many(self, kind: Kind[T], keys: Sequence[str]) -> Mapping[str, T]:
        """See port."""
        found = {key: self._read(kind, key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def save(self, kind: Kind[T], key: str, value: T) -> None:
        """See port."""
        self.save_many(kind, {key: value})

    def save_many(self, kind: Kind[T], values: Mapping[str, T]) -> None:
        """See port."""
        with self._lock:
            self._documents.update(
                {(kind.name, kind.place(key)): json.dumps(kind.dumps(value)) for key, value in values.items()}
            )

    def discard(self, kind: Kind[Any], key: str) -> None:
        """See port."""
        with self._lock:
            self._documents.pop((kind.name, kind.place(key)), None)

    def load_of(self, app: AppId, kinds: Sequence[Kind[Any]], shared: Sequence[Kind[Any]] = ()) -> Documents:
        """See port."""
        with self._lock:
            return Documents({kind: self._read(kind, app) for kind in (*kinds, *shared)})

    def save_of(self, app: AppId, documents: Mapping[Kind[Any], Any | None]) -> None:
        """See port."""
        with self._lock:
            for kind, value in documents.items():
                if value is None:
                    self.discard(kind, app)
                else:
                    self.save(kind, app, value)

    def _read(self, kind: Kind[T], key: str) -> T | None:
        place = kind.place(key)
        with self._lock:
            stored = self._documents.get((kind.name, place))
        return None if stored is None else self._reader.read(kind, place, json.loads(stored))

    def status(self, app: AppId) -> Status | None:
        """See port."""
        with self._lock:
            return self._merged(self._rows[app][1]) if app in self._rows else None

    def save_status(
        self, status: Status, token: int = 0, documents: Mapping[Kind[Any], Any | None] | None = None
    ) -> bool:
        """See port."""
        with self._lock:
            stored = self._rows[status.id][0] if status.id in self._rows else 0
            if token and stored > token:
                return False
            self._rows[status.id] = (max(stored, token), replace(status, stale=False))
            self.save_of(status.id, documents or {})
            return True

    def touch(self, group: str, apps: int, checked_at: str) -> None:  # noqa: ARG002 - the port's; kept by the store only
        """See port."""
        with self._lock:
            self._checked[group] = checked_at

    def query(self, query: StatusQuery) -> StatusPage:
        """See port."""
        with self._lock:
            rows = [status for _, status in self._rows.values() if _matches(status, query)]
            order = query.sort if query.sort in ORDERS else "name"
            rows.sort(key=lambda row: (sort_keys(row)[order], row.id), reverse=query.descending)
            offset = max(0, query.offset)
            page = rows[offset : offset + max(0, query.limit)]
            return StatusPage(tuple(self._merged(row) for row in page), len(rows))

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """See port."""
        with self._lock:
            fields = [index_fields(status) for _, status in self._rows.values()]
        counts = {name: Counter(row[name] for row in fields) for name in ("sync", "health", "outcome", "failing")}
        if resting := sum(row["resting"] == RESTING for row in fields):
            counts["health"][RESTING] = resting
        del counts["outcome"][""], counts["failing"]["no"]
        return counts

    def resources(self, app: AppId) -> Sequence[ResourceView]:
        """See port."""
        return self._resources.get(app, ())

    def save_resources(self, app: AppId, resources: Sequence[ResourceView]) -> None:
        """See port."""
        with self._lock:
            self._resources[app] = tuple(resources)

    def add_events(self, events: Sequence[Event]) -> None:
        """See port."""
        with self._lock:
            for event in events:
                self._told += 1
                self._events.append(replace(event, id=f"{self._told}-0"))

    def events(self, app: AppId | None = None, limit: int = 100) -> Sequence[Event]:
        """See port."""
        with self._lock:
            return tuple(event for event in reversed(self._events) if app is None or event.app == app)[:limit]

    def events_after(self, event: str, limit: int) -> Sequence[Event]:
        """See port."""
        told = int(event.partition("-")[0]) if event else 0
        with self._lock:
            return tuple(item for item in self._events if int(item.id.partition("-")[0]) > told)[:limit]

    def save_cluster(self, view: ClusterView) -> None:
        """See port."""
        with self._lock:
            self._clusters[view.name] = view

    def clusters(self) -> Sequence[ClusterView]:
        """See port."""
        with self._lock:
            views = sorted(self._clusters.values(), key=lambda view: view.name)
        loads, there = self._loads([view.name for view in views]), self._presence()
        return tuple(
            replace(
                view,
                queue_depth=load.depth,
                in_flight=load.in_flight,
                lag=load.lag,
                workers=there.workers(view.fleet),
                unserved=there.unserved(view.fleet),
            )
            for view, load in ((view, loads[view.name]) for view in views)
        )

    def _merged(self, status: Status) -> Status:
        checked = self._checked.get(status.group, "") if status.group else ""
        seen = replace(status, last_checked_at=checked) if checked > status.last_checked_at else status
        return marked(seen, self._presence().now)


def _matches(status: Status, query: StatusQuery) -> bool:
    fields = index_fields(status)
    return query.text.lower() in status.id and all(fields[name] == want for name, want in query.fields.items())
