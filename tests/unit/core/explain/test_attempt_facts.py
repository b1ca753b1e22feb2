"""What an attempt notes for those who ask why: small, and read back as it was."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from gitops_workers.core.documents.kinds import FACTS
from gitops_workers.core.explain import attempt_facts as noted
from gitops_workers.core.explain.attempt_facts import AttemptFacts
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Deletion, Pruning

KEY = ObjectKey("", "ConfigMap", "shop", "a")
DELETION = Deletion(KEY, "v1", "uid", 0, "Foreground")
FULL = AttemptFacts(
    at=1.5,
    reasons=("push",),
    commit="a" * 40,
    ref="main",
    newer="b" * 40,
    inputs="c" * 64,
    files=3,
    whole=True,
    inputs_before="d" * 64,
    commit_before="e" * 40,
    changed=("~ a",),
    changes=1,
    rendered="f" * 64,
    cached=True,
    objects=7,
    prune="nothing left Git",
    stages=("wave 0: 1 object",),
    stages_in_all=1,
    failed="Render",
)


@pytest.mark.parametrize("facts", [AttemptFacts(), FULL])
def test_facts_are_read_as_they_were_written(facts: AttemptFacts) -> None:
    assert FACTS.loads(json.loads(json.dumps(FACTS.dumps(facts)))) == facts


def test_every_fact_is_in_the_example() -> None:
    assert set(FACTS.dumps(FULL)) == {item.name for item in fields(AttemptFacts)}


def test_what_is_as_always_takes_no_room_and_what_another_release_wrote_does_no_harm() -> None:
    assert FACTS.dumps(AttemptFacts()) == {}
    assert FACTS.loads({"commit": "a", "something": [1]}) == AttemptFacts(commit="a")


def test_the_document_stays_small_whatever_is_put_into_it() -> None:
    long = [f"+ {'deep/' * 50}{number}" for number in range(10_000)]
    facts = replace(FULL, changed=noted.cut(long), stages=noted.cut(long))
    assert len(json.dumps(FACTS.dumps(facts))) < 4096
    assert 0 < len(facts.changed) <= noted.LISTED


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], []),
        ([("a", "1")], [("a", "1")], []),
        ([("a", "1")], [("a", "2")], ["~ a"]),
        ([("b", "1"), ("a", "1")], [("c", "1"), ("b", "1")], ["- a", "+ c"]),
    ],
)
def test_changed_inputs(before: list[tuple[str, str]], after: list[tuple[str, str]], expected: list[str]) -> None:
    assert noted.changed_inputs(before, after) == expected


@pytest.mark.parametrize(
    ("stale", "pruning", "allowed", "expected"),
    [
        (0, None, True, "nothing left Git"),
        (2, None, False, "2 objects left Git, kept: prune is off"),
        (2, None, True, "2 objects left Git; nothing is decided while nothing is synced"),
        (2, Pruning((DELETION,), gone=(KEY,)), True, "2 objects left Git: 1 to delete, 1 gone already"),
        (1, Pruning(kept=(KEY,)), True, "1 object left Git: 1 kept on request"),
        (1, Pruning(awaiting_confirmation=(KEY,)), True, "1 object left Git: 1 waiting for a confirmation"),
        (1, Pruning(), True, "1 object left Git: none of them is for us to delete"),
    ],
)
def test_what_was_decided_about_what_left_git(
    stale: int, pruning: Pruning | None, allowed: bool, expected: str
) -> None:
    assert noted.prune_of(stale, pruning, allowed=allowed) == expected
