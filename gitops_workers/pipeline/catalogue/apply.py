"""Carries out what a refresh of the catalogue has to do, in steps that may each be done again.

A worker may die between any two of them. The order is the argument for crash safety: `PARTIAL_REFRESH` names what is
stored and perhaps not enrolled before it is stored, and is discarded when all of it is enrolled and asked for; the
document `REFRESH_DONE` comes after all steps, so the next refresh does them all again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import (
    OVERRIDE,
    PARTIAL_REFRESH,
)
from gitops_workers.core.documents.sets import Applications
from gitops_workers.core.model import AppId, Application, Problem
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.dialects import Parsed
from gitops_workers.pipeline.catalogue import (
    enrollment,
    receivers,
    unreadable,
    wake_dependents,
)
from gitops_workers.pipeline.catalogue.difference import Difference, difference, without_credentials
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import forget_application, removed_applications, resume_deletions
from gitops_workers.pipeline.lease import Lease
from gitops_workers.ports import Urgency

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Change:
    """What a refresh did, for logs and tests."""

    added: tuple[AppId, ...] = ()
    changed: tuple[AppId, ...] = ()
    removed: tuple[AppId, ...] = ()
    leaving: tuple[AppId, ...] = ()
    """Gone from the catalogue, and deleted with their objects now or when a human says so."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Refresh:
    """One refresh under its lease, and everything that its steps share."""

    context: Context
    lease: Lease
    parsed: Parsed
    broken: Sequence[Problem]
    stored: int
    """How many applications the store names; more than `found.before` where some could not be read."""
    found: Difference
    leaving: Mapping[AppId, Application]
    """Gone from the catalogue, and deleted with their objects now or when a user says so."""
    clusters: Mapping[AppId, str]

    @property
    def removed(self) -> list[AppId]:
        """Gone from the catalogue, and their objects stay."""
        return [app_id for app_id in self.found.gone if app_id not in self.leaving]

    def forget_overrides(self) -> None:
        """The manifest has the last word on suspension when it is the one that changed."""
        for app in self.found.changed:
            if self.found.before[app.id].schedule.suspended != app.schedule.suspended:
                self.context.state.discard(OVERRIDE, app.id)

    def note_partial(self) -> None:
        """Name what is about to be stored, for the refresh after a crash."""
        names = frozenset(app.id for app in (*self.found.added, *self.found.changed))
        if names:
            self.context.state.save(PARTIAL_REFRESH, WHOLE, Applications(names))

    def store(self) -> None:
        """All in one go: a part alone might be too few for the question whether so many are meant to be deleted."""
        found = self.found
        deleted = [app for app in self.leaving.values() if app != found.before[app.id]]
        self.context.state.save_applications([*found.added, *found.changed, *found.flagged, *deleted])
        wake_dependents.save(self.context, found.needed, found.before)

    def enroll(self) -> None:
        """Have the new and the changed ones looked after."""
        for app in (*self.found.added, *self.found.changed):
            self.lease.keep()
            enrollment.enroll(self.context, app, self.clusters[app.id])

    def forget_removed(self) -> None:
        """Delete the bookkeeping of those whose objects stay."""
        for app_id in self.removed:
            self.lease.keep()
            forget_application.delete_bookkeeping(self.context, app_id, forget_application.OBJECTS_RETAINED)

    def enroll_deletions(self) -> None:
        """Have the deletions looked after, and say so."""
        for app in self.leaving.values():
            cluster = self.clusters[app.id]
            self.context.queue.enroll(app.id, cluster, enrollment.fleet_of(self.context, cluster))
        removed_applications.announce_deletions(self.context, self.found.before, self.leaving)

    def show_unreadable(self) -> None:
        """Show what is wrong on the applications that it concerns."""
        for app_id, app in self.found.kept.items():
            unreadable.mark_broken(self.context, app, self.parsed.rejected.get(app_id) or self.broken)
        unreadable.reject_new(self.context, self.parsed, self.found.before)

    def enroll_polls(self) -> None:
        """Have every repository and cluster polled, and no other; the webhooks of Receivers with them."""
        self.lease.keep()
        enrollment.enroll_groups(self.context, {**self.found.declared, **self.leaving}, self.clusters)
        resume_deletions.enroll(self.context, again=len(self.found.before) < self.stored)
        receivers.save(self.context, self.parsed, self.found.declared)

    def request(self) -> None:
        """Ask for the first look at what is new, and for one at what changed."""
        fetched = [app for app in self.found.added if not app.refusal and not app.schedule.suspended]
        for group in sorted({repository_group(app) for app in fetched}):
            # The poll lists, fetches and looks for all of them at once, and rings each that is new to it.
            self.context.queue.request_poll(group, Urgency.POLL)
        for app in (*self.found.changed, *(app for app in self.found.added if app not in fetched)):
            self.context.queue.request(app.id, "its manifest changed", Urgency.POLL)

    def clear_partial(self) -> None:
        """Everything that was stored is enrolled and asked for."""
        if self.found.added or self.found.changed:
            self.context.state.discard(PARTIAL_REFRESH, WHOLE)


STEPS: tuple[Callable[[_Refresh], None], ...] = (
    _Refresh.forget_overrides,
    _Refresh.note_partial,
    _Refresh.store,
    _Refresh.enroll,
    _Refresh.forget_removed,
    _Refresh.enroll_deletions,
    _Refresh.show_unreadable,
    _Refresh.enroll_polls,
    _Refresh.request,
    _Refresh.clear_partial,
)


def apply(context: Context, parsed: Parsed, broken: Sequence[Problem], lease: Lease) -> Change:
    """Bring the enrolled applications in line with these manifests. Raises Superseded where the lease is lost."""
    lease.keep()
    ids = context.state.applications()
    declared = [without_credentials(_paced(context, app)) for app in parsed.applications]
    partial = context.state.load(PARTIAL_REFRESH, WHOLE) or Applications()
    found = difference(context.state.load_applications(ids), declared, partial, parsed, broken)
    leaving = removed_applications.request_deletions(
        context, found.before, found.gone, (*broken, *parsed.problems), remaining=len(found.wanted) + len(found.kept)
    )
    if leaving:
        lease.prove()  # what an old catalogue misses may be what a newer one has brought
    everybody = (*found.wanted.values(), *found.kept.values(), *leaving.values())
    clusters = {app.id: enrollment.cluster_of(context, app) for app in everybody}
    run = _Refresh(context, lease, parsed, broken, len(ids), found, leaving, clusters)
    for step in STEPS:
        step(run)
    return Change(
        tuple(app.id for app in found.added),
        tuple(app.id for app in found.changed),
        tuple(run.removed),
        tuple(leaving),
        (*broken, *parsed.problems),
    )


def _paced(context: Context, app: Application) -> Application:
    """How often to look, and how long a sync may take: where manifests do not say it, the installation does."""
    if not policy_of(app.dialect).governed:
        return app
    schedule = replace(app.schedule, interval=context.interval, jitter=context.jitter)
    return replace(app, schedule=schedule, sync=replace(app.sync, timeout=context.sync_timeout))
