"""The quiet cycle: who has to be looked at, found with one request per repository and one per kind and cluster.

A *repository group* holds all applications of one repository and credential, a *cluster group* all applications of one
cluster. What a poll finds is only a reason to look: the attempt asks again for everything that it will act upon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import structlog

from gitops_workers.core.documents.kinds import ANSWERED_AT, FAILURES, GROUP_MEMBERS, OUTAGE
from gitops_workers.core.documents.sets import Applications
from gitops_workers.core.errors import GitOpsError, HostUnavailable
from gitops_workers.core.model import AppId
from gitops_workers.core.scheduling.due import next_poll
from gitops_workers.core.scheduling.poll_groups import CLUSTER_PREFIX, UNFINISHED_PREFIX
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import announcements, metering, tracing
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import resume_deletions
from gitops_workers.pipeline.lease import kept
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.polling.poll_cluster import poll_cluster
from gitops_workers.pipeline.polling.poll_repository import poll_repository
from gitops_workers.pipeline.reconcile.report import report_outage
from gitops_workers.ports import Attempt, Urgency

log = structlog.get_logger()

FAILING_REPOSITORY_RETRY_S = 60.0
"""Seconds until a repository is asked again that could not be read three times in a row: its own circuit breaker."""


def poll(context: Context, group: str) -> GitOpsError | None:
    """Look at one group and ring for those applications that have to be looked at; the error that kept it from that."""
    attempt = context.queue.begin_poll(group, context.lease)
    if attempt is None:
        return None
    announcements.bind_group(group)
    with kept(context, attempt):
        if group.startswith(UNFINISHED_PREFIX):
            resume_deletions.search(context, attempt)
            return None
        return _poll_group(context, group, attempt)


def _poll_group(context: Context, group: str, attempt: Attempt) -> GitOpsError | None:
    members = context.state.load(GROUP_MEMBERS, group)
    if members is None:
        # Where it could not be read, the refresh of the catalogue enrolls the group again.
        context.queue.delete_poll(group)
        return None
    apps, due_in, began = members.apps, cluster_health.RETRY_AFTER_S, context.clock()
    answered: bool | None = None
    message = ""
    try:
        soon, unknown = math.inf, dict[AppId, GitOpsError]()
        if group.startswith(CLUSTER_PREFIX):
            soon, unknown = poll_cluster(context, group.removeprefix(CLUSTER_PREFIX), apps, members.interval)
        else:
            # The queue keeps when somebody last asked; whoever was answered then does not wait any more.
            urgent = attempt.not_before > (context.state.load(ANSWERED_AT, group) or 0.0)
            urgency = Urgency.WEBHOOK if urgent else Urgency.POLL
            with tracing.poll_span(context, group, asked=urgent) as span:
                rung = tracing.RungByPoll(context, span)
                answered = poll_repository(context, apps, attempt.not_before, urgency, rung) or None
                rung.end()
            if urgent:
                context.state.save(ANSWERED_AT, group, attempt.not_before)
        usual = next_poll(members.interval, members.jitter, f"{group}{context.queue.now()}")
        due_in = min(soon, cluster_health.RETRY_AFTER_S if unknown else usual)
        context.state.touch(group, len(apps), stamp(context.queue.now()))
        _tell(context, group, apps, unknown)
    except GitOpsError as error:
        log.warning("poll_failed", error=type(error).__name__, reason=str(error))
        if not group.startswith(CLUSTER_PREFIX):
            due_in = _failed_again(context, group)
        if isinstance(error, HostUnavailable):
            answered, message = False, str(error)
        _tell(context, group, apps, dict.fromkeys(apps, error))
        return error
    finally:
        metering.polled(context, members.sources, began)
        context.queue.finish_poll(attempt, due_in, answered=answered, message=message)
    return None


def _failed_again(context: Context, group: str) -> float:
    failures = (context.state.load(FAILURES, group) or 0) + 1
    context.state.save(FAILURES, group, failures)
    return cluster_health.RETRY_AFTER_S if failures < 3 else FAILING_REPOSITORY_RETRY_S


def _tell(context: Context, group: str, apps: Sequence[AppId], unknown: Mapping[AppId, GitOpsError]) -> None:
    """An application whose state is unknown now says so; one whose state was, and is not any more, is looked at."""
    told = context.state.load(OUTAGE, group) or Applications()
    before = frozenset(apps) if told.every else told.ids
    if unknown:
        # Before and after: whoever is killed or frozen in between must not leave statuses that nobody mends.
        context.state.save(OUTAGE, group, Applications(before.union(unknown)))
        report_outage(context, unknown)
    for app in sorted(before.difference(unknown)):
        context.queue.request(app, "reachable again", Urgency.POLL, not_before=0.0)
    if unknown:
        context.state.save(OUTAGE, group, Applications(frozenset(unknown)))
    elif told:
        context.state.discard(OUTAGE, group)
        context.state.discard(FAILURES, group)
