"""Sentences name their actor, and names are the field's: what was renamed does not come back."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gitops_workers", "scheduler")
NO_ACTOR = re.compile(r'(?:(?<=""")|(?<=[.!?] )|(?<=# )|(?<=\n    ))(?:Who|Whoever|Nobody)\b[^.\n]*')
PERSON = re.compile(r"\b(?:he|his|him|himself)\b")
RENAMED = frozenset(
    """Doorbell Sight Trail Parting Leaving Shut Look Chosen Later Reading Filled Absorption Agreement Agreed Wish
    Remainder Removal Standing standings barred unconfirmed disowned spared rehearse make_room put_away let_go hand_over
    expel expel_poll discard_application glance HALF NOWHERE""".split()
)
"""Identifiers of before, whose terms now are those of Kubernetes, Argo CD, Flux and Celery."""


def tokens() -> Iterator[tuple[str, tokenize.TokenInfo]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
                yield str(path.relative_to(ROOT)), token


@pytest.fixture(scope="module")
def prose() -> list[tuple[str, str]]:
    """(file and line, text) of every docstring and comment."""
    return [
        (f"{path}:{token.start[0]}", token.string)
        for path, token in tokens()
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and '"""' in token.string[:4])
    ]


def test_no_sentence_begins_without_its_actor(prose: list[tuple[str, str]]) -> None:
    assert len(prose) > 2_000
    assert [(place, found[0]) for place, text in prose for found in NO_ACTOR.finditer(text)] == []


def test_users_are_spoken_of_as_users_and_programs_as_programs(prose: list[tuple[str, str]]) -> None:
    assert [(place, found[0]) for place, text in prose for found in PERSON.finditer(text)] == []


def test_a_renamed_word_does_not_come_back() -> None:
    names = {(path, token.string) for path, token in tokens() if token.type == tokenize.NAME}
    assert {item for item in names if item[1] in RENAMED} == set()
