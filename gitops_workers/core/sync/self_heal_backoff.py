"""Self-heal's patience: whoever fights with Git over an object must not cost a sync at every look.

Argo CD's `--self-heal-backoff-*` (3.5): 2 s at first, three times as long after each heal, at most 300 s. The first
heal of a state that had rested is at once. Flux has no such thing: it corrects drift once per `interval`.

What is counted are heals of one rendered state in a row, so that commits which do not touch the application do not make
a fight look new. The count falls back to 0 when the state changed, when a human asked for the sync, or when a
difference is first seen more than `LONGEST` after the last heal ended. The time that a difference has waited for its
turn is no rest: at the longest pause the fight would else begin anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.sync.operation import Operation

FIRST_DELAY_S = 2.0
FACTOR = 3.0
LONGEST_DELAY_S = 300.0
"""Seconds, a factor, seconds."""


@dataclass(frozen=True, slots=True)
class NextHeal:
    """When a difference that somebody made in the cluster may be healed, after `healed` heals in a row."""

    healed: int
    at: float

    def waits(self, now: float) -> bool:
        """Whether it is too early."""
        return self.at > now


def delay(healed: int) -> float:
    """Seconds between the end of a heal and the next one, after so many in a row.

    >>> [delay(count) for count in range(8)]
    [0.0, 2.0, 6.0, 18.0, 54.0, 162.0, 300.0, 300.0]
    """
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * FACTOR ** min(healed - 1, 20)) if healed > 0 else 0.0


def next_heal(previous: Operation | None, rendered: str, now: float) -> NextHeal:
    """The turn of the difference that is seen now; `rendered` is the state to heal to."""
    if previous is None or previous.rendered != rendered or not previous.heals:
        return NextHeal(0, now)
    if previous.heal_at:
        # A clock that went back must not make it longer than the pause.
        return NextHeal(previous.heals, min(previous.heal_at, now + delay(previous.heals)))
    if now - previous.finished_at > LONGEST_DELAY_S:
        return NextHeal(0, now)
    return NextHeal(previous.heals, min(previous.finished_at, now) + delay(previous.heals))
