"""Saying what happened: once in the log and once in the event stream, with the same identifiers.

Every line of an attempt bears the application, the attempt's token and the generation, from its operation's beginning
on the operation, too: they are bound to the thread once, and whatever is logged meanwhile bears them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from gitops_workers.core.status.rows import Event
from gitops_workers.core.sync.operation import Operation
from gitops_workers.ports import Attempt, State

log = structlog.get_logger()
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def bind_attempt(attempt: Attempt) -> None:
    """From now on this thread speaks of this attempt."""
    clear_contextvars()
    bind_contextvars(application=attempt.app, attempt=attempt.token, generation=attempt.generation)


def bind_group(group: str) -> None:
    """From now on this thread speaks of this poll."""
    clear_contextvars()
    bind_contextvars(group=group)


def unbind() -> None:
    """The task has ended: what this thread says next is about nothing of it."""
    clear_contextvars()


def bind_operation(operation: Operation) -> None:
    """From now on the attempt's lines are about this operation."""
    bind_contextvars(operation=operation.run)


def announce_operation(operation: Operation) -> None:
    """An operation begins: its writes follow in the log, and its end."""
    bind_operation(operation)
    asked = {"request": operation.request.id} if operation.request else {}
    healed = {"healed": operation.healed} if operation.healed else {}
    log.info(
        "operation_began",
        revision=operation.commit,
        ref=operation.ref,
        by=operation.initiated_by,
        **asked,
        **healed,
    )


def announce(state: State, events: Sequence[Event], *, logged: bool = True) -> None:
    """Append the events to the stream, and log them: the one way for every event there is.

    The stream is what API, command line and pages show and what every `ports.EventSink` is brought (later and from
    there, by `runtime.event_delivery`). The log is told here, by the thread to which the event happened, for its lines
    bear what is bound to that thread; a process without a log says `logged=False`.
    """
    events = [_with_identifiers(event) for event in events]
    for event in events if logged else ():
        say = log.warning if event.type == "Warning" else log.info
        said = {name: value for name, value in event.to_json().items() if value and name not in _IN_THE_LINE}
        say(_WORDS.sub("_", event.reason).lower(), application=event.app, **said)
    if events:
        state.add_events(events)


def _with_identifiers(event: Event) -> Event:
    """The event with the attempt and the operation in whose course it happened, if it is about their application."""
    bound = get_contextvars()
    if bound.get("application") != event.app:
        return event
    return replace(
        event,
        attempt=event.attempt or bound.get("attempt", 0),
        operation=event.operation or bound.get("operation", ""),
    )


_IN_THE_LINE = frozenset({"id", "at", "app", "type", "reason"})
"""What a line of the log has in another place, or does not need."""
