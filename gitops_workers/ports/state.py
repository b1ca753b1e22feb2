"""Applications, statuses, documents and caches: everything rebuildable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from gitops_workers.core.documents.kind import Documents, Kind
from gitops_workers.core.model import (
    AppId,
    Application,
)
from gitops_workers.core.status.listing import FAILING, RESTING
from gitops_workers.core.status.rows import ClusterView, Event, ResourceView, Status

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """Which rows a listing wants. Empty means any. `text` is a part of the id.

    `outcome`: the phase of the last operation.
    `sort`: name, sync, health, age, trouble. `failing`: only those in trouble (`core.status.trouble`).
    """

    text: str = ""
    sync: str = ""
    health: str = ""
    project: str = ""
    cluster: str = ""
    dialect: str = ""
    outcome: str = ""
    failing: bool = False
    sort: str = "name"
    descending: bool = False
    offset: int = 0
    limit: int = 50

    @property
    def fields(self) -> Mapping[str, str]:
        """What a row's `core.status.listing.index_fields` must be, field by field."""
        wanted = {
            "sync": self.sync,
            "health": "" if self.health == RESTING else self.health,
            "resting": RESTING if self.health == RESTING else "",
            "project": self.project,
            "cluster": self.cluster,
            "dialect": self.dialect,
            "outcome": self.outcome,
            "failing": FAILING if self.failing else "",
        }
        return {name: value for name, value in wanted.items() if value}


@dataclass(frozen=True, slots=True)
class StatusPage:
    """One page of rows, and how many there are in all."""

    rows: tuple[Status, ...]
    total: int


class State(Protocol):
    """Applications, statuses, operations, agreements, views: everything rebuildable.

    Documents are small JSON values under (kind, key); `core.documents.kinds` declares them. One that is there and
    cannot be read is logged, and reads as its kind says (`Kind.unreadable`); where the catalogue's refresh is its
    writer, the next refresh writes all of them anew. None of them ever holds a secret value. An application may: users
    write passwords into Helm parameters, so nobody who reads the store can read applications.
    """

    def applications(self) -> Sequence[AppId]:
        """All ids, sorted."""

    def application(self, app: AppId) -> Application | None:
        """One application as the catalogue last gave it."""

    def load_applications(self, apps: Sequence[AppId]) -> Mapping[AppId, Application]:
        """Those that exist, in one round trip."""

    def save_applications(self, apps: Sequence[Application]) -> None:
        """Add or replace, in one round trip."""

    def delete_application(self, app: AppId) -> None:
        """Remove the application with its status, views and documents."""

    def load(self, kind: Kind[T], key: str) -> T | None:
        """A document, None when there is none."""

    def load_many(self, kind: Kind[T], keys: Sequence[str]) -> Mapping[str, T]:
        """The documents that exist, in one round trip."""

    def save(self, kind: Kind[T], key: str, value: T) -> None:
        """Replace the document."""

    def save_many(self, kind: Kind[T], values: Mapping[str, T]) -> None:
        """Replace several, in one round trip."""

    def discard(self, kind: Kind[Any], key: str) -> None:
        """Remove the document."""

    def load_of(self, app: AppId, kinds: Sequence[Kind[Any]], shared: Sequence[Kind[Any]] = ()) -> Documents:
        """One application's documents, with them those of the installation of the kinds in `shared`; one round trip."""

    def save_of(self, app: AppId, documents: Mapping[Kind[Any], Any | None]) -> None:
        """Replace one application's documents by kind, None removes; in one round trip."""

    def status(self, app: AppId) -> Status | None:
        """An application's row."""

    def save_status(
        self, status: Status, token: int = 0, documents: Mapping[Kind[Any], Any | None] | None = None
    ) -> bool:
        """Replace the row and its index entries; False when a writer with a larger token was there before.

        With it and only with it the application's `documents` by kind (None removes one): a late writer must not leave
        half of what it knew.

        Token 0 is a writer without a lease (the catalogue): it is never refused and leaves the stored token.
        """

    def touch(self, group: str, apps: int, checked_at: str) -> None:
        """All rows of a poll group were found unchanged: one write whatever the number of rows."""

    def query(self, query: StatusQuery) -> StatusPage:
        """A page of rows from indexes."""

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """`{"sync": {"Synced": 3}, "health": {...}, "outcome": {...}, "failing": {"yes": 1}}` over all rows."""

    def resources(self, app: AppId) -> Sequence[ResourceView]:
        """The application's objects with health and diff, as last seen."""

    def save_resources(self, app: AppId, resources: Sequence[ResourceView]) -> None:
        """Replace them (compressed; diffs are already masked)."""

    def add_events(self, events: Sequence[Event]) -> None:
        """Append to the capped stream."""

    def events(self, app: AppId | None = None, limit: int = 100) -> Sequence[Event]:
        """The newest events, newest first."""

    def events_after(self, event: str, limit: int) -> Sequence[Event]:
        """The events that were added after the one with this id ("": after none), oldest first."""

    def save_cluster(self, view: ClusterView) -> None:
        """What is known of a cluster apart from queue figures."""

    def clusters(self) -> Sequence[ClusterView]:
        """The Clusters page, with live queue depth, in-flight count and lag."""


class Sealer(Protocol):
    """Hides what we keep where others can read, for a place: what was closed for another place does not open."""

    def close(self, place: str, content: bytes) -> bytes:
        """What may be kept anywhere."""

    def open(self, place: str, sealed: bytes) -> bytes | None:
        """The content; None when another installation closed it, or it was changed or moved."""


class RenderCache(Protocol):
    """Sealed bytes by content key: neither readable nor forgeable by who can write the store."""

    def get(self, key: str) -> bytes | None:
        """The bytes; None when absent, expired or tampered with."""

    def put(self, key: str, value: bytes, lifetime: float) -> None:
        """Keep for `lifetime` seconds."""
