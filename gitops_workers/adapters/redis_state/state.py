"""The port itself: its parts behind one face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from gitops_workers.adapters.redis_state.applications import Applications, StoredDocuments
from gitops_workers.adapters.redis_state.sealed import Seal
from gitops_workers.adapters.redis_state.status import StatusRows
from gitops_workers.adapters.redis_state.views import Attendance, Loads, Views
from gitops_workers.cipher import Cipher
from gitops_workers.core.documents.kind import Documents, Kind
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.status.rows import ClusterView, Event, ResourceView, Status
from gitops_workers.ports import StatusPage, StatusQuery
from gitops_workers.redis_client import RedisClient

T = TypeVar("T")


class RedisState:
    """Port `State`."""

    def __init__(self, client: RedisClient, loads: Loads, presence: Attendance, *, key: bytes = b"") -> None:
        """`loads`, `presence`: queue's and telemetry's method of that name. `key`: the installation's secret."""
        seal = Seal(key)
        self._applications = Applications(client, Cipher(key))
        self._documents = StoredDocuments(client, seal)
        self._statuses = StatusRows(client)
        self._views = Views(client, loads, presence)

    def applications(self) -> Sequence[AppId]:
        """See port."""
        return self._applications.ids()

    def application(self, app: AppId) -> Application | None:
        """See port."""
        return self._applications.load([app]).get(app)

    def load_applications(self, apps: Sequence[AppId]) -> Mapping[AppId, Application]:
        """See port."""
        return self._applications.load(apps)

    def save_applications(self, apps: Sequence[Application]) -> None:
        """See port."""
        self._applications.save(apps)

    def delete_application(self, app: AppId) -> None:
        """See port. The application last: what a crash leaves behind is found by its id."""
        self._documents.discard_all(app)
        self._views.discard_resources(app)
        self._statuses.discard(app)
        self._applications.discard(app)

    def load(self, kind: Kind[T], key: str) -> T | None:
        """See port."""
        return self._documents.load(kind, [key]).get(key)

    def load_many(self, kind: Kind[T], keys: Sequence[str]) -> Mapping[str, T]:
        """See port."""
        return self._documents.load(kind, keys)

    def save(self, kind: Kind[T], key: str, value: T) -> None:
        """See port."""
        self._documents.save(kind, {key: value})

    def save_many(self, kind: Kind[T], values: Mapping[str, T]) -> None:
        """See port."""
        self._documents.save(kind, values)

    def discard(self, kind: Kind[Any], key: str) -> None:
        """See port."""
        self._documents.discard(kind, key)

    def load_of(self, app: AppId, kinds: Sequence[Kind[Any]], shared: Sequence[Kind[Any]] = ()) -> Documents:
        """See port."""
        return self._documents.load_of(app, kinds, shared)

    def save_of(self, app: AppId, documents: Mapping[Kind[Any], Any | None]) -> None:
        """See port."""
        self._documents.save_of(app, documents)

    def status(self, app: AppId) -> Status | None:
        """See port."""
        return self._statuses.get(app)

    def save_status(
        self, status: Status, token: int = 0, documents: Mapping[Kind[Any], Any | None] | None = None
    ) -> bool:
        """See port."""
        return self._statuses.save(status, token, self._documents.sealed(status.id, documents or {}))

    def touch(self, group: str, apps: int, checked_at: str) -> None:
        """See port."""
        self._statuses.touch(group, apps, checked_at)

    def query(self, query: StatusQuery) -> StatusPage:
        """See port."""
        return self._statuses.query(query)

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """See port."""
        return self._statuses.counts()

    def resources(self, app: AppId) -> Sequence[ResourceView]:
        """See port."""
        return self._views.resources(app)

    def save_resources(self, app: AppId, resources: Sequence[ResourceView]) -> None:
        """See port."""
        self._views.save_resources(app, resources)

    def add_events(self, events: Sequence[Event]) -> None:
        """See port."""
        self._views.add_events(events)

    def events(self, app: AppId | None = None, limit: int = 100) -> Sequence[Event]:
        """See port."""
        return self._views.events(app, limit)

    def events_after(self, event: str, limit: int) -> Sequence[Event]:
        """See port."""
        return self._views.events_after(event, limit)

    def save_cluster(self, view: ClusterView) -> None:
        """See port."""
        self._views.save_cluster(view)

    def clusters(self) -> Sequence[ClusterView]:
        """See port."""
        return self._views.clusters()
