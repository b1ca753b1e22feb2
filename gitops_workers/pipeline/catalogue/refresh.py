"""From declared manifests to enrolled applications.

A catalogue that cannot be read changes nothing. A broken file is that file's problem only: what it declared before
stays as it was, with a condition that says so. What is really gone is no longer looked after; its objects stay in the
cluster, unless its manifest said that they go with it (`departure`).

One refresh at a time: two that overlap would each put back what the other has just read, and an application that one of
them did not know yet would be left out of its poll groups for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import (
    CATALOGUE_ERROR,
    GROUPS_OF_REPOSITORY,
    OVERRIDE,
    PARTIAL_REFRESH,
    RECEIVER,
    RECEIVERS,
    REFRESH_BEGUN,
    REFRESH_DONE,
    REJECTED,
)
from gitops_workers.core.documents.polls import StoredReceiver
from gitops_workers.core.documents.sets import Applications
from gitops_workers.core.errors import GitOpsError, Superseded
from gitops_workers.core.model import AppId, Application, Condition, Problem
from gitops_workers.core.objects import digest
from gitops_workers.core.policy.project import Project
from gitops_workers.core.prune.deletion import objects_retained
from gitops_workers.core.scheduling.poll_groups import CATALOGUE, repository_group
from gitops_workers.core.source.urls import normalise_url
from gitops_workers.core.status.rows import Event, Status
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.dialects import Document, Parsed, parse
from gitops_workers.dialects.kinds import dialect_of
from gitops_workers.pipeline.announcements import announce, bind_group
from gitops_workers.pipeline.catalogue import enrollment, external_inputs, remarks, wake_dependents
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import forget_application, removed_applications, resume_deletions
from gitops_workers.pipeline.lease import Lease
from gitops_workers.pipeline.reconcile import settings_in_force
from gitops_workers.ports import Catalogue, Urgency

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


def refresh(context: Context, catalogues: Sequence[Catalogue]) -> Change:
    """Bring the enrolled applications in line with the manifests, if anything changed since the last time.

    Nothing happens while somebody else is at it.
    """
    context.queue.enroll_poll(CATALOGUE, CATALOGUE, 0.0)
    attempt = context.queue.begin_poll(CATALOGUE, context.lease)
    if attempt is None:
        return Change()
    bind_group(CATALOGUE)
    try:
        return _refresh(context, catalogues, Lease(context, attempt))
    except Superseded as error:
        # What we wrote last may have come after what the new holder wrote: the next refresh writes all of it again.
        log.warning("catalogue_superseded", reason=str(error))
        context.state.discard(REFRESH_DONE, WHOLE)
        return Change()
    finally:
        context.queue.finish_poll(attempt, context.catalogue_interval)


def _refresh(context: Context, catalogues: Sequence[Catalogue], lease: Lease) -> Change:
    try:
        pace = f"{context.interval} {context.jitter} {context.sync_timeout} {context.flux_interval}"
        token = digest(pace, *(part for item in catalogues for part in (item.name, item.token())))
        now = (token, external_inputs.fingerprint(context))
        last = context.state.load_of(WHOLE, (REFRESH_BEGUN, REFRESH_DONE))
        if last.get(REFRESH_BEGUN) == last.get(REFRESH_DONE) == now:
            return Change()
        documents, broken = _documents(catalogues)
        reads = external_inputs.Reads(context)
        standing, projects = _standing(context, broken)
        parsed = parse(documents, reads, standing, projects=projects, flux_interval=context.flux_interval)
        external_inputs.remember(context, reads, parsed.receivers)
        around = external_inputs.fingerprint(context)
    except GitOpsError as error:
        if context.state.load(CATALOGUE_ERROR, WHOLE) != str(error):
            log.warning("catalogue_unreadable", reason=str(error))
            context.state.save(CATALOGUE_ERROR, WHOLE, str(error))
        return Change()
    context.state.save(REFRESH_BEGUN, WHOLE, (token, around))
    settings_in_force.publish(context)  # `argocd-cm` may stand in the catalogue, and these applications rely on it
    change = _apply(context, parsed, broken, lease)
    remarks.save(context, change.problems)
    _announce(context, catalogues)
    context.state.save(REFRESH_DONE, WHOLE, (token, around))
    context.state.discard(CATALOGUE_ERROR, WHOLE)
    log.info(
        "catalogue_read",
        applications=len(context.state.applications()),
        added=len(change.added),
        changed=len(change.changed),
        removed=len(change.removed),
        leaving=len(change.leaving),
        problems=len(change.problems),
    )
    return change


def _standing(context: Context, broken: Sequence[Problem]) -> tuple[list[AppId], dict[str, Project]]:
    """Applications of files that cannot be read now: they go on, so others may still depend on them.

    And the projects that applications have: any of them may stand in such a file, and without its rules `default`
    would allow everything.
    """
    if not broken:
        return [], {}
    known = context.state.load_applications(context.state.applications()).values()
    projects = {app.limits.name: app.limits for app in known if app.limits}
    return [app.id for app in known if _unread(app, broken)], projects


def _unread(app: Application, broken: Sequence[Problem]) -> bool:
    """Whether the application's file, or a folder that it was in, cannot be read."""
    return any(app.origin == problem.file or app.origin.startswith(f"{problem.file}/") for problem in broken)


