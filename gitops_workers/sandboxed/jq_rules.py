"""Which fields a jq path expression means (`ignoreDifferences[].jqPathExpressions`).

Argo CD runs `del(EXPRESSION)`. The same fields are found as `path(EXPRESSION)`, so that the deletion itself stays a
pure function of values. Time is limited from outside: jq cannot be interrupted.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jq

from gitops_workers.core.errors import RenderFailed

MOST = 10_000
"""Paths of one expression in one object."""
_COMPILED = "compile error"


@functools.lru_cache(maxsize=512)
def _program(expression: str) -> Any:
    try:
        return jq.compile(f"[limit({MOST + 1}; path({expression}\n))]")
    except ValueError as error:
        lines = str(error).splitlines()
        raise RenderFailed(lines[0].removeprefix("jq: error: ") if lines else "jq cannot read it") from None


def check(expressions: Sequence[str]) -> dict[int, str]:
    """What is wrong with expressions that cannot be compiled, by their index."""
    found = {}
    for index, expression in enumerate(expressions):
        try:
            _program(expression)
        except RenderFailed as error:
            found[index] = str(error)
    return found


def paths(expressions: Sequence[str], obj: Any) -> list[list[str | int]]:
    """The paths that the expressions mean in this object.

    An expression that fails on the object (it iterates over a list that is not there) means nothing in it, as upstream.
    Raises RenderFailed for one that cannot be compiled or means too much.
    """
    found: list[list[str | int]] = []
    for expression in expressions:
        program = _program(expression)
        try:
            answers = program.input_value(obj).all()
        except ValueError as error:
            if _COMPILED in str(error):
                raise RenderFailed(str(error).partition("\n")[0]) from None
            continue
        for answer in answers:
            if isinstance(answer, list):
                found += [path for path in answer if _is_path(path)]
        if len(found) > MOST:
            raise RenderFailed(f"the expression means more than {MOST:,} fields")
    return found


def _is_path(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, (str, int)) for part in value)
