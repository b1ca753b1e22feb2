"""Names by pattern, as `sourceNamespaces` has them: a glob, or a regular expression between slashes.

Argo CD 3.5 (`glob.MatchStringInList`) searches for the expression, so one without `^` and `$` fits a part of the name.
It backtracks without a bound; here an expression whose cost could explode is refused before it is ever run.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.text.globs import glob_problem, matches_text

LONGEST = 256
"""Characters of one expression."""
LONGEST_NAME = 63
"""Characters of a namespace's name."""
MOST_WAYS = 4 * (LONGEST_NAME + 1) ** 3
"""Ways to read a name by one expression: with so many the worst name costs half a second."""
_ODD_CLASS = re.compile(r"\[|--|&&|~~|\|\|")
"""What other regular expressions have within a class of characters, and those of Python are going to have."""
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_PART = re.compile(
    r"\\(.)|\[(\^?+\]?+(?:\\.|[^\]\\])*+)(?:\]|\\?\Z)|(\()(?:\?[:=!]|\?<[=!])?|(\))|([*+]|\{\d*,?\d*\})|(\?)|(\|)|(.)",
    re.DOTALL,
)


def matches_name(pattern: str, name: str) -> bool:
    """Whether the pattern fits; one that cannot be used fits nothing.

    >>> matches_name("/^team-(a|b)$/", "team-b"), matches_name("{dev,test}-*", "dev-1")
    (True, True)
    """
    if _is_expression(pattern):
        found = _compiled(pattern)
        return found is not None and len(name) <= LONGEST_NAME and found.search(name) is not None
    try:
        return matches_text(pattern, name)
    except RenderFailed:
        return False


def pattern_problem(pattern: str) -> str:
    """What is wrong with a pattern, as a sentence; "" when nothing is."""
    if not _is_expression(pattern):
        return glob_problem(pattern)
    if problem := _too_costly(pattern[1:-1]):
        return problem
    try:
        re.compile(pattern[1:-1])
    except re.error as error:
        return f"the regular expression cannot be read: {error.msg}."
    return ""


def _is_expression(pattern: str) -> bool:
    return len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    return None if pattern_problem(pattern) else re.compile(pattern[1:-1])


def _too_costly(text: str) -> str:
    """Why an expression could take longer than anybody waits: repeats of repeats, of choices, or of what was found."""
    if len(text) > LONGEST:
        return f"the regular expression is longer than {LONGEST} characters."
    groups = [_Group()]  # those that are open here, the innermost last
    closed = False  # whether a group that varies has closed just now
    lazy = False  # whether a `?` means the repeat before it
    for escaped, members, opens, closes, repeat, question, choice, _ in _PART.findall(text):
        if escaped.isdigit() and escaped != "0":
            return "the regular expression refers back to a group: write it without."
        if _ODD_CLASS.search(_ESCAPED.sub("x", members)):
            return "the regular expression has [, --, &&, ~~ or || within brackets: write a-z for [:lower:]."
        if repeat and closed:
            return "the regular expression repeats a group with a repeat or a choice in it: write it without."
        closed = False
        if opens:
            groups.append(_Group())
        elif closes and len(groups) > 1:
            inner = groups.pop()
            closed = inner.varies
            groups[-1].ways *= inner.all_ways
            groups[-1].varies |= closed
        elif choice:
            groups[-1].others, groups[-1].ways, groups[-1].varies = groups[-1].all_ways, 1, True
        elif repeat or (question and not lazy):
            groups[-1].ways *= LONGEST_NAME + 1 if repeat else 2
            groups[-1].varies = True
        lazy = bool(repeat or question)
    if math.prod(group.all_ways for group in groups) > MOST_WAYS:
        return "the regular expression has too many repeats or optional parts: write it as several patterns."
    return ""


@dataclass(slots=True)
class _Group:
    """How many ways lead through a group, as far as it has been read."""

    ways: int = 1
    """Through the alternative that is being read."""
    others: int = 0
    """Through those before it."""
    varies: bool = False
    """Whether it has held a repeat or a choice."""

    @property
    def all_ways(self) -> int:
        return self.others + self.ways
