"""What the queue and the polls know of declared applications: who is looked after, where, and who polls for whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace

from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.prune.deletion import goes
from gitops_workers.core.prune.relocation import told
from gitops_workers.core.scheduling.due import first_offset
from gitops_workers.core.scheduling.lanes import host_lane
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from gitops_workers.core.source.urls import normalise_url
from gitops_workers.pipeline import records
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.context import World
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.reconcile.report import new_status

REPOSITORY = "repository"
"""Documents `repository/<normalised URL>`: the poll groups that a push there is news for."""


def enroll(world: World, app: Application, cluster: str) -> None:
    """Have an application looked after in this cluster, with its status; one that was elsewhere moves."""
    world.queue.enroll(app.id, cluster, fleet_of(world, cluster))
    status = world.state.status(app.id)
    fresh = new_status(world, app, cluster)
    if status is not None and status.cluster != cluster:
        moved = relocation.left(world, app.id, status.cluster, cluster, _objects(world, app.id, status.cluster))
        app = told(app, moved)
        for kind in ("agreement", "glance", "drift", "operation"):
            world.state.discard(kind, app.id)  # all of them speak of the cluster it has left
        records.put_away(world, cluster, app.id)  # it may have been there before
    elif status is not None:
        app = told(app, world.state.load(relocation.KIND, app.id))
    if status is not None:
        fresh = replace(
            status,
            project=fresh.project,
            cluster=cluster,
            namespace=fresh.namespace,
            repository=fresh.repository,
            path=fresh.path,
            conditions=app.conditions,
            suspended=fresh.suspended,
            group=fresh.group,
        )
    world.state.save_status(fresh)


def enroll_groups(world: World, apps: Mapping[AppId, Application], clusters: Mapping[AppId, str]) -> None:
    """Have every repository and cluster of these applications polled, and no other; `clusters`: where each goes."""
    members: dict[str, list[Application]] = defaultdict(list)
    by_url: dict[str, set[str]] = defaultdict(set)
    lanes: dict[str, str] = {}
    for app in apps.values():
        repository, cluster = repository_group(app), cluster_group(clusters[app.id])
        members[cluster].append(app)
        lanes[cluster] = clusters[app.id]
        if app.source.url and not goes(app):
            members[repository].append(app)
            lanes[repository] = host_lane(app.source.url)
            by_url[normalise_url(app.source.url)].add(repository)
    known = set(world.state.load("catalogue", "groups") or ())
    for group, group_apps in members.items():
        shortest = min(group_apps, key=lambda app: app.schedule.interval).schedule
        ids = sorted(app.id for app in group_apps if not goes(app))  # nobody polls for what is being deleted
        declared = {app.declared_source for app in group_apps if group == repository_group(app)} - {""}
        pace = {"interval": shortest.interval, "jitter": shortest.jitter}
        world.state.save("group", group, {"apps": ids, "sources": sorted(declared), **pace})
        world.queue.enroll_poll(group, lanes[group], first_offset(group, shortest.interval) if group in known else 0.0)
    for group in known - set(members):
        world.queue.expel_poll(group)
        world.state.discard("group", group)
        for kind in ("answered", "failures", "outage"):
            world.state.discard(kind, group)
    world.state.save("catalogue", "groups", sorted(members))
    world.state.save_many(REPOSITORY, {url: sorted(groups) for url, groups in by_url.items()})
    cluster_health.configured(world, Counter(clusters[app] for app in apps))


def _objects(world: World, app: AppId, cluster: str) -> int:
    """How many objects an application has in a cluster, as far as the state store knows."""
    copy = world.state.load(records.KIND, app)
    stored = records.load(world, cluster, app, copy) if copy and copy["cluster"] == cluster and copy["record"] else None
    return len(stored.record.inventory) if stored else len(world.state.resources(app))


def cluster_of(world: World, app: Application) -> str:
    """The cluster's name; an unknown one keeps what was written, and the attempt says what is wrong."""
    try:
        return world.clusters.resolve(app.destination.name, app.destination.server)
    except GitOpsError:
        return app.destination.name or app.destination.server


def fleet_of(world: World, cluster: str) -> str:
    """The fleet of workers that serves a cluster."""
    return world.clusters.fleet(cluster) if cluster in world.clusters.names() else "default"
