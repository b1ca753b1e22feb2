"""One trace per commit, across the processes that work on it: push, poll, and every attempt until its end.

Messages hold ids only, so the trace's context is stored: from a push to the poll that it asks for, and from the poll to
the attempts. All of it is derived: where a context is lost, the next attempt begins a trace of its own. Without a
tracer nothing of it is read or written.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from gitops_workers.core.documents.kind import Kind
from gitops_workers.core.documents.kinds import PUSH_TRACE, TRACES
from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import AppId, Application, Phase
from gitops_workers.core.telemetry.trace_context import begin, parent_of
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.ports import Attempt, Listing
from gitops_workers.ports.tracing import NO_SPAN, Span


def poll_span(context: Context, group: str, *, asked: bool) -> AbstractContextManager[Span]:
    """The span of a repository's poll, in the trace of the push that asked for it. Where it rings nobody, drop it."""
    tracer = context.tracer
    if not tracer.active:
        return NO_SPAN
    parent = (context.state.load(PUSH_TRACE, group) if asked else None) or ""
    if parent:
        context.state.discard(PUSH_TRACE, group)
    return tracer.span("poll", parent, group=group)


@dataclass(slots=True)
class RungByPoll:
    """Hands the poll's trace to the applications that it rings, each before its attempt can begin."""

    context: Context
    span: Span
    applications: int = 0

    def ring(self, app: Application, listing: Listing) -> None:
        """This application is about to be rung."""
        context = self.context
        if not context.tracer.active:
            return
        self.applications += 1
        try:
            commit = context.sources.resolve(app.source, listing).commit
        except Refused:
            return
        self.span.note(commit=commit)
        known = context.state.load(TRACES, app.id) or ()
        context.state.save(TRACES, app.id, begin(known, commit, context.tracer.context()))

    def end(self) -> None:
        """The poll has rung all that it rings."""
        if self.applications:
            self.span.note(applications=self.applications)
        else:
            self.span.drop()


def documents_read(context: Context) -> tuple[Kind[Any], ...]:
    """What an attempt reads of its application besides the rest."""
    return (TRACES,) if context.tracer.active else ()


def attempt_span(
    context: Context, app: Application, attempt: Attempt, stored: StoredState
) -> AbstractContextManager[Span]:
    """The span of an attempt, in the trace of the commit that it works on."""
    if not context.tracer.active:
        return NO_SPAN
    parent = parent_of(stored.traces, stored.operation, finish_first=app.sync.finish_first)
    return context.tracer.span(
        "attempt", parent, application=app.id, attempt=attempt.token, generation=attempt.generation
    )


def documents_written(
    context: Context, app: AppId, attempt: Attempt, stored: StoredState, outcome: Outcome
) -> Mapping[Kind[Any], Any]:
    """What the next attempt reads of this one's trace: nothing more, where the commit has come to its end."""
    if not context.tracer.active:
        return {}
    operation = outcome.operation
    if operation is not None:
        context.tracer.note(operation=operation.run, phase=operation.phase.value)
    context.tracer.note(sync=outcome.sync.value)
    succeeded = operation is None or operation.phase is Phase.SUCCEEDED
    if outcome.served and not outcome.tried and succeeded:
        # What was begun meanwhile belongs to the next generation: it must find its trace.
        ended = stored.traces and context.queue.wanted(app) == attempt.generation
        return {TRACES: None} if ended else {}
    if stored.traces or outcome.resolved is None:
        return {}
    return {TRACES: begin((), outcome.resolved.commit, context.tracer.context())}
