"""Port `Queue` in one process.

The rules are written down a second time on purpose: the contract suite and the model test hold both to them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from gitops_workers.core.model import AppId
from gitops_workers.ports import Attempt, ClusterLoad, QueueState, TaskMessage, Urgency
from gitops_workers.testing.volatile_queue.lanes import Lanes
from gitops_workers.testing.volatile_queue.rows import Row, Store, joined, more_urgent

LONGEST_RING = 600.0
SWEEP_SECONDS = 30.0


class VolatileQueue:
    """Port `Queue` without a server."""

    def __init__(self, clock: Callable[[], float], *, slots: int = 32, host_slots: int = 8, ring: float = 60.0) -> None:
        """`clock` gives epoch seconds; the rest as in RedisQueue."""
        self._clock = clock
        self._limits = {"slots": slots, "host_slots": host_slots}
        self._ring = ring
        self._fence = 0
        self._lose_everything()
        self._lock = threading.RLock()

    def now(self) -> float:
        """The given clock."""
        return self._clock()

    def clear(self) -> None:
        """Lose everything, as FLUSHALL does."""
        with self._lock:
            self._lose_everything()

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
                row.ask = more_urgent(row.ask, Urgency.POLL)
            elif row.due is None or row.due > latest:
                row.schedule(row.urgency if row.due is not None else Urgency.POLL, latest, self._clock())

    def raise_generation(self, app: AppId, at_least: int) -> int:
        """See port."""
        with self._lock:
            row = self._store.members.get(f"a:{app}")
            if row is None:
                return 0
            row.want = max(row.want, at_least)
            if row.state == "idle" and row.want > row.done:
                row.hurry(Urgency.RETRY, self._clock())
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
                    row.schedule(row.urgency, self._clock() + lease, self._clock())
                    self._lanes.take_slot(member, row)
                    return True
            return False

    def finish(self, attempt: Attempt, *, done: bool, due_in: float | None, answered: bool = False) -> bool:
        """See port."""
        return self._finish(f"a:{attempt.app}", attempt, done, due_in, True if answered else None, "")

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
                room, probing = self._lanes.room(lane, now)
                chosen = self._lanes.in_order(lane, waiting[lane], probing=probing)
                for member in chosen[: max(0, min(room, limit - len(bells)))]:
                    bells.append(self._ring_member(member))
                    if probing:
                        self._lanes.probe_is_out(lane, member, now)
            return tuple(bells)

    def report_cluster(self, cluster: str, reachable: bool, message: str, *, prober: str = "") -> bool:
        """See port."""
        with self._lock:
            if reachable:
                self._lanes.answered(cluster, self._clock())
                return False
            return self._lanes.unanswered(cluster, message, "", f"p:{prober}" if prober else "", self._clock())

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

    def cluster_loads(self, lanes: Sequence[str]) -> Mapping[str, ClusterLoad]:
        """See port."""
        with self._lock:
            now = self._clock()
            result = {}
            for lane in lanes:
                rows = [row for row in self._store.members.values() if row.lane == lane]
                due = [row for row in rows if row.due is not None and row.due <= now]
                flying = self._lanes.in_flight(lane, now)
                rung = [self._store.members[m] for m in flying if self._store.members[m].state == "queued"]
                waits = [row.due if row.since is None else row.since for row in (*due, *rung)]
                lag = now - min((at for at in waits if at is not None), default=now)
                result[lane] = ClusterLoad(len(waits), len(flying) - len(rung), lag)
            return result

    def _lose_everything(self) -> None:
        self._store = Store()
        self._lanes = Lanes(self._store, **self._limits)

    def _enroll(self, member: str, lane: str, fleet: str, due_in: float | None) -> None:
        with self._lock:
            self._store.swept.setdefault(member, self._clock())
            row = self._store.members.get(member)
            if row is None:
                row = self._store.members[member] = Row(lane, fleet, poll=member.startswith("p:"))
                if due_in is not None:
                    row.schedule(Urgency.POLL, self._clock() + due_in, self._clock())
            row.lane, row.fleet = lane, fleet

    def _expel(self, member: str) -> None:
        with self._lock:
            self._store.swept.pop(member, None)
            row = self._store.members.pop(member, None)
            if row is not None:
                self._lanes.leave_slot(member, row)

    def _request(self, member: str, reason: tuple[str, ...], urgency: Urgency, not_before: float | None) -> int:
        with self._lock:
            row = self._store.members.get(member)
            if row is None:
                return 0
            row.want += 1
            row.asked = max(row.asked, self._clock() if not_before is None else not_before)
            row.reasons = joined(row.reasons, reason)
            if row.state == "idle":
                row.hurry(urgency, self._clock())
            else:
                row.ask = more_urgent(row.ask, urgency)
            return row.want

    def _begin(self, kind: str, identity: str, lease: float) -> Attempt | None:
        with self._lock:
            row = self._store.members.get(kind + identity)
            now = self._clock()
            if row is None or (row.state == "running" and row.due is not None and row.due > now):
                return None
            self._fence = max(self._fence + 1, int(now * 1e6))
            row.token, row.state, row.rings, row.ask, row.since = self._fence, "running", 0, None, None
            row.taken, row.reasons = joined(row.taken, row.reasons), ()
            if row.due is None:
                row.urgency = Urgency.POLL if row.poll else Urgency.RETRY
            row.schedule(row.urgency, now + lease, now)
            self._lanes.take_slot(kind + identity, row)
            return Attempt(identity, row.want, row.token, row.taken, row.asked)

    def _finish(
        self,
        member: str,
        attempt: Attempt,
        done: bool,
        due_in: float | None,
        answered: bool | None,
        message: str,
    ) -> bool:
        with self._lock:
            row = self._holder(member, attempt)
            if row is None:
                return False
            if answered:
                self._lanes.answered(row.slot, self._clock())
            elif answered is False:
                self._lanes.unanswered(row.slot, message, member, "", self._clock())
            self._lanes.leave_slot(member, row)
            if done:
                row.done = max(row.done, attempt.generation)
            else:
                row.reasons = joined(row.taken, row.reasons)
            if row.want > attempt.generation:
                row.schedule(row.ask or Urgency.RETRY, self._clock(), self._clock())
            elif due_in is not None:
                row.schedule(Urgency.POLL if done else Urgency.RETRY, self._clock() + due_in, self._clock())
            else:
                row.due = None
            row.state, row.token, row.taken, row.ask = "idle", 0, (), None
            return True

    def _holder(self, member: str, attempt: Attempt) -> Row | None:
        row = self._store.members.get(member)
        return row if row is not None and row.state == "running" and row.token == attempt.token else None

    def _ring_member(self, member: str) -> TaskMessage:
        row, now = self._store.members[member], self._clock()
        row.since = row.since if row.since is not None else min(now if row.due is None else row.due, now)
        row.rings += 1
        row.state, row.token = "queued", 0
        row.schedule(row.urgency, now + min(self._ring * 2 ** (row.rings - 1), LONGEST_RING), now)
        self._lanes.take_slot(member, row)
        queue = "control" if row.poll else f"fleet.{row.fleet}"
        return TaskMessage("poll" if row.poll else "reconcile", queue, member[2:], row.want)

    def _heal(self, member: str, row: Row, now: float) -> bool:
        if row.due is None:
            if row.want <= row.done and not row.poll:
                return False
            row.schedule(row.urgency, now, now)
            row.state, row.token = "idle", 0
            return True
        if row.due <= now + row.span + 5:
            return False
        row.schedule(row.urgency, now + row.span, now)
        if row.state != "idle":
            self._lanes.take_slot(member, row)
        return True
