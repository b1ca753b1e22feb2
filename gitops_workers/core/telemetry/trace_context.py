"""Which trace an attempt goes on with: the one that was begun for the commit it works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.sync.operation import Operation

MOST = 2
"""Traces that are kept of an application: the running operation's, and that of the commit that waits for its end."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace of one commit of one application. `parent`: the W3C traceparent that its attempts have in common."""

    commit: str
    parent: str


Traces = tuple[TraceContext, ...]
"""Oldest first."""


def begin(known: Sequence[TraceContext], commit: str, parent: str) -> Traces:
    """What is kept when work on a commit begins; one that is at work already keeps its trace."""
    if any(trace.commit == commit for trace in known):
        return tuple(known)
    return (*known, TraceContext(commit, parent))[-MOST:]


def parent_of(known: Sequence[TraceContext], operation: Operation | None, *, finish_first: bool) -> str:
    """The parent of an attempt's span, "" where the attempt begins a trace.

    That is the newest commit's, unless the application finishes first what it has begun.
    """
    if finish_first and operation is not None and operation.running:
        return next((trace.parent for trace in known if trace.commit == operation.commit), "")
    return known[-1].parent if known else ""
