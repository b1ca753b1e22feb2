"""What the due queue knows: one row per application or poll group, and what is kept beside the rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_workers.ports import Urgency
from gitops_workers.testing.volatile_queue.breaker import Breaker

REASONS = 8
HEAD_START = dict(zip(Urgency, (2400.0, 1800.0, 1200.0, 600.0, 0.0), strict=True))


@dataclass(slots=True)
class Row:
    """An application (`a:`) or a poll group (`p:`): what it wants, what was done, when it is due."""

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

    def schedule(self, urgency: Urgency, at: float, now: float) -> None:
        """It is due at that time, in epoch seconds."""
        self.urgency, self.due, self.span = urgency, at, max(0.0, at - now)

    def hurry(self, urgency: Urgency, now: float) -> None:
        """It is due now; one that was due already keeps its place, and the more urgent of the two reasons."""
        if self.due is not None and self.due <= now:
            self.schedule(more_urgent(self.urgency, urgency), self.due, now)
        else:
            self.schedule(urgency, now, now)


@dataclass(slots=True)
class Store:
    """Everything that FLUSHALL would take."""

    members: dict[str, Row] = field(default_factory=dict)
    inflight: dict[str, dict[str, float]] = field(default_factory=dict)
    breakers: dict[str, Breaker] = field(default_factory=dict)
    swept: dict[str, float] = field(default_factory=dict)
    every: dict[str, float] = field(default_factory=dict)


def joined(older: tuple[str, ...], newer: tuple[str, ...]) -> tuple[str, ...]:
    """The newest of the reasons, each once."""
    return tuple(dict.fromkeys(older + newer))[-REASONS:]


def more_urgent(one: Urgency | None, other: Urgency) -> Urgency:
    """The one of the two that goes first."""
    return other if one is None or HEAD_START[one] < HEAD_START[other] else one