def _documents(catalogues: Iterable[Catalogue]) -> tuple[list[Document], list[Problem]]:
    documents: list[Document] = []
    broken: list[Problem] = []
    for catalogue in catalogues:
        found, problems = catalogue.documents()
        documents += found
        broken += problems
    return documents, broken


def _apply(context: Context, parsed: Parsed, broken: Sequence[Problem], lease: Lease) -> Change:
    lease.keep()
    ids = context.state.applications()
    before = context.state.load_applications(ids)
    wanted = {app.id: _without_credentials(_paced(context, app)) for app in parsed.applications}
    kept = _kept(before, wanted, parsed, broken)
    needed = wake_dependents.dependents_by_application({**kept, **wanted})
    wanted, kept = (
        wake_dependents.with_dependents_flag(wanted, needed),
        wake_dependents.with_dependents_flag(kept, needed),
    )
    flagged = [app for app in (*wanted.values(), *kept.values()) if _flag_changed(before.get(app.id), app)]
    added = [app for app in wanted.values() if app.id not in before]
    half = context.state.load(PARTIAL_REFRESH, WHOLE) or Applications()
    changed = [
        app
        for app in (*wanted.values(), *kept.values())
        if app.id in before and (before[app.id] != app or app.id in half)
    ]
    gone = sorted(set(before) - set(wanted) - set(kept))
    remaining = len(wanted) + len(kept)
    leaving = removed_applications.request_deletions(
        context, before, gone, (*broken, *parsed.problems), remaining=remaining
    )
    removed = [app_id for app_id in gone if app_id not in leaving]

    if leaving:
        lease.prove()  # what an old catalogue misses may be what a newer one has brought
    for app in changed:
        if before[app.id].schedule.suspended != app.schedule.suspended:
            context.state.discard(OVERRIDE, app.id)  # the manifest has the last word when it is the one that changed
    if added or changed:
        context.state.save(PARTIAL_REFRESH, WHOLE, Applications(frozenset(app.id for app in (*added, *changed))))
    # In one go: a part of them alone might be too few for the question whether so many are meant to be deleted.
    delete_hooks = [app for app in leaving.values() if app != before[app.id]]
    context.state.save_applications([*added, *changed, *flagged, *delete_hooks])
    wake_dependents.save(context, needed, before)
    clusters = {
        app.id: enrollment.cluster_of(context, app) for app in (*wanted.values(), *kept.values(), *leaving.values())
    }
    for app in (*added, *changed):
        lease.keep()
        enrollment.enroll(context, app, clusters[app.id])
    for app_id in removed:
        lease.keep()
        forget_application.delete_bookkeeping(context, app_id, forget_application.OBJECTS_RETAINED)
    for app in leaving.values():
        context.queue.enroll(app.id, clusters[app.id], enrollment.fleet_of(context, clusters[app.id]))
    removed_applications.announce_deletions(context, before, leaving)
    for app_id, app in kept.items():
        _mark_broken(context, app, parsed.rejected.get(app_id) or broken)
    _reject_new(context, parsed, before)
    lease.keep()
    enrollment.enroll_groups(context, {**kept, **wanted, **leaving}, clusters)
    resume_deletions.enroll(context, again=len(before) < len(ids))
    _save_receivers(context, parsed, {**kept, **wanted})
    fetched = [app for app in added if not app.refusal and not app.schedule.suspended]
    for group in sorted({repository_group(app) for app in fetched}):
        # The poll lists, fetches and looks for all of them at once, and rings each that is new to it.
        context.queue.request_poll(group, Urgency.POLL)
    for app in (*changed, *(app for app in added if app not in fetched)):
        context.queue.request(app.id, "its manifest changed", Urgency.POLL)
    if added or changed:
        context.state.discard(PARTIAL_REFRESH, WHOLE)
    return Change(
        tuple(app.id for app in added),
        tuple(app.id for app in changed),
        tuple(removed),
        tuple(leaving),
        (*broken, *parsed.problems),
    )


def _flag_changed(before: Application | None, now: Application) -> bool:
    """Whether somebody depends on it now who did not, or the other way round: stored, and no reason to look at it."""
    return before is not None and before.needed != now.needed


