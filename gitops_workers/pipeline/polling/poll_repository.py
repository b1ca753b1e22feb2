"""The poll of a repository: its refs are listed once, and the closure digests say whose inputs a commit touched."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import structlog

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import FINGERPRINT, OVERRIDE, REFRESH_DONE
from gitops_workers.core.documents.polls import PollFingerprint
from gitops_workers.core.errors import Deferred, GitOpsError, Refused, SubmoduleUnavailable
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.policy.policy import allows_repository
from gitops_workers.pipeline import records
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.reconcile.attempt import suspended
from gitops_workers.pipeline.tracing import RungByPoll
from gitops_workers.ports import Listing, Urgency

log = structlog.get_logger()


def poll_repository(
    context: Context, apps: Sequence[AppId], asked_at: float, urgency: Urgency, rung: RungByPoll
) -> bool:
    """Ring for every application whose inputs differ at the commit its revision means now.

    Returns whether the repository was asked: not where none of its applications can be read.
    """
    loaded = context.state.load_applications(apps)
    glances = context.state.load_many(FINGERPRINT, list(loaded))
    overrides = context.state.load_many(OVERRIDE, list(loaded))
    if len(loaded) < len(apps):
        # Somebody edited or damaged what was stored, so it counts as absent: the manifests are read again.
        context.state.discard(REFRESH_DONE, WHOLE)
    first = next(iter(loaded.values()), None)
    if first is None:
        return False
    # Never an old listing because somebody asked long ago, nor the failure that was the answer then.
    listing = context.sources.poll(first.source, not_before=max(asked_at, context.queue.now() - 1.0))
    _warm_records(context, [app for app in loaded if app not in glances])
    untouched: dict[AppId, PollFingerprint] = {}
    later: dict[AppId, str] = {}
    fetched: set[str] = set()
    for app_id, app in loaded.items():
        if app.refusal or suspended(app, overrides.get(app_id)):
            continue
        news = _news(context, app, listing, glances.get(app_id), fetched)
        if isinstance(news, str) and app.depends_on:
            later[app_id] = news  # it asks at once whether its dependencies have been looked at with this commit
        elif isinstance(news, str):
            rung.ring(app, listing)
            context.queue.request(app_id, news, urgency, not_before=listing.listed_at)
        elif news is not None:
            untouched[app_id] = news
    context.state.save_many(FINGERPRINT, untouched)
    for app_id, reason in later.items():
        rung.ring(loaded[app_id], listing)
        context.queue.request(app_id, reason, urgency, not_before=listing.listed_at)
    return True


def _warm_records(context: Context, new: Sequence[AppId]) -> None:
    """One listing per cluster spares every new application a request. A cluster that is away changes nothing here."""
    clusters = {status.cluster for app in new if (status := context.state.status(app))}
    for cluster in clusters & set(context.clusters.names()):
        with contextlib.suppress(GitOpsError):
            records.cache_records(context, cluster)


def _news(
    context: Context, app: Application, listing: Listing, last: PollFingerprint | None, fetched: set[str]
) -> str | PollFingerprint | None:
    """Why the application has to be looked at; its new fingerprint when the commit touched none of its inputs; or None.

    `fetched` holds the commits that this poll has on this host already.
    """
    try:
        resolved = context.sources.resolve(app.source, listing)
    except Refused as error:
        return None if last and last.commit == str(error) else str(error)
    if last is None:
        return f"first look at {resolved.commit[:12]}"
    if last.closure and last.rules != context.rules.mark(app):
        return "the rules for health or ignored differences changed"
    if last.commit == resolved.commit:
        return None
    if resolved.commit not in fetched:
        context.sources.fetch(app.source, resolved.commit)
        fetched.add(resolved.commit)
    try:
        closure = context.closures.closure(app.source, app.render, resolved, app.name, allows_repository(app))
    except (Refused, SubmoduleUnavailable, Deferred) as error:
        return f"{resolved.commit[:12]}: {error}"
    except GitOpsError:
        raise
    except Exception as error:
        # A defect of ours costs this application its look, not the whole group its poll; the attempt shows it.
        log.exception("closure_crashed", application=app.id)
        return f"{resolved.commit[:12]}: {type(error).__name__}"
    if closure.digest == last.closure:
        return replace(last, commit=resolved.commit)
    return f"commit {resolved.commit[:12]} of {resolved.ref or 'HEAD'}"
