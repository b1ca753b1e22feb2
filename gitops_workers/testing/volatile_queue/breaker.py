"""How much a lane is given that does not answer, or has just begun to answer again."""

from __future__ import annotations

from dataclasses import dataclass

FAILURES = 3
FIRST_PAUSE = 10.0
GROWTH = 2
LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class Breaker:
    """The record of one lane in trouble. `allowed` None: it has failed, but not often enough to be held back."""

    failures: int = 0
    allowed: int | None = None
    probe: float = 0.0
    pause: float = FIRST_PAUSE
    prober: str = ""
    out: str = ""
    last: str = ""
    message: str = ""

    @property
    def open(self) -> bool:
        """Whether nothing but probes is let through."""
        return self.failures >= FAILURES

    def room(self, limit: int, in_flight: dict[str, float], now: float) -> tuple[int, bool]:
        """How many may be rung now, of a lane with so many slots, and whether that one is a probe."""
        if self.allowed is None:
            return limit - len(in_flight), False
        probing = self.out in in_flight
        free = min(limit, self.allowed) - len(in_flight) + probing
        if free > 0:
            return free, False
        due = not probing and min(self.probe, now + LONGEST_PAUSE) <= now
        return int(due), due

    def probe_is_out(self, member: str, now: float) -> None:
        """The next one comes later than this one did."""
        self.out, self.pause = member, min(GROWTH * self.pause, LONGEST_PAUSE)
        self.probe = now + self.pause

    def answered(self, limit: int, now: float) -> bool:
        """A success; whether the lane is out of trouble."""
        if self.allowed is None:
            return True
        self.failures, self.last = 0, ""
        self.allowed = max(2, 2 * self.allowed)
        self.pause, self.probe = FIRST_PAUSE, now + FIRST_PAUSE
        return self.allowed >= limit

    def unanswered(self, message: str, member: str, prober: str, now: float) -> None:
        """A failure of a member, or of anybody; `prober` is who asks first whether the lane answers."""
        self.failures += not member or member != self.last
        self.last, self.message, self.prober = member, message, prober or self.prober
        if self.open and self.allowed != 0:
            self.allowed, self.pause, self.probe = 0, FIRST_PAUSE, now + FIRST_PAUSE
        elif self.allowed is not None and not self.open:
            self.allowed = 1
