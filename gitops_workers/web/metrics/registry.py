"""The registry of a web process, and the one walk over the store that a scrape is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gitops_workers.core.model import AppId
from gitops_workers.core.status.rows import Status
from gitops_workers.core.telemetry.figures import Sample
from gitops_workers.ports import State, StatusQuery, Telemetry
from gitops_workers.runtime.metric_families import sum_families
from gitops_workers.web.metrics.applications import ApplicationFamilies
from gitops_workers.web.metrics.fleet import fleet_families

PAGE = 500
"""Rows read in one round trip at a scrape."""


def new_registry(state: State, telemetry: Telemetry) -> CollectorRegistry:
    """A registry with the store's figures."""
    registry = CollectorRegistry()
    registry.register(_Store(state, telemetry))
    return registry


class _Store(Collector):
    def __init__(self, state: State, telemetry: Telemetry) -> None:
        self._state = state
        self._telemetry = telemetry

    def describe(self) -> Iterable[Metric]:
        return ()  # else registering would read the store

    def collect(self) -> Iterator[Metric]:
        clusters = list(self._state.clusters())
        rows = ApplicationFamilies({view.name: view.server for view in clusters})
        sums: dict[Sample, float] = dict(self._telemetry.figures(()))
        for page in _pages(self._state):
            ids: list[AppId] = [row.id for row in page]
            rows.add(page, self._state.load_applications(ids))
            sums.update(self._telemetry.figures(ids))
        rows.add_sources(self._state)
        yield from rows.families()
        yield from fleet_families(clusters, self._telemetry.presence(), rows.stale)
        yield from sum_families(sums)


def _pages(state: State) -> Iterator[list[Status]]:
    offset, told = 0, set[str]()
    while rows := state.query(StatusQuery(offset=offset, limit=PAGE)).rows:
        # A row that was added meanwhile moves the others on: one told twice would be a duplicate sample.
        yield [row for row in rows if row.id not in told]
        told.update(row.id for row in rows)
        offset += len(rows)
