"""The revision of an attempt, and what it renders to: the newest one, or that of an operation to be finished first."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.operation import Operation
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.reconcile import stages
from gitops_workers.ports import Attempt, Closure, Discovery, Listing, Rendered


@dataclass(frozen=True, slots=True)
class RenderedRevision:
    """One revision with its inputs and its objects. `newer`: a later one, which waits for the running operation."""

    resolved: Resolved
    closure: Closure
    rendered: Rendered
    newer: Resolved | None = None


def choose(
    context: Context, app: Application, listing: Listing, found: Discovery, previous: Operation | None
) -> RenderedRevision:
    """What this attempt looks at. Raises Refused, Retry.

    Where the application finishes first what it has begun, that is the running operation's commit. It is let go of when
    it would no longer render to the same objects: whoever changes the manifest means to change what is going on.
    """
    newest = context.sources.resolve(app.source, listing)
    if app.sync.finish_first and previous is not None and previous.running and previous.commit != newest.commit:
        begun = Resolved(previous.commit, previous.ref)
        closure, rendered = stages.render_objects(context, app, begun, found)
        if operations.continues(previous, begun, rendered.digest):
            return RenderedRevision(begun, closure, rendered, newest)
    return RenderedRevision(newest, *stages.render_objects(context, app, newest, found))


def newest_of(attempt: Attempt, stored: StoredState) -> float:
    """Refs listed before this moment are too old: for the request, or because a later attempt has seen newer ones."""
    return max(attempt.not_before, stored.listed_at)
