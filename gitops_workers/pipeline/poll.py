"""The quiet cycle: who has to be looked at, found with one request per repository and one per kind and cluster.

A *repository group* holds all applications of one repository and credential, a *cluster group* all applications of one
cluster. What a poll finds is only a reason to look: the attempt asks again for everything that it will act upon.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import structlog

from gitops_workers.core.due import next_poll
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.grouping import CLUSTER_PREFIX, UNFINISHED_PREFIX
from gitops_workers.core.model import AppId
from gitops_workers.pipeline import unfinished
from gitops_workers.pipeline.poll_cluster import poll_cluster
from gitops_workers.pipeline.poll_repository import poll_repository
from gitops_workers.pipeline.report import outage, stamp
from gitops_workers.pipeline.world import World
from gitops_workers.ports import Urgency

log = structlog.get_logger()

FAILED_AGAIN = 30.0
"""Seconds until a repository or cluster that did not answer is asked again; its breaker stretches that."""


def poll(world: World, group: str) -> None:
    """Look at one group and ring for those applications that have to be looked at."""
    attempt = world.queue.begin_poll(group, world.lease)
    if attempt is None:
        return
    if group.startswith(UNFINISHED_PREFIX):
        unfinished.search(world, attempt)
        return
    members = world.state.load("group", group)
    if not members:
        world.queue.expel_poll(group)
        return
    apps, due_in = members["apps"], FAILED_AGAIN
    try:
        soon = math.inf
        if group.startswith(CLUSTER_PREFIX):
            soon = poll_cluster(world, group.removeprefix(CLUSTER_PREFIX), apps, members["interval"])
        else:
            # The queue keeps when somebody last asked; whoever was answered then does not wait any more.
            urgent = attempt.not_before > (world.state.load("answered", group) or 0.0)
            poll_repository(world, apps, attempt.not_before, Urgency.WEBHOOK if urgent else Urgency.POLL)
            if urgent:
                world.state.save("answered", group, attempt.not_before)
        due_in = min(soon, next_poll(members["interval"], members["jitter"], f"{group}{world.queue.now()}"))
        _answered(world, group, apps)
    except GitOpsError as error:
        log.warning("poll_failed", group=group, error=type(error).__name__, reason=str(error))
        # Before and after: whoever is killed or frozen in between must not leave statuses that nobody mends.
        world.state.save("outage", group, str(error))
        outage(world, apps, error)
        world.state.save("outage", group, str(error))
    finally:
        world.queue.finish_poll(attempt, due_in)


def _answered(world: World, group: str, apps: Sequence[AppId]) -> None:
    """The group is well: after an outage everybody is looked at, so that their statuses say so."""
    world.state.touch(group, len(apps), stamp(world.queue.now()))
    if world.state.load("outage", group):
        world.state.discard("outage", group)
        for app in apps:
            world.queue.request(app, "reachable again", Urgency.POLL, not_before=0.0)
