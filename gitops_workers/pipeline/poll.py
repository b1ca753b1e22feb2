"""The quiet cycle: who has to be looked at, found with one request per repository and one per kind and cluster.

A *repository group* holds all applications of one repository and credential: its refs are listed once, and where a
commit moved, the closure digests say whose inputs it touched. A *cluster group* holds all applications of one cluster:
the versions of all managed objects are listed once and compared with the last agreement. What is found is only a
reason to look: the attempt asks again for everything that it will act upon.
"""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from gitops_workers.core import agreement as agreements
from gitops_workers.core.agreement import Agreement, fingerprint
from gitops_workers.core.due import next_poll
from gitops_workers.core.errors import ClusterUnavailable, GitOpsError, Refused
from gitops_workers.core.grouping import CLUSTER_PREFIX, UNFINISHED_PREFIX
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.objects import GroupKind, ObjectKey
from gitops_workers.core.record import applyset_id
from gitops_workers.pipeline import reach, records, unfinished
from gitops_workers.pipeline.attempt import suspended
from gitops_workers.pipeline.outside import SEEN
from gitops_workers.pipeline.report import glance, outage, stamp, watch_in
from gitops_workers.pipeline.stages import resolve_revision
from gitops_workers.pipeline.world import World
from gitops_workers.ports import Refs, Seen, Urgency

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
            soon = _poll_cluster(world, group.removeprefix(CLUSTER_PREFIX), apps, members["interval"])
        else:
            # The queue keeps when somebody last asked; whoever was answered then does not wait any more.
            urgent = attempt.not_before > (world.state.load("answered", group) or 0.0)
            _poll_repository(world, apps, attempt.not_before, Urgency.WEBHOOK if urgent else Urgency.POLL)
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


def _poll_repository(world: World, apps: Sequence[AppId], asked_at: float, urgency: Urgency) -> None:
    """Ring for every application whose inputs differ at the commit its revision means now."""
    loaded = world.state.load_applications(apps)
    glances = world.state.load_many("glance", list(loaded))
    overrides = world.state.load_many("override", list(loaded))
    if len(loaded) < len(apps):
        # Somebody edited or damaged what was stored, so it counts as absent: the manifests are read again.
        world.state.discard("catalogue", SEEN)
    first = next(iter(loaded.values()), None)
    if first is None:
        return
    # Never an old listing because somebody asked long ago, nor the failure that was the answer then.
    refs = world.sources.refs(first.source, not_before=max(asked_at, world.queue.now() - 1.0))
    _warm_records(world, [app for app in loaded if app not in glances])
    untouched: dict[AppId, list[Any]] = {}
    later: dict[AppId, str] = {}
    fetched: set[str] = set()
    for app_id, app in loaded.items():
        if app.refusal or suspended(app, overrides.get(app_id)):
            continue
        news = _news(world, app, refs, glances.get(app_id), fetched)
        if isinstance(news, str) and app.depends_on:
            later[app_id] = news  # it asks at once whether its dependencies have been looked at with this commit
        elif isinstance(news, str):
            world.queue.request(app_id, news, urgency, not_before=refs.listed_at)
        elif news is not None:
            untouched[app_id] = news
    world.state.save_many("glance", untouched)
    for app_id, reason in later.items():
        world.queue.request(app_id, reason, urgency, not_before=refs.listed_at)


def _warm_records(world: World, new: Sequence[AppId]) -> None:
    """One listing per cluster spares every new application a request. A cluster that is away changes nothing here."""
    clusters = {status.cluster for app in new if (status := world.state.status(app))}
    for cluster in clusters & set(world.clusters.names()):
        with contextlib.suppress(GitOpsError):
            records.warm(world, cluster)


