"""Where events are told besides the stream that API, command line and pages show, and besides the log."""

from __future__ import annotations

from typing import Protocol

from gitops_workers.core.status.rows import Event


class EventSink(Protocol):
    """A receiver of every event of the fleet, oldest first: a chat, a webhook, Kubernetes Events.

    `runtime.event_delivery` reads the stream for it in a thread of its own, long after the status that an event tells
    of was stored, so a sink may be slow and may fail without any effect on a sync. It is given each event at least
    once: after a crash the same one may come again, under the same `id`.
    """

    def deliver(self, event: Event) -> None:
        """Tell one event, within five seconds.

        Raises Refused where this event will never be taken: it is dropped and counted. Whatever else is raised means
        that the receiver is away: the same event is tried again. Messages of `core.errors` reach the log, so they
        hold no secret; of other errors the log has the class alone.
        """
