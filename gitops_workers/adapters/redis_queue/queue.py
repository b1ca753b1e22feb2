"""A thin caller of the Lua files beside it, where every decision is made atomically.

Importing this module costs a beat process nothing but redis-py: no Kubernetes client, no models of manifests.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from gitops_workers.core.model import AppId
from gitops_workers.ports import Attempt, ClusterLoad, QueueState, TaskMessage, Urgency
from gitops_workers.redis_client import RedisClient

CLOCK_SECONDS = 1.0
"""How long a reading of Redis TIME is carried on by our own steady clock."""

RING_SECONDS = 60.0
"""How long a doorbell may stay unanswered before it is rung again; doubled each time, up to 10 minutes."""

SWEEP_SECONDS = 30.0
"""How often the sweep looks at each member: promise F04, a lost intent is found within one sweep."""


class RedisQueue:
    """Port `Queue`; see `redis_keys` for what it keeps."""

    script: ClassVar[str] = "".join(
        Path(__file__).with_name(f"{part}.lua").read_text(encoding="utf-8")
        for part in ("members", "breaker", "intents", "dispatch", "upkeep")
    )

    def __init__(
        self, client: RedisClient, *, slots: int = 32, host_slots: int = 8, ring: float = RING_SECONDS
    ) -> None:
        """`slots`, `host_slots`: members of one cluster and of one Git host in work at a time.

        `ring`: seconds until a doorbell is repeated.
        """
        self._client = client
        self._script = client.register_script(self.script)
        self._slots = (slots, host_slots)
        self._ring = ring
        self._read = (float("-inf"), 0.0)

    def _call(self, operation: str, *arguments: Any) -> Any:
        return self._script(args=(operation, *self._slots, *arguments))

    def now(self) -> float:
        """Redis TIME, asked at most once a second; in between our own steady clock goes on from it.

        Nothing is decided by it that the scripts do not decide again by their own reading.
        """
        read_at, shared = self._read
        if time.monotonic() - read_at > CLOCK_SECONDS:
            seconds, micros = self._client.time()
            # Our clock is read after the answer: the sum may be late by the round trip, never early. A listing that
            # claims to be younger than it is would hide the push that came just after it.
            read_at, shared = time.monotonic(), float(seconds) + float(micros) / 1e6
            self._read = (read_at, shared)
        return shared + time.monotonic() - read_at

    def enroll(self, app: AppId, cluster: str, fleet: str) -> None:
        """See port."""
        self._call("enroll", f"a:{app}", cluster, fleet, "")

    def delete(self, app: AppId) -> None:
        """See port."""
        self._call("expel", f"a:{app}")

    def request(self, app: AppId, reason: str, urgency: Urgency, *, not_before: float | None = None) -> int:
        """See port."""
        moment = "" if not_before is None else repr(not_before)
        return int(self._call("request", f"a:{app}", reason, urgency.value, moment))

    def raise_generation(self, app: AppId, at_least: int) -> int:
        """See port."""
        return int(self._call("raise", f"a:{app}", at_least))

    def wanted(self, app: AppId) -> int:
        """See port."""
        return int(self._call("wanted", f"a:{app}"))

    def begin(self, app: AppId, lease: float) -> Attempt | None:
        """See port."""
        return self._begin("a:", app, lease)

    def renew(self, attempt: Attempt, lease: float) -> bool:
        """See port."""
        # The same call serves both kinds: an id is an application's or a group's, and its token fits only one of them.
        return any(self._call("renew", kind + attempt.app, attempt.token, lease) for kind in ("a:", "p:"))

    def finish(self, attempt: Attempt, *, done: bool, due_in: float | None, answered: bool = False) -> bool:
        """See port."""
        return self._finish("a:", attempt, done, due_in, True if answered else None, "")

    def enroll_poll(self, group: str, lane: str, due_in: float) -> None:
        """See port."""
        self._call("enroll", f"p:{group}", lane, "", due_in)

    def delete_poll(self, group: str) -> None:
        """See port."""
        self._call("expel", f"p:{group}")

    def request_poll(self, group: str, urgency: Urgency) -> None:
        """See port."""
        self._call("request", f"p:{group}", "", urgency.value, "")

    def hasten_poll(self, group: str, within: float) -> None:
        """See port."""
        self._call("hasten", f"p:{group}", within)

    def begin_poll(self, group: str, lease: float) -> Attempt | None:
        """See port."""
        return self._begin("p:", group, lease)

    def finish_poll(self, attempt: Attempt, due_in: float, *, answered: bool | None = None, message: str = "") -> None:
        """See port."""
        self._finish("p:", attempt, True, due_in, answered, message)

    def dispatch(self, limit: int) -> Sequence[TaskMessage]:
        """See port. One call whatever the number of lanes."""
        flat = self._call("dispatch", limit, self._ring)
        return tuple(
            _doorbell(member.decode(), fleet.decode(), int(generation))
            for member, fleet, generation in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        )

    def report_cluster(self, cluster: str, reachable: bool, message: str, *, prober: str = "") -> bool:
        """See port."""
        return bool(self._call("report", cluster, int(reachable), message, f"p:{prober}" if prober else ""))

    def sweep(self, limit: int = 500) -> int:
        """See port."""
        return int(self._call("sweep", limit, SWEEP_SECONDS))

    def every(self, name: str, seconds: float) -> bool:
        """See port."""
        return bool(self._call("every", name, seconds))

    def queue_states(self, app: AppId, groups: Sequence[str]) -> Sequence[QueueState]:
        """See port."""
        flat = self._call("standings", f"a:{app}", *(f"p:{group}" for group in groups))
        return tuple(
            QueueState(state.decode(), float(at) if at else None)
            for state, at in zip(flat[::2], flat[1::2], strict=True)
        )

    def cluster_loads(self, lanes: Sequence[str]) -> Mapping[str, ClusterLoad]:
        """See port."""
        flat = self._call("loads", *lanes)
        return {
            lane: ClusterLoad(int(depth), int(in_flight), float(lag))
            for lane, depth, in_flight, lag in zip(lanes, flat[::3], flat[1::3], flat[2::3], strict=True)
        }

    def _begin(self, kind: str, identity: str, lease: float) -> Attempt | None:
        found = self._call("begin", kind + identity, lease)
        if found is None:
            return None
        token, generation, reasons, asked = found
        return Attempt(
            app=identity,
            generation=int(generation),
            token=int(token),
            reasons=tuple(json.loads(reasons)) if reasons else (),
            not_before=float(asked),
        )

    def _finish(
        self, kind: str, attempt: Attempt, done: bool, due_in: float | None, answered: bool | None, message: str
    ) -> bool:
        later = "" if due_in is None else due_in
        reachable = "" if answered is None else int(answered)
        member = kind + attempt.app
        words = (attempt.token, attempt.generation, int(done), later, reachable, message)
        return bool(self._call("finish", member, *words))


def _doorbell(member: str, fleet: str, generation: int) -> TaskMessage:
    kind, _, identity = member.partition(":")
    if kind == "p":
        return TaskMessage("poll", "control", identity, generation)
    return TaskMessage("reconcile", f"fleet.{fleet}", identity, generation)
