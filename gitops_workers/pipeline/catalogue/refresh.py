"""From declared manifests to enrolled applications.

A catalogue that cannot be read changes nothing. A broken file is that file's problem only: what it declared before
stays as it was, with a condition that says so. What is really gone is no longer looked after; its objects stay in the
cluster, unless its manifest said that they go with it (`departure`).

One refresh at a time: two that overlap would each put back what the other has just read, and an application that one of
them did not know yet would be left out of its poll groups for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import (
    CATALOGUE_ERROR,
    GROUPS_OF_REPOSITORY,
    REFRESH_BEGUN,
    REFRESH_DONE,
)
from gitops_workers.core.errors import GitOpsError, Superseded
from gitops_workers.core.model import AppId, Problem
from gitops_workers.core.objects import digest
from gitops_workers.core.policy.project import Project
from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.core.source.urls import normalise_url
from gitops_workers.dialects import parse
from gitops_workers.pipeline.announcements import bind_group
from gitops_workers.pipeline.catalogue import external_inputs, remarks
from gitops_workers.pipeline.catalogue.apply import Change, apply
from gitops_workers.pipeline.catalogue.difference import is_unread
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.lease import Lease
from gitops_workers.pipeline.reconcile import settings_in_force
from gitops_workers.ports import Catalogue

log = structlog.get_logger()


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
        now = (_token(context, catalogues, (item.token() for item in catalogues)), external_inputs.fingerprint(context))
        last = context.state.load_of(WHOLE, (REFRESH_BEGUN, REFRESH_DONE))
        if last.get(REFRESH_BEGUN) == last.get(REFRESH_DONE) == now:
            return Change()
        contents = [catalogue.contents() for catalogue in catalogues]
        token = _token(context, catalogues, (item.token for item in contents))
        documents = [document for item in contents for document in item.documents]
        broken = [problem for item in contents for problem in item.problems]
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
    change = apply(context, parsed, broken, lease)
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


def _token(context: Context, catalogues: Iterable[Catalogue], tokens: Iterable[str]) -> str:
    """Changes with a catalogue, and with the settings that every application's schedule is made by."""
    pace = f"{context.interval} {context.jitter} {context.sync_timeout} {context.flux_interval}"
    names = (item.name for item in catalogues)
    return digest(pace, *(part for pair in zip(names, tokens, strict=True) for part in pair))


def _standing(context: Context, broken: Sequence[Problem]) -> tuple[list[AppId], dict[str, Project]]:
    """Applications of files that cannot be read now: they go on, so others may still depend on them.

    And the projects that applications have: any of them may stand in such a file, and without its rules `default`
    would allow everything.
    """
    if not broken:
        return [], {}
    known = context.state.load_applications(context.state.applications()).values()
    projects = {app.limits.name: app.limits for app in known if app.limits}
    return [app.id for app in known if is_unread(app, broken)], projects


def _announce(context: Context, catalogues: Iterable[Catalogue]) -> None:
    """A push to a repository that declares applications is news for the catalogue, too."""
    urls = sorted({normalise_url(item.repository) for item in catalogues if item.repository})
    known = context.state.load_many(GROUPS_OF_REPOSITORY, urls)
    groups = {url: tuple(sorted({*known.get(url, ()), CATALOGUE})) for url in urls}
    context.state.save_many(GROUPS_OF_REPOSITORY, groups)
