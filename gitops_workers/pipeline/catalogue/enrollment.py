"""What the queue and the polls know of declared applications: who is looked after, where, and who polls for whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import (
    ANSWERED_AT,
    BASELINE,
    DRIFT,
    FAILURES,
    FINGERPRINT,
    GROUP_MEMBERS,
    GROUPS,
    GROUPS_OF_REPOSITORY,
    LEFT_BEHIND,
    OPERATION,
    OUTAGE,
    RECORD_COPY,
)
from gitops_workers.core.documents.polls import PollGroup
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.prune.deletion import is_deleted
from gitops_workers.core.prune.relocation import with_relocation_condition
from gitops_workers.core.scheduling.due import first_offset
from gitops_workers.core.scheduling.lanes import host_lane
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from gitops_workers.pipeline import records
from gitops_workers.pipeline.catalogue import relocation
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.polling import cluster_health
from gitops_workers.pipeline.reconcile.report import new_status


def enroll(context: Context, app: Application, cluster: str) -> None:
    """Have an application looked after in this cluster, with its status; one that was elsewhere moves."""
    context.queue.enroll(app.id, cluster, fleet_of(context, cluster))
    status = context.state.status(app.id)
    fresh = new_status(context, app, cluster)
    if status is not None and status.cluster != cluster:
        moved = relocation.note_relocation(
            context, app.id, status.cluster, cluster, _objects(context, app.id, status.cluster)
        )
        app = with_relocation_condition(app, moved)
        for kind in (BASELINE, FINGERPRINT, DRIFT, OPERATION):
            context.state.discard(kind, app.id)  # all of them speak of the cluster it has left
        records.invalidate(context, cluster, app.id)  # it may have been there before
    elif status is not None:
        app = with_relocation_condition(app, context.state.load(LEFT_BEHIND, app.id))
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
    context.state.save_status(fresh)


def enroll_groups(context: Context, apps: Mapping[AppId, Application], clusters: Mapping[AppId, str]) -> None:
    """Have every repository and cluster of these applications polled, and no other; `clusters`: where each goes."""
    members: dict[str, list[Application]] = defaultdict(list)
    by_url: dict[str, set[str]] = defaultdict(set)
    lanes: dict[str, str] = {}
    for app in apps.values():
        repository, cluster = repository_group(app), cluster_group(clusters[app.id])
        members[cluster].append(app)
        lanes[cluster] = clusters[app.id]
        if app.source.url and not is_deleted(app):
            members[repository].append(app)
            lanes[repository] = host_lane(app.source.url)
            by_url[app.source.identity].add(repository)
    before = context.state.load(GROUPS, WHOLE)
    known = frozenset(before or ())
    for group, group_apps in members.items():
        shortest = min(group_apps, key=lambda app: app.schedule.interval).schedule
        ids = tuple(
            sorted(app.id for app in group_apps if not is_deleted(app))
        )  # nobody polls for what is being deleted
        declared = {app.declared_source for app in group_apps if group == repository_group(app)} - {""}
        found = PollGroup(ids, shortest.interval, shortest.jitter, tuple(sorted(declared)))
        context.state.save(GROUP_MEMBERS, group, found)
        context.queue.enroll_poll(
            group, lanes[group], first_offset(group, shortest.interval) if group in known else 0.0
        )
    for group in known - set(members):
        context.queue.delete_poll(group)
        context.state.discard(GROUP_MEMBERS, group)
        for kind in (ANSWERED_AT, FAILURES, OUTAGE):
            context.state.discard(kind, group)
    context.state.save(GROUPS, WHOLE, tuple(sorted(members)))
    found_by_url = {url: tuple(sorted(groups)) for url, groups in by_url.items()}
    context.state.save_many(GROUPS_OF_REPOSITORY, found_by_url)
    cluster_health.configured(context, Counter(clusters[app] for app in apps))


def _objects(context: Context, app: AppId, cluster: str) -> int:
    """How many objects an application has in a cluster, as far as the state store knows."""
    copy = context.state.load(RECORD_COPY, app)
    stored = records.load(context, cluster, app, copy) if copy and copy.holds(app, cluster) else None
    return len(stored.record.inventory) if stored else len(context.state.resources(app))


def cluster_of(context: Context, app: Application) -> str:
    """The cluster's name; an unknown one keeps what was written, and the attempt says what is wrong."""
    try:
        return context.clusters.resolve(app.destination.name, app.destination.server)
    except GitOpsError:
        return app.destination.name or app.destination.server


def fleet_of(context: Context, cluster: str) -> str:
    """The fleet of workers that serves a cluster."""
    return context.clusters.fleet(cluster) if cluster in context.clusters.names() else "default"
