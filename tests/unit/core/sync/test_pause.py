"""A pause holds until somebody resumes later than it began."""

from __future__ import annotations

import pytest

from gitops_workers.core.documents import wills
from gitops_workers.core.documents.wills import Override
from gitops_workers.core.sync.pause import CONDITION, Pause, in_force, with_pause_condition
from tests.unit.core.making import application

PAUSE = Pause(100.0, "ann rolled back to #3")


@pytest.mark.parametrize(
    ("pause", "override", "holds"),
    [
        (None, None, False),
        (None, Override(suspended=False, resumed_at=5.0), False),
        (PAUSE, None, True),
        (PAUSE, Override(suspended=True, by="ann"), True),
        (PAUSE, Override(suspended=False, by="ann"), True),
        (PAUSE, Override(suspended=False, resumed_at=99.9), True),
        (PAUSE, Override(suspended=False, resumed_at=100.0), False),
        (PAUSE, Override(suspended=False, resumed_at=101.0), False),
        (PAUSE, wills.override_unread("x", "it is no JSON object"), True),
    ],
)
def test_the_later_word_counts(pause: Pause | None, override: Override | None, holds: bool) -> None:
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
