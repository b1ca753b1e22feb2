"""The quiet cycle: who has to be looked at, found with one request per repository and one per kind and cluster.

A *repository group* holds all applications of one repository and credential, a *cluster group* all applications of one
cluster. What a poll finds is only a reason to look: the attempt asks again for everything that it will act upon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import structlog

from gitops_workers.core.due import next_poll
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.grouping import CLUSTER_PREFIX, UNFINISHED_PREFIX
from gitops_workers.core.model import AppId
from gitops_workers.core.moments import stamp
from gitops_workers.pipeline import telling, unfinished
from gitops_workers.pipeline.poll_cluster import poll_cluster
from gitops_workers.pipeline.poll_repository import poll_repository
from gitops_workers.pipeline.report import outage
from gitops_workers.pipeline.world import World
from gitops_workers.ports import Urgency

log = structlog.get_logger()

FAILED_AGAIN = 30.0
"""Seconds until a repository or cluster that did not answer is asked again; its breaker stretches that."""
OUTAGE = "outage"
"""The document with the applications of a group that were told that their state is unknown."""


def poll(world: World, group: str) -> None:
    """Look at one group and ring for those applications that have to be looked at."""
    attempt = world.queue.begin_poll(group, world.lease)
    if attempt is None:
        return
    telling.bound_group(group)
    if group.startswith(UNFINISHED_PREFIX):
        unfinished.search(world, attempt)
        return
    members = world.state.load("group", group)
    if not members:
        world.queue.expel_poll(group)
        return
    apps, due_in = members["apps"], FAILED_AGAIN
    try:
        soon, unknown = math.inf, dict[AppId, GitOpsError]()
        if group.startswith(CLUSTER_PREFIX):
            soon, unknown = poll_cluster(world, group.removeprefix(CLUSTER_PREFIX), apps, members["interval"])
        else:
            # The queue keeps when somebody last asked; whoever was answered then does not wait any more.
            urgent = attempt.not_before > (world.state.load("answered", group) or 0.0)
            poll_repository(world, apps, attempt.not_before, Urgency.WEBHOOK if urgent else Urgency.POLL)
            if urgent:
                world.state.save("answered", group, attempt.not_before)
        usual = next_poll(members["interval"], members["jitter"], f"{group}{world.queue.now()}")
        due_in = min(soon, FAILED_AGAIN if unknown else usual)
        world.state.touch(group, len(apps), stamp(world.queue.now()))
        _tell(world, group, unknown)
    except GitOpsError as error:
        log.warning("poll_failed", error=type(error).__name__, reason=str(error))
        _tell(world, group, dict.fromkeys(apps, error))
    finally:
        world.queue.finish_poll(attempt, due_in)


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
