"""From the sums of all processes to counters and histograms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from gitops_workers.core.telemetry.figures import APP_RECONCILE, FIGURES, Figure, Sample

_ALIASES = {APP_RECONCILE.name: ("argocd_app_reconcile_duration_seconds",)}
"""Names by which guides and alert rules also call a figure."""


def sum_families(sums: Mapping[Sample, float]) -> Iterator[Metric]:
    """A family for every figure, also for those that nobody has counted yet."""
    parts: dict[str, dict[tuple[str, ...], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for sample, value in sums.items():
        # A name with two applications behind it (one that moved) is one series.
        kept = parts[sample.figure][sample.labels]
        kept[sample.part] = kept.get(sample.part, 0.0) + value
    for name, figure in FIGURES.items():
        for alias in (name, *_ALIASES.get(name, ())):
            yield _family(figure, alias, parts.get(name, {}))


def _family(figure: Figure, name: str, series: Mapping[tuple[str, ...], Mapping[str, float]]) -> Metric:
    if not figure.buckets:
        counter = CounterMetricFamily(name, figure.help, labels=figure.labels)
        for labels, parts in series.items():
            counter.add_metric(labels, parts.get("", 0.0))
        return counter
    histogram = HistogramMetricFamily(name, figure.help, labels=figure.labels)
    bounds = [*(repr(float(bound)) for bound in figure.buckets), "+Inf"]
    for labels, parts in series.items():
        counts = accumulate(parts.get(str(index), 0.0) for index in range(len(bounds)))
        histogram.add_metric(labels, list(zip(bounds, counts, strict=True)), parts.get("sum", 0.0))
    return histogram
