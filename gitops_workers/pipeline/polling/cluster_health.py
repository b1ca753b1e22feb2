"""Whether clusters answer: told to the due queue's breaker and to the Clusters page."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gitops_workers.core.errors import ClusterUnavailable, GitOpsError, HostUnavailable, ServerFailed, Throttled
from gitops_workers.core.model import Application
from gitops_workers.core.scheduling.poll_groups import cluster_group
from gitops_workers.core.status.rows import ClusterView
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import Attempt, Urgency

PROBE = "probe"
"""A record that nobody has. Reading it takes our credential, the server and its store, and nobody's objects."""


RETRY_AFTER_S = 30.0
"""Seconds until a repository or cluster that did not answer is asked again; its breaker stretches that."""
PROBE_AFTER_S = 5.0
"""Seconds until an attempt is due again whose cluster did not answer: whether it begins then, the breaker decides."""


def configured(context: Context, applications: Mapping[str, int]) -> None:
    """Show every configured cluster with its number of applications; what was seen of it stays."""
    known = {view.name: view for view in context.state.clusters()}
    for name in context.clusters.names():
        view = replace(
            known.get(name) or _unseen(name),
            server=context.clusters.server(name),
            fleet=context.clusters.fleet(name),
            applications=applications.get(name, 0),
        )
        context.state.save_cluster(view)


def heard(context: Context, cluster: str, attempt: Attempt, now: float) -> bool:
    """Whether the cluster has answered this process since the attempt began: the first such success closes its breaker.

    `now` is the queue's time, which the attempt's token is of.
    An attempt that could be served from what was known is none, or forty of them would reopen a dead cluster.
    """
    since = context.clock() - (now - attempt.token / 1e6)
    try:
        return context.clusters.heard(cluster) >= since
    except GitOpsError:
        return False


def again_in(error: GitOpsError, usual: float) -> float:
    """Seconds until an attempt that ended so is repeated, where the application's own backoff says `usual`.

    That one is made for what is wrong with the application; a breaker protects who does not answer, and after a short
    outage nobody should wait out a long interval.
    """
    if isinstance(error, Throttled):
        return error.retry_after
    if isinstance(error, HostUnavailable):
        return min(usual, RETRY_AFTER_S)
    if isinstance(error, ClusterUnavailable) and not isinstance(error, ServerFailed):
        return min(usual, PROBE_AFTER_S)
    return usual


def answered(context: Context, name: str, at: str, objects: int) -> None:
    """The cluster did what was asked, and has listed so many managed objects."""
    context.queue.report_cluster(name, reachable=True, message="")
    with contextlib.suppress(GitOpsError):
        found = context.clusters.open(name).discovery()
        news = {"version": found.kube_version, "kinds": len(found.resources), "objects": objects}
        _seen(context, name, reachable=True, message="", checked_at=at, **news)


def failed(context: Context, app: Application, error: GitOpsError, at: str) -> None:
    """An attempt ended with this error: only an unreachable cluster counts against its cluster."""
    if isinstance(error, ClusterUnavailable):
        with contextlib.suppress(GitOpsError):
            unanswered(context, context.clusters.resolve(app.destination.name, app.destination.server), error, at)


def unanswered(context: Context, name: str, error: ClusterUnavailable, at: str) -> None:
    """A request failed: the cluster is away, unless it was an error about one object and it answers something else.

    One object that cannot be served (I5) would else close the cluster to everybody who has one there.
    """
    if isinstance(error, ServerFailed) and _answers(context, name):
        return
    away(context, name, error, at)


def _answers(context: Context, name: str) -> bool:
    """Whether the cluster serves what every attempt needs first. Costs one request, and only after a failure."""
    try:
        context.clusters.records(name).load(PROBE)
    except ClusterUnavailable:
        return False
    except GitOpsError:
        return True  # refused or told to wait: that is an answer
    return True


def away(context: Context, name: str, error: GitOpsError, at: str) -> None:
    """The cluster did not answer.

    What an open breaker lets through first is the cluster's poll: it asks the least, and speaks for everybody.
    """
    group = cluster_group(name)
    if context.queue.report_cluster(name, reachable=False, message=str(error), prober=group):
        context.queue.request_poll(group, Urgency.WEBHOOK)
    _seen(context, name, reachable=False, message=str(error), checked_at=at)


def _seen(context: Context, name: str, *, reachable: bool, message: str, checked_at: str, **news: Any) -> None:
    for view in context.state.clusters():
        if view.name == name:
            context.state.save_cluster(
                replace(view, reachable=reachable, message=message, checked_at=checked_at, **news)
            )


def _unseen(name: str) -> ClusterView:
    return ClusterView(
        name=name,
        server="",
        fleet="",
        reachable=None,
        message="",
        applications=0,
        queue_depth=0,
        in_flight=0,
        lag=0.0,
        checked_at="",
    )
