"""Connections under uvicorn, so bounded that clients who are slow, or many, cost nobody else an answer.

A connection *waits* while its client owes something: the rest of a request's head or body, or the reading of an answer.
When there are too many, the one that has waited longest makes room for the newest, so that a probe, or a push, is
always let in. Connections whose request is being answered are never cut; `web.limits` bounds how many those are.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections one process holds, and how long a client may take."""

    connections: int = 512
    """At a time; each costs at most some 128 KiB."""
    per_address: int = 128
    """Of them from one address; a proxy in front is one address."""
    head_seconds: float = 10.0
    """For a request's line and headers, from its first byte or, on a new connection, from its beginning."""
    write_seconds: float = 30.0
    """How long a client may read nothing of an answer that is ready for it."""


class _Connection(H11Protocol):
    """uvicorn's connection with two more deadlines."""

    def __init__(self, table: Connections, **given: Any) -> None:
        super().__init__(**given)
        self.table = table
        self.late: asyncio.TimerHandle | None = None
        self.unread: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether the next thing has to come from the client."""
        return not self._answering or self.cycle.more_body or self.unread is not None

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base
        super().connection_made(transport)
        self._expect_head()
        self.table.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.table.remove(self)
        _cancel(self.late, self.unread)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answering:
            _cancel(self.late)
            self.late = None
        else:
            # The first bytes of another request, or what is still sent of one that was answered: time runs.
            self._expect_head()

    def on_response_complete(self) -> None:
        self.table.touch(self)
        super().on_response_complete()
        if not self._answering and self.conn.trailing_data[0]:
            self._expect_head()  # the beginning of another request came with the last one

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.unread is None:
            self.unread = self.loop.call_later(self.table.bounds.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        _cancel(self.unread)
        self.unread = None
        super().resume_writing()

    def _expect_head(self) -> None:
        if self.late is None:
            self.late = self.loop.call_later(self.table.bounds.head_seconds, self.transport.abort)


@dataclass(slots=True)
class Connections:
    """The open connections of a server, those that have been at rest longest first."""

    bounds: Bounds
    _open: OrderedDict[_Connection, str] = field(default_factory=OrderedDict)
    _of: Counter[str] = field(default_factory=Counter)

    def connection(self, **given: Any) -> asyncio.Protocol:
        """Make what uvicorn asks for at each new connection, from what it gives."""
        return _Connection(self, **given)

    def add(self, connection: _Connection) -> None:
        """Let it in; another one that waits is cut for it where there are too many, else the new one."""
        address = connection.client[0] if connection.client else ""
        if self._of[address] >= self.bounds.per_address:
            self._make_room(connection, lambda other: self._open[other] == address)
        elif len(self._open) >= self.bounds.connections:
            self._make_room(connection, lambda _: True)
        self._open[connection] = address
        self._of[address] += 1

    def touch(self, connection: _Connection) -> None:
        """An answer has ended: it begins to wait now."""
        if connection in self._open:
            self._open.move_to_end(connection)

    def remove(self, connection: _Connection) -> None:
        """It is closed."""
        address = self._open.pop(connection, None)
        if address is not None:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]

    def _make_room(self, newcomer: _Connection, fits: Callable[[_Connection], bool]) -> None:
        victim = next((other for other in self._open if other.waits and fits(other)), newcomer)
        self.remove(victim)
        victim.transport.abort()


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer is not None:
            timer.cancel()