def _news(
    world: World, app: Application, refs: Refs, last: list[Any] | None, fetched: set[str]
) -> str | list[Any] | None:
    """Why the application has to be looked at; its new glance when the commit touched none of its inputs; or None.

    `fetched` holds the commits that this poll has on this host already.
    """
    try:
        resolved = resolve_revision(world, app, refs)
    except Refused as error:
        return None if last and last[0] == str(error) else str(error)
    if last is None:
        return f"first look at {resolved.commit[:12]}"
    if last[1] and (last[4] if len(last) > 4 else "") != world.rules.mark(app):
        return "the rules for health or ignored differences changed"
    if last[0] == resolved.commit:
        return None
    if resolved.commit not in fetched:
        world.sources.fetch(app.source, resolved.commit)
        fetched.add(resolved.commit)
    try:
        closure = world.closures.closure(app.source, app.render, resolved, app.name)
    except Refused as error:
        return f"{resolved.commit[:12]}: {error}"
    except GitOpsError:
        raise
    except Exception as error:
        # A defect of ours costs this application its look, not the whole group its poll; the attempt shows it.
        log.exception("closure_crashed", app=app.id)
        return f"{resolved.commit[:12]}: {type(error).__name__}"
    if closure.digest == last[1]:
        return [resolved.commit, *last[1:]]
    return f"commit {resolved.commit[:12]} of {resolved.ref or 'HEAD'}"


def _poll_cluster(world: World, name: str, apps: Sequence[AppId], interval: float) -> float:
    """Ring for every application whose live objects are not those of its last agreement.

    Returns in how many seconds the cluster has to be looked at again for those that wait for their objects, if any do.
    """
    began = world.clock()
    glances = world.state.load_many("glance", apps)
    kinds = [GroupKind(*text.split("|")) for text in {text for glance in glances.values() for text in glance[3]}]
    cluster = world.clusters.open(name)
    try:
        if not kinds:
            # Nobody is in sync here, perhaps because the cluster was away: whether it answers is still to be found out.
            cluster.discovery(refresh=True)
        seen = cluster.observe(kinds)
    except ClusterUnavailable as error:
        reach.unanswered(world, name, error, stamp(world.queue.now()))
        raise
    reach.answered(world, name, stamp(world.queue.now()))
    owners = _by_owner(seen)
    suspects = [
        app
        for app in apps
        if (last := glances.get(app)) and last[1] and last[2] != _print(owners.get(applyset_id(app), {}))
    ]
    unmoved: dict[AppId, Agreement] = {}
    for app, value in world.state.load_many("agreement", suspects).items():
        agreement = agreements.from_json(value)
        moved = _moved(agreement, owners.get(applyset_id(app), {}))
        if moved:
            world.state.save("drift", app, ["|".join(key) for key in moved])
            world.queue.request(app, f"{moved[0]} changed in the cluster", Urgency.SELF_HEAL, not_before=0.0)
        else:
            unmoved[app] = agreement
    # As they are now: an attempt that has found the objects well meanwhile waits no more.
    latest = world.state.load_many("glance", list(unmoved))
    world.state.save_many(
        "glance",
        {
            app: glance(agreement, _print(owners.get(applyset_id(app), {})), _waits_since(latest.get(app, ())))
            for app, agreement in unmoved.items()
        },
    )
    now = world.queue.now()
    watches = [watch_in(now - since, interval) for last in glances.values() if (since := _waits_since(last))]
    # However much there is to list, watching takes a tenth of a task's time.
    return max(min(watches), 10 * (world.clock() - began)) if watches else math.inf


def _waits_since(last: Sequence[Any]) -> float:
    return float(last[5]) if len(last) > 5 else 0.0


def _by_owner(seen: Mapping[ObjectKey, Seen]) -> dict[str, dict[ObjectKey, Seen]]:
    owners: dict[str, dict[ObjectKey, Seen]] = defaultdict(dict)
    for key, item in seen.items():
        owners[item.part_of][key] = item
    return owners


def _print(live: Mapping[ObjectKey, Seen]) -> str:
    return fingerprint((key, item.uid, item.resource_version) for key, item in live.items())


def _moved(agreement: Agreement, live: Mapping[ObjectKey, Seen]) -> list[ObjectKey]:
    """Agreed objects that are gone, replaced or changed. Others with our label are the inventory's business."""
    return sorted(
        key
        for key, known in agreement.objects.items()
        if key not in live or (live[key].uid, live[key].resource_version) != (known.uid, known.resource_version)
    )
