"""Self-heal's patience: at once after a rest, ever more slowly in a fight."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.core.model import Phase, Resolved
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import self_heal_backoff
from gitops_workers.core.sync.operation import Operation
from tests.unit.core.making import application

NOW = 10_000.0


def ended(heals: int, ago: float, *, waits_until: float = 0.0, rendered: str = "r") -> Operation:
    """The last operation: the given heal in a row, which ended so many seconds ago."""
    begun = operations.begin(
        application(),
        1,
        Resolved("a" * 40),
        NOW - ago,
        "automated sync",
        failures=0,
        consent=False,
        rendered=rendered,
        heals=heals,
    )
    return replace(operations.finish(begun, Phase.SUCCEEDED, "done", NOW - ago), heal_at=waits_until)


@pytest.mark.parametrize(
    ("previous", "healed", "wait"),
    [
        pytest.param(None, 0, 0, id="nothing is known"),
        pytest.param(ended(0, 1), 0, 0, id="the first one, a second after the sync"),
        pytest.param(ended(1, 0.5), 1, 1.5, id="again at once: two seconds after the first"),
        pytest.param(ended(1, 120), 1, -118, id="again at the next poll: its pause is over"),
        pytest.param(ended(2, 1), 2, 5, id="the third"),
        pytest.param(ended(5, 120), 5, 42, id="the sixth"),
        pytest.param(ended(6, 120), 6, 180, id="the longest pause"),
        pytest.param(ended(99, 120), 99, 180, id="and never longer"),
        pytest.param(ended(6, 301), 0, 0, id="it rested longer than the longest pause"),
        pytest.param(ended(6, 301, waits_until=NOW - 1), 6, -1, id="waiting for its turn is no rest"),
        pytest.param(ended(6, 10, waits_until=NOW + 290), 6, 290, id="it waits already"),
        pytest.param(ended(6, 10, waits_until=NOW + 5000), 6, 300, id="the clock went back while it waited"),
        pytest.param(ended(2, -4000), 2, 6, id="the clock went back"),
        pytest.param(ended(6, 10, rendered="other"), 0, 0, id="another state"),
    ],
)
def test_the_turn_of_a_heal(previous: Operation | None, healed: int, wait: float) -> None:
    turn = self_heal_backoff.next_heal(previous, "r", NOW)
    assert (turn.healed, turn.at - NOW) == (healed, wait)
    assert turn.waits(NOW) is (wait > 0)
