"""The rules beside Argo CD's verdict on thousands of states of all kinds that it has a rule for.

The bounds are shares of all states: some verdicts depend on what the recording had evaluated before (its scripts share
global variables), which no rule can follow. A state that is called healthy wrongly lets the next wave start.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_workers.core.health import rule_health

STATES = Path(__file__).parents[5] / "shared" / "oracles" / "argocd-health-states" / "states.jsonl.gz"


def recorded() -> Iterator[tuple[dict[str, Any], str | None, str]]:
    """A recorded line, and our status and message."""
    with gzip.open(STATES, "rt") as lines:
        for line in lines:
            state = json.loads(line)
            health = rule_health(state["object"])
            yield state, health.status.value if health else None, health.message if health else ""


@pytest.mark.skipif(not STATES.exists(), reason=f"no oracle at {STATES}")
def test_states_are_judged_as_argo_cd_judges_them():
    found = list(recorded())
    assert len(found) > 10_000
    status = sum(ours == state["status"] for state, ours, _ in found) / len(found)
    message = sum((ours, said) == (state["status"], state["message"] or "") for state, ours, said in found) / len(found)
    assert status >= 0.993
    assert message >= 0.98


@pytest.mark.skipif(not STATES.exists(), reason=f"no oracle at {STATES}")
def test_no_state_is_called_healthy_that_argo_cd_does_not_call_so():
    wrong = [(state["rule"], state["status"]) for state, ours, _ in recorded() if ours == "Healthy" != state["status"]]
    assert not wrong
