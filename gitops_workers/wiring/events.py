"""The event sinks of a worker: opened before its first message, served when its engine is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_workers.adapters.sinks import open_sinks
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import EventSink
from gitops_workers.runtime.event_delivery import start_deliveries
from gitops_workers.settings import Settings


def event_sinks(settings: Settings) -> Mapping[str, EventSink]:
    """Those that the settings name. Raises InvalidManifest."""
    return open_sinks(settings.event_sinks)


def deliver_events(sinks: Mapping[str, EventSink], context: Context) -> Callable[[], None]:
    """Bring every event to these sinks from now on; what is returned ends that."""
    deliveries = start_deliveries(sinks, context.state, context.queue, context.meter)

    def stop() -> None:
        for delivery in deliveries:
            delivery.stop()

    return stop
