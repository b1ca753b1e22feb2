"""Brings the event stream to one sink: a thread per sink, a cursor in the store, one worker of the fleet at a time.

One worker at a time takes a turn, by the due queue's clock, and has it for TURN seconds. It stores the cursor behind
each event, so the worker with the next turn goes on there: an event comes at least once, and twice after a crash or
where a sink takes longer than it may. A sink that fails is tried again in the next turn. What it leaves waiting is
bounded: beyond KEPT events the oldest are dropped, counted and logged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from gitops_workers.core.documents.kinds import EVENT_CURSOR
from gitops_workers.core.errors import GitOpsError, Refused
from gitops_workers.core.telemetry.figures import EVENTS_DELIVERED, EVENTS_DROPPED, counted
from gitops_workers.ports import EventSink, Meter, Queue, State

log = structlog.get_logger()

KEPT = 5_000
"""Events that may wait for a sink: half of what the stream holds, so that what is dropped can be counted."""
WINDOW = 10_000
"""Events read at once: as many as the stream holds."""
TURN = 30.0
"""Seconds for which one worker delivers to a sink."""
MARGIN = 6.0
"""Seconds at the end of a turn in which nothing is begun: the longest delivery and a look at the store."""
PAUSE = 1.0
"""Seconds between two looks at the stream."""


class EventDelivery:
    """One sink's thread in this process."""

    def __init__(
        self,
        name: str,
        sink: EventSink,
        state: State,
        queue: Queue,
        meter: Meter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is read before `start`; `clock` gives seconds that only grow."""
        self._name = name
        self._sink = sink
        self._state = state
        self._queue = queue
        self._meter = meter
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"events-{name}", daemon=True)

    def start(self) -> None:
        """Deliver from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further delivery. The thread is a daemon's: a sink that hangs does not hold up the process's end."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(PAUSE):
            try:
                if self._queue.every(f"events/{self._name}", TURN):
                    self._take_turn()
            except Exception as error:  # noqa: BLE001 - the store may be away; the next turn reads the same events
                log.warning("events_not_read", sink=self._name, reason=type(error).__name__)

    def _take_turn(self) -> None:
        until = self._clock() + TURN - MARGIN
        while self.deliver(until) and self._clock() < until:
            if self._ended.wait(PAUSE):
                return

    def deliver(self, until: float) -> bool:
        """Bring what waits to the sink, beginning none after `until` of the clock; False when the sink failed."""
        cursor = self._state.load(EVENT_CURSOR, self._name)
        if cursor is None:  # a sink that is new is told what happens from now on
            newest = self._state.events(limit=1)
            self._state.save(EVENT_CURSOR, self._name, newest[0].id if newest else "")
            return True
        waiting = self._state.events_after(cursor, WINDOW)
        if excess := max(0, len(waiting) - KEPT):
            self._dropped(excess, "more events wait than are kept for a sink")
            self._state.save(EVENT_CURSOR, self._name, waiting[excess - 1].id)
        for event in waiting[excess:]:
            if self._ended.is_set() or self._clock() >= until:
                return True
            try:
                self._sink.deliver(event)
            except Refused as error:
                self._dropped(1, str(error), event_id=event.id)
            except Exception as error:  # noqa: BLE001 - whatever a sink raises, it is the sink's and not the sync's
                reason = str(error) if isinstance(error, GitOpsError) else type(error).__name__
                log.warning("event_not_delivered", sink=self._name, event_id=event.id, reason=reason)
                return False
            else:
                self._meter.add(counted(EVENTS_DELIVERED, (self._name,)))
            self._state.save(EVENT_CURSOR, self._name, event.id)
        return True

    def _dropped(self, count: int, reason: str, **about: str) -> None:
        self._meter.add(counted(EVENTS_DROPPED, (self._name,), float(count)))
        log.warning("events_dropped", sink=self._name, count=count, reason=reason, **about)


def start_deliveries(sinks: Mapping[str, EventSink], state: State, queue: Queue, meter: Meter) -> list[EventDelivery]:
    """Begin delivering to each sink; without any, nothing is started and nothing is read."""
    found = [EventDelivery(name, sink, state, queue, meter) for name, sink in sinks.items()]
    for delivery in found:
        delivery.start()
    return found
