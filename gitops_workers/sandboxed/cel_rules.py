"""CEL as Flux evaluates it in `healthCheckExprs` and `readyExpr` (fluxcd/pkg/runtime/cel).

By the library of CEL's own authors: the only one for Python that reads optional fields (`status.?conditions`), which
Flux' users write to get around missing ones. Expressions are parsed and not type-checked, as upstream does for objects
of unknown shape: a name that does not exist is an error of the evaluation.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from cel_expr_python import cel

from gitops_workers.core.errors import RenderFailed

EXTENSIONS = ("optional", "strings", "sets", "encoders", "lists", "math", "bindings")
LONGEST = 16 << 10
"""Characters of one expression."""


@functools.cache
def _environment() -> cel.Env:
    names = "\n".join(f"- {{name: {name}}}" for name in EXTENSIONS)
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(f"name: rules\nextensions:\n{names}\n"))


@functools.lru_cache(maxsize=512)
def _parsed(expression: str) -> cel.Expression:
    if len(expression) > LONGEST:
        raise RenderFailed(f"the expression has more than {LONGEST:,} characters")
    try:
        return _environment().compile(expression, disable_check=True)
    except RuntimeError as error:
        raise RenderFailed(_plain(error)) from None


def check(expressions: Sequence[str]) -> dict[int, str]:
    """What is wrong with expressions that cannot be parsed, by their index."""
    found = {}
    for index, expression in enumerate(expressions):
        try:
            _parsed(expression)
        except RenderFailed as error:
            found[index] = str(error)
    return found


def first_true(expressions: Sequence[str], variables: Mapping[str, Any]) -> int | None:
    """The index of the first expression that is true, None when none is.

    Raises RenderFailed for the first that cannot be evaluated or is no boolean: a missing field is an error in CEL,
    not false.
    """
    for index, expression in enumerate(expressions):
        try:
            value = _parsed(expression).eval(data=variables)
        except RuntimeError as error:
            raise RenderFailed(_plain(error)) from None
        kind = value.type().name()
        if kind == "ERROR":
            raise RenderFailed(_plain(value.value()))
        if kind != "BOOL":
            raise RenderFailed(f"the expression is a {kind.lower()}, expected a bool")
        if value.value():
            return index
    return None


def _plain(error: object) -> str:
    """CEL's words without its status codes and its picture of the expression."""
    text = str(error).partition("\n")[0].partition(" [")[0]
    for code in ("INVALID_ARGUMENT: ", "NOT_FOUND: ", "UNKNOWN: ", "INTERNAL: ", "ERROR: ", "<input>:"):
        text = text.removeprefix(code)
    return text.replace(" found in Activation", " in the object")
