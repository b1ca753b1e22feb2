"""From "this repository changed" to a message on its way, however many say so at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from fastapi.concurrency import run_in_threadpool

from gitops_workers.core.documents.kinds import GROUPS_OF_REPOSITORY, PUSH_TRACE
from gitops_workers.core.source.urls import normalise_url
from gitops_workers.pipeline.announcements import announce
from gitops_workers.ports import Queue, Urgency
from gitops_workers.services.changes import Backend
from gitops_workers.web.services import WebServices

log = structlog.get_logger()


@dataclass(slots=True)
class _Batch:
    """What is asked of the store together, and what came of it."""

    repositories: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problem: Exception | None = None
    sent: bool = False


class Intake:
    """Collects requests while one batch is on its way to the store, so that a storm costs a batch at a time.

    A Git server is answered when the batch that holds the request was accepted by the store: an answer of 200 is a
    promise that a poll begins after the push.
    """

    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._open = _Batch()
        self._turn = asyncio.Lock()

    async def pushed(self, urls: Iterable[str]) -> int:
        """Have the poll groups of a repository polled; how many there are. Raises what the store raises."""
        names = {name for url in urls if (name := normalise_url(url))}
        batch = await self._join(names, ())
        return len({group for name in names for group in batch.found.get(name, ())})

    async def poll(self, groups: Iterable[str]) -> None:
        """Have these poll groups polled. Raises what the store raises."""
        await self._join((), groups)

    async def _join(self, repositories: Iterable[str], groups: Iterable[str]) -> _Batch:
        batch = self._open
        batch.repositories.update(repositories)
        batch.groups.update(groups)
        async with self._turn:
            if not batch.sent:
                if self._open is batch:
                    self._open = _Batch()
                try:
                    batch.found = await run_in_threadpool(self._send, batch)
                except Exception as problem:  # noqa: BLE001 - it is everybody's in the batch, and raised below
                    batch.problem = problem
                # Not reached when this request was cancelled: the next in turn sends the batch again.
                batch.sent = True
        if batch.problem is not None:
            raise batch.problem
        return batch

    def _send(self, batch: _Batch) -> Mapping[str, Sequence[str]]:
        """Look the repositories up in the refresh's documents `repository/<normalised url>`, and ring."""
        names = sorted(batch.repositories)
        found = self._services.state.load_many(GROUPS_OF_REPOSITORY, names) if names else {}
        groups = batch.groups.union(*found.values())
        for group in sorted(groups):
            self._request_poll(group)
        if groups:
            ring(self._services)
        return found

    def _request_poll(self, group: str) -> None:
        """Ask for the poll; its trace, if there are traces, begins here."""
        tracer = self._services.tracer
        with tracer.span("push", "", group=group):
            if tracer.active:
                self._services.state.save(PUSH_TRACE, group, tracer.context())
            self._services.queue.request_poll(group, Urgency.WEBHOOK)


def backend_of(services: WebServices) -> Backend:
    """What the use cases need of this process: its log tells of changes, too."""
    return Backend(services.state, services.queue, partial(announce, services.state), partial(ring, services))


def ring(services: WebServices) -> None:
    """Send what is due now, instead of waiting for the beat's next tick.

    What was asked for is stored, so the store's failing now is no failure of the request.
    """
    queue: Queue = services.queue
    try:
        doorbells = queue.dispatch(services.settings.dispatch_limit)
    except services.outages as problem:
        log.warning("nothing_dispatched", error=type(problem).__name__, reason=str(problem))
        return
    if doorbells:
        services.publish(doorbells)
