"""Intents, due times, leases and admission."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitops_workers.core.model import (
    AppId,
)


class Urgency(enum.StrEnum):
    """The classes of the due queue, most urgent first."""

    WEBHOOK = "webhook"
    MANUAL = "manual"
    SELF_HEAL = "self-heal"
    RETRY = "retry"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The right to work on an application: the generation wanted when it began, and the lease's fencing token.

    A token is the moment when it was given, in epoch microseconds, and larger than all before.
    """

    app: AppId
    generation: int
    token: int
    reasons: tuple[str, ...] = ()
    """Why it was asked for since the last finished generation, oldest first, at most 8."""
    not_before: float = 0.0
    """Refs listed before this moment (epoch s) are too old for this attempt."""


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A message to publish: `task` is `poll` or `reconcile`, `queue` a Celery queue, `id` what to look at."""

    task: str
    queue: str
    id: str
    generation: int


@dataclass(frozen=True, slots=True)
class ClusterLoad:
    """Queue figures of a cluster: members waiting, members in work, seconds the oldest waiting one has waited.

    A member waits until somebody begins it: one whose doorbell is out and that no worker has taken waits, too.
    """

    depth: int
    in_flight: int
    lag: float


@dataclass(frozen=True, slots=True)
class QueueState:
    """A member of the due queue. `state`: idle, queued (a doorbell is out), running; "" is unknown.

    `at`: when it is due, or until when its doorbell or lease counts; None is off the queue.
    """

    state: str
    at: float | None


class Queue(Protocol):
    """Intents, due times, leases and admission. The store's time is the only clock; times are epoch seconds.

    A member of the due queue is an application or a poll group. Each belongs to one lane, a cluster or a Git host (see
    `core.scheduling.lanes`), which admits so many at once and has a circuit breaker. Popping a member writes `now +
    lease` as its next time, so a lost message costs one lease and nothing else.

    The breaker: after 3 failures in a row nothing of the lane is dispatched but one probe at a time, after 10 s, 30 s,
    70 s and then once a minute; a probe goes before everything else of its lane. The first success of any kind lets
    2 through at once, each further one twice as many, until the lane has all its slots again.
    """

    def now(self) -> float:
        """The shared clock."""

    def enroll(self, app: AppId, cluster: str, fleet: str) -> None:
        """Make an application known to the due queue; moving it to another cluster keeps its intent."""

    def delete(self, app: AppId) -> None:
        """Forget an application's intent, due time and lease."""

    def request(self, app: AppId, reason: str, urgency: Urgency, *, not_before: float | None = None) -> int:
        """Ask for an attempt now; returns the wanted generation, 0 (and nothing happens) when it is not enrolled.

        `not_before` defaults to now().
        """

    def raise_generation(self, app: AppId, at_least: int) -> int:
        """The wanted generation becomes at least this (the record in the cluster knew a later one)."""

    def wanted(self, app: AppId) -> int:
        """The wanted generation, 0 when the application is unknown."""

    def begin(self, app: AppId, lease: float) -> Attempt | None:
        """Take the application's lease; None when somebody holds it or it is not enrolled."""

    def renew(self, attempt: Attempt, lease: float) -> bool:
        """Keep the lease; False when it was lost: stop writing."""

    def finish(self, attempt: Attempt, *, done: bool, due_in: float | None, answered: bool = False) -> bool:
        """Give the lease and the lane's slot back.

        `done`: this generation is served (a newer wanted one stays due at once). `due_in`: look again after so many
        seconds; None takes the application off the due queue until somebody asks. `answered`: its cluster did during
        this attempt, which is a success for the breaker. A finish with a lost lease changes nothing
        and returns False: whoever holds it now says when to look again, or nobody does, where Redis was emptied.
        """

    def enroll_poll(self, group: str, lane: str, due_in: float) -> None:
        """Make a poll group known; an existing due time stays, also when it moves to another lane."""

    def delete_poll(self, group: str) -> None:
        """Forget a poll group."""

    def request_poll(self, group: str, urgency: Urgency) -> None:
        """Poll now: `requested` becomes now() and the group is due at once."""

    def hasten_poll(self, group: str, within: float) -> None:
        """Poll in so many seconds at the latest; a poll that is under way is followed by another one."""

    def begin_poll(self, group: str, lease: float) -> Attempt | None:
        """Take the group's lease (`app` is the group, `not_before` the last request); None when somebody holds it."""

    def finish_poll(self, attempt: Attempt, due_in: float, *, answered: bool | None = None, message: str = "") -> None:
        """Give it back; due again after `due_in`, or at once when a request came in between.

        `answered` is for the lane's breaker: None says nothing; False with the `message` is a failure, of which a group
        that fails again and again counts as one, so that a broken repository never closes its host to the others.
        """

    def dispatch(self, limit: int) -> Sequence[TaskMessage]:
        """Pop what is due and admitted, urgent first, mark it queued, return what to publish."""

    def report_cluster(self, cluster: str, reachable: bool, message: str, *, prober: str = "") -> bool:
        """Feed the circuit breaker of a cluster; `prober` is the poll group that finds out first whether it answers.

        Returns whether the breaker is open now.
        """

    def sweep(self, limit: int = 500) -> int:
        """Look at up to `limit` members, least recently looked at first, and put lost ones back; returns how many.

        Lost is: no due time although an intent is unserved (to give up, finish with `done`), or a due time further
        away than it was ever set (the clock went back). Each is looked at every 30 s, whoever sweeps.
        """

    def every(self, name: str, seconds: float) -> bool:
        """True for one caller per `seconds`, of all processes that ask with this name."""

    def queue_states(self, app: AppId, groups: Sequence[str]) -> Sequence[QueueState]:
        """How it stands with an application and then with these poll groups, in one round trip."""

    def cluster_loads(self, lanes: Sequence[str]) -> Mapping[str, ClusterLoad]:
        """The figures of these clusters or other lanes, in one round trip."""