def _paced(context: Context, app: Application) -> Application:
    """How often to look, and how long a sync may take: where manifests do not say it, the installation does."""
    if not policy_of(app.dialect).governed:
        return app
    schedule = replace(app.schedule, interval=context.interval, jitter=context.jitter)
    return replace(app, schedule=schedule, sync=replace(app.sync, timeout=context.sync_timeout))


def _without_credentials(app: Application) -> Application:
    """An address is stored, shown and named in errors, so no password may stand in it: it is cut off and refused."""
    clean = app.source.shown
    if clean == app.source.url:
        return app
    refusal = (
        f"The repository's address {clean} is written with a login or a query: take that out and put the credential "
        "into a Secret (Argo CD: a repository Secret; Flux: spec.secretRef of the GitRepository)."
    )
    return replace(app, source=replace(app.source, url=clean), refusal=f"{refusal} {app.refusal}".strip())


def _kept(
    before: Mapping[AppId, Application],
    wanted: Mapping[AppId, Application],
    parsed: Parsed,
    broken: Sequence[Problem],
) -> dict[AppId, Application]:
    """Applications that are declared wrongly now, or stand in a file that cannot be read: as they were.

    One that was leaving is back when it is declared, however wrongly; a file that cannot be read says nothing of it.
    """
    return {
        app_id: objects_retained(app)
        for app_id, app in before.items()
        if app_id not in wanted and (app_id in parsed.rejected or (app.leaving is None and _unread(app, broken)))
    }


def _mark_broken(context: Context, app: Application, problems: Sequence[Problem]) -> None:
    """The last good version goes on; the status names the file, the line and the field."""
    text = "; ".join(str(problem) for problem in problems[:3])
    status = context.state.status(app.id)
    condition = Condition("InvalidSpecError", f"The last good version goes on: {text}")
    if status is not None and condition not in status.conditions:
        context.state.save_status(replace(status, conditions=(*app.conditions, condition)))
        announce(
            context.state, [Event(stamp(context.queue.now()), app.id, "Warning", condition.type, condition.message)]
        )


def _reject_new(context: Context, parsed: Parsed, before: Mapping[AppId, Application]) -> None:
    """Applications that were never readable are shown with what is wrong, so that nobody looks for them in vain."""
    now = stamp(context.queue.now())
    unreadable = {app_id: problems for app_id, problems in parsed.rejected.items() if app_id not in before}
    rejected = context.state.load(REJECTED, WHOLE)
    for app_id in set(rejected or ()) - set(unreadable) - set(before):
        if app_id not in {app.id for app in parsed.applications}:
            context.state.delete_application(app_id)
    for app_id, problems in unreadable.items():
        text = "; ".join(str(problem) for problem in problems[:3])
        context.state.save_status(
            Status(
                id=app_id,
                dialect=str(dialect_of(app_id) or ""),
                project="default",
                cluster="",
                namespace="",
                repository="",
                path="",
                conditions=(Condition("InvalidSpecError", text),),
                message=text,
                changed_at=now,
            )
        )
        announce(context.state, [Event(now, app_id, "Warning", "InvalidSpecError", text)])
    context.state.save(REJECTED, WHOLE, tuple(sorted(unreadable)))
    for problem in parsed.problems:
        log.warning(
            "manifest_problem", file=problem.file, line=problem.line, field=problem.path, reason=problem.message
        )


def _announce(context: Context, catalogues: Iterable[Catalogue]) -> None:
    """A push to a repository that declares applications is news for the catalogue, too."""
    urls = sorted({normalise_url(item.repository) for item in catalogues if item.repository})
    known = context.state.load_many(GROUPS_OF_REPOSITORY, urls)
    groups = {url: tuple(sorted({*known.get(url, ()), CATALOGUE})) for url in urls}
    context.state.save_many(GROUPS_OF_REPOSITORY, groups)


def _save_receivers(context: Context, parsed: Parsed, apps: Mapping[AppId, Application]) -> None:
    """Webhook addresses by the hash in their path. The token makes the hash and is not stored (see web.receivers)."""
    found = {}
    for receiver in parsed.receivers:
        path = external_inputs.address(context, receiver.secret, receiver.name, receiver.namespace)
        if not path:
            log.warning("receiver_without_token", namespace=receiver.namespace, name=receiver.name)
            continue
        groups = {repository_group(apps[app]) for app in receiver.applications if app in apps}
        found[path.rpartition("/")[2]] = StoredReceiver(
            receiver.namespace,
            receiver.name,
            receiver.type,
            (receiver.secret.kind, receiver.secret.namespace, receiver.secret.name),
            tuple(receiver.events),
            tuple(sorted(groups)),
            receiver.suspended,
        )
    receivers = context.state.load(RECEIVERS, WHOLE)
    for path in set(receivers or ()) - set(found):
        context.state.discard(RECEIVER, path)
    context.state.save_many(RECEIVER, found)
    context.state.save(RECEIVERS, WHOLE, tuple(sorted(found)))
