"""A change that somebody asks for: planned by a use case, submitted here, and told in an event either way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from gitops_workers.core.documents.kind import Kind
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.status.rows import Event, Status
from gitops_workers.core.sync.request import Request
from gitops_workers.core.telemetry.audit import AuditedRequest, details_of
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.ports import Queue, State, Urgency
from gitops_workers.services.lookup import EVERY_PROJECT, declared, find


@dataclass(frozen=True, slots=True)
class Backend:
    """What a process that asks for changes gives to the use cases."""

    state: State
    queue: Queue
    announce: Callable[[Sequence[Event]], None]
    """Appends events to the stream and, in a process that has a log, writes them there."""
    enqueue: Callable[[], None]
    """Publishes what is due. It never raises: what was asked for is stored, and beat publishes the rest."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The user who asks. `source`: an address, or the name of the host where a command was typed."""

    name: str
    source: str
    projects: frozenset[str] = EVERY_PROJECT
    """The projects whose applications exist for the caller; empty means all."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be stored for one application; None removes a document."""

    app: AppId
    documents: Mapping[Kind[Any], Any | None]
    audit: AuditedRequest
    request: Request | None = None
    """The one that the documents hold: it will be answered by its id."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A change that was stored. The generation will have served it."""

    app: AppId
    generation: int
    request: Request | None = None


def with_request(audit: AuditedRequest, request: Request) -> AuditedRequest:
    """What the audit says, with what a request asks."""
    return replace(audit, details=details_of(request), request=request.id, revision=request.revision)


@contextmanager
def planning(
    backend: Backend, caller: Caller, name: str, verb: str, details: str = ""
) -> Iterator[tuple[Status, Application, AuditedRequest]]:
    """Find what a change is about: its row, its application as declared, and what the audit says of the change.

    `verb` is one that `AuditedRequest` knows. What the block refuses is audited, too. Raises what `find` and `declared`
    raise.
    """
    status = find(backend.state, name, caller.projects)
    audit = AuditedRequest(stamp(backend.queue.now()), status.id, verb, caller.name, caller.source, details)
    with audited(backend, audit):
        yield status, declared(backend.state, status.id), audit


@contextmanager
def audited(backend: Backend, audit: AuditedRequest) -> Iterator[None]:
    """Within the block, a refusal leaves an event: a caller who may ask and is refused is told of, too."""
    try:
        yield
    except Refused as refusal:
        backend.announce([audit.refused(str(refusal))])
        raise


def submit(backend: Backend, change: Change) -> Accepted:
    """Store the change, then the intent, then publish: a message that is lost on the way is found by the sweep.

    The documents come first, for an attempt may begin before this returns. Raises Refused, with everything as it was,
    when the queue does not know the application.
    """
    state, audit = backend.state, change.audit
    before = state.load_of(change.app, tuple(change.documents))
    with audited(backend, audit):
        state.save_of(change.app, change.documents)
        generation = backend.queue.request(change.app, f"{audit.verb} asked by {audit.by}", Urgency.MANUAL)
        if not generation:
            state.save_of(change.app, {kind: before.get(kind) for kind in change.documents})
            raise Refused(f"{change.app} is not scheduled; it is new or being removed: repeat this in a minute.")
    backend.announce([audit.accepted(generation)])
    backend.enqueue()
    return Accepted(change.app, generation, change.request)
