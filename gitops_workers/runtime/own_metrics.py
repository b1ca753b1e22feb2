"""What one process tells of itself, where GITOPS_METRICS_ADDRESS is set: memory, CPU, and its own share of the sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import structlog

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.runtime.meters import METER
from gitops_workers.settings import Settings

log = structlog.get_logger()


def serve_own(settings: Settings) -> None:
    """Serve them in a thread, if they are asked for. An address that is taken is said in the log: the work goes on."""
    if not settings.metrics_address:
        return
    # A process that is not scraped does without the library.
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server  # noqa: PLC0415
    from prometheus_client.core import Metric  # noqa: PLC0415
    from prometheus_client.registry import Collector  # noqa: PLC0415

    from gitops_workers.runtime.metric_families import sum_families  # noqa: PLC0415

    class Own(Collector):
        def describe(self) -> Iterable[Metric]:
            return ()

        def collect(self) -> Iterator[Metric]:
            return sum_families(METER.own())

    host, colon, port = settings.metrics_address.rpartition(":")
    if not colon or not port.isdigit():
        raise InvalidManifest(
            f"GITOPS_METRICS_ADDRESS: {settings.metrics_address!r} is no address to listen on; write host:port."
        )
    METER.keep()
    registry = CollectorRegistry()
    registry.register(Own())
    ProcessCollector(registry=registry)
    try:
        start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        log.warning("own_metrics_off", address=settings.metrics_address, reason=str(error))
