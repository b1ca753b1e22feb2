"""Port `Queue` in one process.

The rules are written down a second time on purpose: the contract suite and the model test hold both to them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_workers.core.model import AppId
from gitops_workers.core.scheduling.lanes import HOST
from gitops_workers.ports import Attempt, ClusterLoad, QueueState, TaskMessage, Urgency
from gitops_workers.testing.volatile_queue.breaker import Breaker

LONGEST_RING = 600.0
SWEEP_SECONDS = 30.0
REASONS = 8
HEAD_START = dict(zip(Urgency, (2400.0, 1800.0, 1200.0, 600.0, 0.0), strict=True))


@dataclass(slots=True)
class _Member:
    lane: str
    fleet: str
    poll: bool
    want: int = 0
    done: int = 0
    state: str = "idle"
    due: float | None = None
    span: float = 0.0
    urgency: Urgency = Urgency.RETRY
    ask: Urgency | None = None
    asked: float = 0.0
    token: int = 0
    rings: int = 0
    slot: str = ""
    reasons: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    since: float | None = None


@dataclass(slots=True)
class _Store:
    members: dict[str, _Member] = field(default_factory=dict)
    inflight: dict[str, dict[str, float]] = field(default_factory=dict)
    breakers: dict[str, Breaker] = field(default_factory=dict)
    swept: dict[str, float] = field(default_factory=dict)
    every: dict[str, float] = field(default_factory=dict)


class VolatileQueue:
    """Port `Queue` without a server."""

    def __init__(self, clock: Callable[[], float], *, slots: int = 32, host_slots: int = 8, ring: float = 60.0) -> None:
        """`clock` gives epoch seconds; the rest as in RedisQueue."""
        self._clock = clock
        self._slots = slots
        self._host_slots = host_slots
        self._ring = ring
        self._fence = 0
        self._store = _Store()
        self._lock = threading.RLock()

    def now(self) -> float:
        """The given clock."""
        return self._clock()

    def clear(self) -> None:
        """Lose everything, as FLUSHALL does."""
        with self._lock:
            self._store = _Store()

    def enroll(self, app: AppId, cluster: str, fleet: str) -> None:
        """See port."""
        self._enroll(f"a:{app}", cluster, fleet, None)

    def enroll_poll(self, group: str, lane: str, due_in: float) -> None:
        """See port."""
        self._enroll(f"p:{group}", lane, "", due_in)

    def delete(self, app: AppId) -> None:
        """See port."""
        self._expel(f"a:{app}")

    def delete_poll(self, group: str) -> None:
        """See port."""
        self._expel(f"p:{group}")

    def request(self, app: AppId, reason: str, urgency: Urgency, *, not_before: float | None = None) -> int:
        """See port."""
        return self._request(f"a:{app}", (reason,) if reason else (), urgency, not_before)

    def request_poll(self, group: str, urgency: Urgency) -> None:
        """See port."""
        self._request(f"p:{group}", (), urgency, None)

    def hasten_poll(self, group: str, within: float) -> None:
        """See port."""
        with self._lock:
            row = self._store.members.get(f"p:{group}")
            if row is None:
                return
            latest = self._clock() + within
            if row.state != "idle":
                row.want += 1
                row.ask = _more_urgent(row.ask, Urgency.POLL)
            elif row.due is None or row.due > latest:
                self._schedule(row, row.urgency if row.due is not None else Urgency.POLL, latest)

    def raise_generation(self, app: AppId, at_least: int) -> int:
        """See port."""
        with self._lock:
            row = self._store.members.get(f"a:{app}")
            if row is None:
                return 0
            row.want = max(row.want, at_least)
            if row.state == "idle" and row.want > row.done:
                self._hurry(row, Urgency.RETRY)
            return row.want

    def wanted(self, app: AppId) -> int:
        """See port."""
        row = self._store.members.get(f"a:{app}")
        return row.want if row else 0

    def begin(self, app: AppId, lease: float) -> Attempt | None:
        """See port."""
        return self._begin("a:", app, lease)

    def begin_poll(self, group: str, lease: float) -> Attempt | None:
        """See port."""
        return self._begin("p:", group, lease)

    def renew(self, attempt: Attempt, lease: float) -> bool:
        """See port."""
        with self._lock:
            for member in (f"a:{attempt.app}", f"p:{attempt.app}"):
                row = self._holder(member, attempt)
                if row is not None:
                    self._schedule(row, row.urgency, self._clock() + lease)
                    self._take_slot(member, row)
                    return True
            return False

    def finish(self, attempt: Attempt, *, done: bool, due_in: float | None, answered: bool = False) -> None:
        """See port."""
        self._finish(f"a:{attempt.app}", attempt, done, due_in, True if answered else None, "")

    def finish_poll(self, attempt: Attempt, due_in: float, *, answered: bool | None = None, message: str = "") -> None:
        """See port."""
        self._finish(f"p:{attempt.app}", attempt, True, due_in, answered, message)

    def dispatch(self, limit: int) -> Sequence[TaskMessage]:
        """See port."""
        with self._lock:
            bells: list[TaskMessage] = []
            now = self._clock()
            waiting: dict[str, list[tuple[float, str]]] = {}
            for member, row in self._store.members.items():
                if row.due is not None and row.due <= now:
                    waiting.setdefault(row.lane, []).append((row.due, member))
            # The lane that has waited longest goes first, whatever the urgency within it.
            for lane in sorted(waiting, key=lambda name: (min(waiting[name])[0], name)):
                room, probing = self._room(lane)
                chosen = self._in_order(lane, waiting[lane], probing=probing)
                for member in chosen[: max(0, min(room, limit - len(bells)))]:
                    bells.append(self._ring_member(member))
                    if probing:
                        self._store.breakers[lane].probe_is_out(member, now)
            return tuple(bells)

    def report_cluster(self, cluster: str, reachable: bool, message: str, *, prober: str = "") -> bool:
        """See port."""
        with self._lock:
            if reachable:
                self._answered(cluster)
                return False
            breaker = self._store.breakers.setdefault(cluster, Breaker())
            breaker.unanswered(message, "", f"p:{prober}" if prober else "", self._clock())
            return breaker.open

    def sweep(self, limit: int = 500) -> int:
        """See port."""
        with self._lock:
            now = self._clock()
            old = [m for m, at in self._store.swept.items() if at <= now - SWEEP_SECONDS or at > now + 1]
            healed = 0
            for member in sorted(old, key=lambda name: self._store.swept[name])[:limit]:
                self._store.swept[member] = now
                healed += self._heal(member, self._store.members[member], now)
            return healed

    def every(self, name: str, seconds: float) -> bool:
        """See port."""
        with self._lock:
            now, last = self._clock(), self._store.every.get(name)
            if last is not None and last <= now and now - last < seconds:
                return False
            self._store.every[name] = now
            return True

    def queue_states(self, app: AppId, groups: Sequence[str]) -> Sequence[QueueState]:
        """See port."""
        with self._lock:
            rows = [self._store.members.get(member) for member in (f"a:{app}", *(f"p:{group}" for group in groups))]
            return tuple(QueueState(row.state, row.due) if row else QueueState("", None) for row in rows)

    def loads(self, lanes: Sequence[str]) -> Mapping[str, ClusterLoad]:
        """See port."""
        with self._lock:
            now = self._clock()
            result = {}
            for lane in lanes:
                rows = [row for row in self._store.members.values() if row.lane == lane]
                due = [row for row in rows if row.due is not None and row.due <= now]
                flying = self._in_flight(lane)
                rung = [self._store.members[m] for m in flying if self._store.members[m].state == "queued"]
                waits = [row.due if row.since is None else row.since for row in (*due, *rung)]
                lag = now - min((at for at in waits if at is not None), default=now)
                result[lane] = ClusterLoad(len(waits), len(flying) - len(rung), lag)
            return result

    def _enroll(self, member: str, lane: str, fleet: str, due_in: float | None) -> None:
        with self._lock:
            self._store.swept.setdefault(member, self._clock())
            row = self._store.members.get(member)
            if row is None:
                row = self._store.members[member] = _Member(lane, fleet, poll=member.startswith("p:"))
                if due_in is not None:
                    self._schedule(row, Urgency.POLL, self._clock() + due_in)
            row.lane, row.fleet = lane, fleet

    def _expel(self, member: str) -> None:
        with self._lock:
            self._store.swept.pop(member, None)
            row = self._store.members.pop(member, None)
            if row is not None:
                self._leave_slot(member, row)

    def _request(self, member: str, reason: tuple[str, ...], urgency: Urgency, not_before: float | None) -> int:
        with self._lock:
            row = self._store.members.get(member)
            if row is None:
                return 0
            row.want += 1
            row.asked = max(row.asked, self._clock() if not_before is None else not_before)
            row.reasons = _joined(row.reasons, reason)
            if row.state == "idle":
                self._hurry(row, urgency)
            else:
                row.ask = _more_urgent(row.ask, urgency)
            return row.want

    def _begin(self, kind: str, identity: str, lease: float) -> Attempt | None:
        with self._lock:
            row = self._store.members.get(kind + identity)
            now = self._clock()
            if row is None or (row.state == "running" and row.due is not None and row.due > now):
                return None
            self._fence = max(self._fence + 1, int(now * 1e6))
            row.token, row.state, row.rings, row.ask, row.since = self._fence, "running", 0, None, None
            row.taken, row.reasons = _joined(row.taken, row.reasons), ()
            if row.due is None:
                row.urgency = Urgency.POLL if row.poll else Urgency.RETRY
            self._schedule(row, row.urgency, now + lease)
            self._take_slot(kind + identity, row)
            return Attempt(identity, row.want, row.token, row.taken, row.asked)

    def _finish(
        self,
        member: str,
        attempt: Attempt,
        done: bool,
        due_in: float | None,
        answered: bool | None,
        message: str,
    ) -> None:
        with self._lock:
            row = self._holder(member, attempt)
            if row is None:
                return
            if answered:
                self._answered(row.slot)
            elif answered is False:
                breaker = self._store.breakers.setdefault(row.slot, Breaker())
                breaker.unanswered(message, member, "", self._clock())
            self._leave_slot(member, row)
            if done:
                row.done = max(row.done, attempt.generation)
            else:
                row.reasons = _joined(row.taken, row.reasons)
            if row.want > attempt.generation:
                self._schedule(row, row.ask or Urgency.RETRY, self._clock())
            elif due_in is not None:
                self._schedule(row, Urgency.POLL if done else Urgency.RETRY, self._clock() + due_in)
            else:
                row.due = None
            row.state, row.token, row.taken, row.ask = "idle", 0, (), None

    def _holder(self, member: str, attempt: Attempt) -> _Member | None:
        row = self._store.members.get(member)
        return row if row is not None and row.state == "running" and row.token == attempt.token else None

    def _schedule(self, row: _Member, urgency: Urgency, at: float) -> None:
        row.urgency, row.due, row.span = urgency, at, max(0.0, at - self._clock())

    def _hurry(self, row: _Member, urgency: Urgency) -> None:
        now = self._clock()
        if row.due is not None and row.due <= now:
            self._schedule(row, _more_urgent(row.urgency, urgency), row.due)
        else:
            self._schedule(row, urgency, now)

    def _limit(self, lane: str) -> int:
        return self._host_slots if lane.startswith(HOST) else self._slots

    def _in_flight(self, lane: str) -> dict[str, float]:
        now = self._clock()
        return {member: expiry for member, expiry in self._store.inflight.get(lane, {}).items() if expiry > now}

    def _room(self, lane: str) -> tuple[int, bool]:
        self._store.inflight[lane] = self._in_flight(lane)
        breaker = self._store.breakers.get(lane, Breaker())
        return breaker.room(self._limit(lane), self._store.inflight[lane], self._clock())

    def _in_order(self, lane: str, due: list[tuple[float, str]], *, probing: bool) -> list[str]:
        members = self._store.members
        if not probing:
            return [name for _, name in sorted((at - HEAD_START[members[name].urgency], name) for at, name in due)]
        prober = self._store.breakers[lane].prober
        return [name for _, name in sorted(due, key=lambda item: (item[1] != prober, item))]

    def _answered(self, lane: str) -> None:
        breaker = self._store.breakers.get(lane)
        if breaker is not None and breaker.answered(self._limit(lane), self._clock()):
            del self._store.breakers[lane]

    def _ring_member(self, member: str) -> TaskMessage:
        row, now = self._store.members[member], self._clock()
        row.since = row.since if row.since is not None else min(now if row.due is None else row.due, now)
        row.rings += 1
        row.state, row.token = "queued", 0
        self._schedule(row, row.urgency, now + min(self._ring * 2 ** (row.rings - 1), LONGEST_RING))
        self._take_slot(member, row)
        queue = "control" if row.poll else f"fleet.{row.fleet}"
        return TaskMessage("poll" if row.poll else "reconcile", queue, member[2:], row.want)

    def _take_slot(self, member: str, row: _Member) -> None:
        self._leave_slot(member, row)
        row.slot = row.lane
        assert row.due is not None
        self._store.inflight.setdefault(row.slot, {})[member] = row.due

    def _leave_slot(self, member: str, row: _Member) -> None:
        self._store.inflight.get(row.slot, {}).pop(member, None)
        row.slot = ""

    def _heal(self, member: str, row: _Member, now: float) -> bool:
        if row.due is None:
            if row.want <= row.done and not row.poll:
                return False
            self._schedule(row, row.urgency, now)
            row.state, row.token = "idle", 0
            return True
        if row.due <= now + row.span + 5:
            return False
        self._schedule(row, row.urgency, now + row.span)
        if row.state != "idle":
            self._take_slot(member, row)
        return True


def _joined(older: tuple[str, ...], newer: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(older + newer))[-REASONS:]


def _more_urgent(one: Urgency | None, other: Urgency) -> Urgency:
    return other if one is None or HEAD_START[one] < HEAD_START[other] else one
