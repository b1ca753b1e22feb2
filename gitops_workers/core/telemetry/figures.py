"""The figures that processes add up: names, labels and types, in one table for who counts and who exports.

Names and labels are Argo CD's and Flux's where the meaning is the same (Argo CD 3.5 docs, metrics; Flux 2.9 docs,
monitoring), so that their published dashboards show data; ours begin with `gitops_`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gitops_workers.core.model import AppId


@dataclass(frozen=True, slots=True)
class Figure:
    """A counter, or with `buckets` (upper bounds, ascending, without infinity) a histogram of seconds."""

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


class Sample(NamedTuple):
    """Where a number is kept: a figure's name, its label values, and the application that takes it along when it goes.

    `part` is "" for a counter; of a histogram it is `sum`, or the index of a bucket, which counts what fell into it and
    into no lower one.
    """

    figure: str
    labels: tuple[str, ...]
    part: str = ""
    app: AppId = ""


APP_INFO = "argocd_app_info"
RESOURCE_INFO = "gotk_resource_info"
"""Gauges over the fleet, which one process computes at each scrape: they are no sums."""

_APP = ("namespace", "name", "project")
_SYNC = (*_APP, "dest_server", "phase", "dry_run")

APP_SYNCS = Figure("argocd_app_sync_total", "Finished syncs of an Argo CD application.", _SYNC)
APP_SYNC_SECONDS = Figure("argocd_app_sync_duration_seconds_total", "Seconds that finished syncs took.", _SYNC)
APP_REQUESTS = Figure(
    "argocd_app_k8s_request_total",
    "Requests to API servers for an application.",
    (*_APP, "server", "response_code", "verb", "resource_kind", "resource_namespace", "dry_run"),
)
APP_RECONCILE = Figure(
    "argocd_app_reconcile",
    "Seconds of an attempt at an Argo CD application.",
    ("namespace", "dest_server"),
    (0.25, 0.5, 1, 2, 4, 8, 16),
)
GIT_REQUESTS = Figure("argocd_git_request_total", "Requests to Git servers.", ("repo", "request_type"))
GIT_SECONDS = Figure(
    "argocd_git_request_duration_seconds",
    "Seconds of a request to a Git server.",
    ("repo", "request_type"),
    (0.1, 0.25, 0.5, 1, 2, 4, 10, 20),
)
GIT_FETCH_FAILURES = Figure("argocd_git_fetch_fail_total", "Fetches that failed.", ("repo",))
FLUX_RECONCILE = Figure(
    "gotk_reconcile_duration_seconds",
    "Seconds of an attempt at a Flux object.",
    ("kind", "name", "namespace"),
    (0.01, 0.0384, 0.147, 0.566, 2.17, 8.34, 32.0, 123.0, 471.0, 1808.0),
)
CONTROLLER_RECONCILES = Figure(
    "controller_runtime_reconcile_total", "Attempts by their result.", ("controller", "result")
)
CLUSTER_EVENTS = Figure("argocd_cluster_events_total", "Changes that a poll found in a cluster.", ("server",))
API_REQUESTS = Figure("rest_client_requests_total", "Requests to API servers.", ("code", "method", "host"))
REDIS_REQUESTS = Figure(
    "argocd_redis_request_total", "Round trips to Redis by this engine.", ("hostname", "initiator", "command", "failed")
)
WEBHOOK_REPOSITORIES = Figure("argocd_webhook_requests_total", "Webhooks for a repository.", ("repo",))
WEBHOOKS = Figure("gitops_webhook_requests_total", "Webhook requests.", ("provider", "outcome"))
EVENTS_DELIVERED = Figure("gitops_events_delivered_total", "Events that an event sink took.", ("sink",))
EVENTS_DROPPED = Figure("gitops_events_dropped_total", "Events that an event sink was never given.", ("sink",))

FIGURES: Mapping[str, Figure] = {
    figure.name: figure
    for figure in (
        APP_SYNCS,
        APP_SYNC_SECONDS,
        APP_REQUESTS,
        APP_RECONCILE,
        GIT_REQUESTS,
        GIT_SECONDS,
        GIT_FETCH_FAILURES,
        FLUX_RECONCILE,
        CONTROLLER_RECONCILES,
        CLUSTER_EVENTS,
        API_REQUESTS,
        REDIS_REQUESTS,
        WEBHOOK_REPOSITORIES,
        WEBHOOKS,
        EVENTS_DELIVERED,
        EVENTS_DROPPED,
    )
}


def counted(
    figure: Figure, labels: tuple[str, ...], amount: float = 1.0, app: AppId = ""
) -> Iterator[tuple[Sample, float]]:
    """What a counter that grows by `amount` adds, and where."""
    yield Sample(figure.name, labels, app=app), amount


def observed(figure: Figure, labels: tuple[str, ...], value: float, app: AppId = "") -> Iterator[tuple[Sample, float]]:
    """What an observation adds to a histogram, and where.

    >>> [(sample.part, amount) for sample, amount in observed(APP_RECONCILE, ("argocd", ""), 0.5)]
    [('1', 1.0), ('sum', 0.5)]
    """
    yield Sample(figure.name, labels, str(bisect_left(figure.buckets, value)), app), 1.0
    yield Sample(figure.name, labels, "sum", app), value
