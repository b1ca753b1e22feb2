"""By which means each worker keeps its renders apart from its host, as `/metrics` tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gitops_workers.core.render.isolation import Isolation
from gitops_workers.core.telemetry.presence import CONTROL
from gitops_workers.ports import Telemetry


class Isolations(Collector):
    """`gitops_render_isolation`: 1 where a means is in force, 0 where the kernel refuses it; workers that are there."""

    def __init__(self, telemetry: Telemetry) -> None:
        """The heartbeats of workers bring what is told."""
        self._telemetry = telemetry

    def describe(self) -> Iterable[Metric]:
        """Nothing: else registering would read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One sample for each worker and means."""
        gauge = GaugeMetricFamily(
            "gitops_render_isolation",
            "1 where a means keeps a worker's renders apart from its host, 0 where the kernel refuses it.",
            labels=("worker", "means"),
        )
        for worker in self._telemetry.presence().present(CONTROL):
            for means in fields(Isolation):
                gauge.add_metric((worker.name, means.name), float(means.name in worker.isolation))
        yield gauge
