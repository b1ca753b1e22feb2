"""The quiet cycle: who has to be looked at, found with one request per repository and one per kind and cluster.

A *repository group* holds all applications of one repository and credential, a *cluster group* all applications of one
cluster. What a poll finds is only a reason to look: the attempt asks again for everything that it will act upon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import structlog

from gitops_workers.core.errors import GitOpsError, HostUnavailable
from gitops_workers.core.model import AppId
from gitops_workers.core.scheduling.due import next_poll
from gitops_workers.core.scheduling.poll_groups import CLUSTER_PREFIX, UNFINISHED_PREFIX
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline import announcements, metering
from gitops_workers.pipeline.context import World
from gitops_workers.pipeline.deletion import resume_deletions
from gitops_workers.pipeline.lease import kept
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.polling.poll_cluster import poll_cluster
from gitops_workers.pipeline.polling.poll_repository import poll_repository
from gitops_workers.pipeline.reconcile.report import outage
from gitops_workers.ports import Attempt, Urgency

log = structlog.get_logger()

RARELY = 60.0
"""Seconds until a repository is asked again that could not be read three times in a row: its own circuit breaker."""
FAILURES = "failures"
"""The document with the number of failed polls in a row of a repository; absent while it can be read."""
OUTAGE = "outage"
"""The document with the applications of a group that were told that their state is unknown."""


def poll(world: World, group: str) -> GitOpsError | None:
    """Look at one group and ring for those applications that have to be looked at; the error that kept it from that."""
    attempt = world.queue.begin_poll(group, world.lease)
    if attempt is None:
        return None
    announcements.bound_group(group)
    with kept(world, attempt):
        if group.startswith(UNFINISHED_PREFIX):
            resume_deletions.search(world, attempt)
            return None
        return _look(world, group, attempt)


def _look(world: World, group: str, attempt: Attempt) -> GitOpsError | None:
    members = world.state.load("group", group)
    if not members:
        world.queue.expel_poll(group)
        return None
    apps, due_in, began = members["apps"], cluster_health.AGAIN, world.clock()
    answered: bool | None = None
    message = ""
    try:
        soon, unknown = math.inf, dict[AppId, GitOpsError]()
        if group.startswith(CLUSTER_PREFIX):
            soon, unknown = poll_cluster(world, group.removeprefix(CLUSTER_PREFIX), apps, members["interval"])
        else:
            # The queue keeps when somebody last asked; whoever was answered then does not wait any more.
            urgent = attempt.not_before > (world.state.load("answered", group) or 0.0)
            urgency = Urgency.WEBHOOK if urgent else Urgency.POLL
            answered = poll_repository(world, apps, attempt.not_before, urgency) or None
            if urgent:
                world.state.save("answered", group, attempt.not_before)
        usual = next_poll(members["interval"], members["jitter"], f"{group}{world.queue.now()}")
        due_in = min(soon, cluster_health.AGAIN if unknown else usual)
        world.state.touch(group, len(apps), stamp(world.queue.now()))
        _tell(world, group, unknown)
    except GitOpsError as error:
        log.warning("poll_failed", error=type(error).__name__, reason=str(error))
        if not group.startswith(CLUSTER_PREFIX):
            due_in = _failed_again(world, group)
        if isinstance(error, HostUnavailable):
            answered, message = False, str(error)
        _tell(world, group, dict.fromkeys(apps, error))
        return error
    finally:
        metering.polled(world, members.get("sources", ()), began)
        world.queue.finish_poll(attempt, due_in, answered=answered, message=message)
    return None


def _failed_again(world: World, group: str) -> float:
    failures = (world.state.load(FAILURES, group) or 0) + 1
    world.state.save(FAILURES, group, failures)
    return cluster_health.AGAIN if failures < 3 else RARELY


def _tell(world: World, group: str, unknown: Mapping[AppId, GitOpsError]) -> None:
    """Whoever's state is unknown now says so; whoever's was, and is not any more, is looked at."""
    before = frozenset[AppId](world.state.load(OUTAGE, group) or ())
    if unknown:
        # Before and after: whoever is killed or frozen in between must not leave statuses that nobody mends.
        world.state.save(OUTAGE, group, sorted(before.union(unknown)))
        outage(world, unknown)
    for app in sorted(before.difference(unknown)):
        world.queue.request(app, "reachable again", Urgency.POLL, not_before=0.0)
    if unknown:
        world.state.save(OUTAGE, group, sorted(unknown))
    elif before:
        world.state.discard(OUTAGE, group)
        world.state.discard(FAILURES, group)
