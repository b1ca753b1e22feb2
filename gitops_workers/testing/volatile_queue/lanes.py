"""How many of a lane may be in flight, which of them go first, and what an answer or silence changes."""

from __future__ import annotations

from gitops_workers.core.scheduling.lanes import HOST
from gitops_workers.testing.volatile_queue.breaker import Breaker
from gitops_workers.testing.volatile_queue.rows import HEAD_START, Row, Store


class Lanes:
    """The slots and breakers of all lanes in a store. The caller holds the lock."""

    def __init__(self, store: Store, *, slots: int, host_slots: int) -> None:
        """So many slots has the lane of a cluster, and so many that of a repository host."""
        self._store = store
        self._slots = slots
        self._host_slots = host_slots

    def _limit(self, lane: str) -> int:
        return self._host_slots if lane.startswith(HOST) else self._slots

    def in_flight(self, lane: str, now: float) -> dict[str, float]:
        """The members that hold a slot, with the time until which they do."""
        return {member: expiry for member, expiry in self._store.inflight.get(lane, {}).items() if expiry > now}

    def room(self, lane: str, now: float) -> tuple[int, bool]:
        """How many more may be rung now, and whether that one is a probe."""
        self._store.inflight[lane] = self.in_flight(lane, now)
        breaker = self._store.breakers.get(lane, Breaker())
        return breaker.room(self._limit(lane), self._store.inflight[lane], now)

    def in_order(self, lane: str, due: list[tuple[float, str]], *, probing: bool) -> list[str]:
        """The due members, first the one to ring first."""
        members = self._store.members
        if not probing:
            return [name for _, name in sorted((at - HEAD_START[members[name].urgency], name) for at, name in due)]
        prober = self._store.breakers[lane].prober
        return [name for _, name in sorted(due, key=lambda item: (item[1] != prober, item))]

    def answered(self, lane: str, now: float) -> None:
        """A success: the lane is given more, or is out of trouble."""
        breaker = self._store.breakers.get(lane)
        if breaker is not None and breaker.answered(self._limit(lane), now):
            del self._store.breakers[lane]

    def unanswered(self, lane: str, message: str, member: str, prober: str, now: float) -> bool:
        """A failure of a member, or of anybody; whether nothing but probes is let through now."""
        breaker = self._store.breakers.setdefault(lane, Breaker())
        breaker.unanswered(message, member, prober, now)
        return breaker.open

    def probe_is_out(self, lane: str, member: str, now: float) -> None:
        """This member was sent to see whether the lane answers again."""
        self._store.breakers[lane].probe_is_out(member, now)

    def take_slot(self, member: str, row: Row) -> None:
        """The member is in flight in its lane until it is due."""
        self.leave_slot(member, row)
        row.slot = row.lane
        assert row.due is not None
        self._store.inflight.setdefault(row.slot, {})[member] = row.due

    def leave_slot(self, member: str, row: Row) -> None:
        """The member is in flight no more."""
        self._store.inflight.get(row.slot, {}).pop(member, None)
        row.slot = ""
