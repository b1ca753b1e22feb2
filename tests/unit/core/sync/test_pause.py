"""A pause holds until somebody resumes later than it began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gitops_workers.core.sync.pause import CONDITION, Pause, in_force, with_pause_condition
from tests.unit.core.making import application

PAUSE = Pause(100.0, "ann rolled back to #3")


@pytest.mark.parametrize(
    ("pause", "override", "holds"),
    [
        (None, None, False),
        (None, {"suspended": False, "resumedAt": 5.0}, False),
        (PAUSE, None, True),
        (PAUSE, {"suspended": True, "by": "ann"}, True),
        (PAUSE, {"suspended": False, "by": "ann"}, True),
        (PAUSE, {"suspended": False, "resumedAt": 99.9}, True),
        (PAUSE, {"suspended": False, "resumedAt": 100.0}, False),
        (PAUSE, {"suspended": False, "resumedAt": 101}, False),
    ],
)
def test_the_later_word_counts(pause: Pause | None, override: Mapping[str, Any] | None, holds: bool) -> None:
    assert in_force(pause, override) == (pause if holds else None)


def test_a_paused_application_is_not_automated_and_says_why_and_what_to_do() -> None:
    app = application()
    assert with_pause_condition(app, None) is app
    changed = with_pause_condition(app, PAUSE)
    assert not changed.sync.automated
    (condition,) = changed.conditions
    assert condition.type == CONDITION
    assert condition.message == (
        "ann rolled back to #3; automated sync is paused. "
        "Run `gitops-workers app resume application/argocd/web` to follow Git again."
    )
