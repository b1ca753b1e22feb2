"""The registry of dialect policies, and that nothing beside it asks for the dialect."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import gitops_workers
from gitops_workers.core.dialect import DialectPolicy, policy_of
from gitops_workers.core.model import Dialect

ROOT = Path(gitops_workers.__file__).parent
DECIDES = (
    "core",
    "pipeline",
    "adapters",
    "ports",
    "dialects",
    "web",
    "console",
    "cli",
    "wiring",
    "runtime",
    "services",
    "sandboxed",
)


def test_every_dialect_has_one_frozen_policy():
    for dialect in Dialect:
        policy = policy_of(dialect)
        assert isinstance(policy, DialectPolicy)
        assert policy is policy_of(Dialect(dialect.value))
        with pytest.raises(FrozenInstanceError):
            policy.governed = not policy.governed  # type: ignore[misc]


def test_no_module_branches_on_the_dialect():
    files = [path for name in DECIDES for path in (ROOT / name).rglob("*.py")]
    assert len(files) > 200
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in _comparisons(ast.parse(path.read_text("utf-8")))
    ]
    assert found == [], "the policy of the dialect has a field for it (core.dialect)"


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("app.dialect is Dialect.FLUX", [1]),
        ("status.dialect != Dialect.ARGOCD", [1]),
        ("x = 1 if dialect == 'flux' else 2", [1]),
        ("rules in (Dialect.ARGOCD,)", [1]),
        ("match app.dialect:\n case Dialect.FLUX: pass", [1]),
        ("app_id.startswith('application/')", [1]),
        ("policy_of(app.dialect).governed", []),
        ("Application(dialect=Dialect.FLUX)", []),
    ],
)
def test_a_branch_on_the_dialect_is_recognised(code, lines):
    assert list(_comparisons(ast.parse(code))) == lines


def _comparisons(tree: ast.AST) -> Iterator[int]:
    """Lines that compare a dialect, match on it, or take it from the first part of an application's id."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides: list[ast.expr] = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            sides = [node.subject]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            sides = []
            if any(isinstance(each, ast.Constant) and str(each.value) in _IDS for each in node.args):
                yield node.lineno
        else:
            continue
        if any(_names_dialect(side) for side in sides):
            yield node.lineno


_IDS = ("application/", "kustomization/")


def _names_dialect(side: ast.expr) -> bool:
    if isinstance(side, ast.Tuple | ast.List | ast.Set):
        return any(_names_dialect(each) for each in side.elts)
    if isinstance(side, ast.Name):
        return side.id == "dialect"
    if not isinstance(side, ast.Attribute):
        return False
    return side.attr == "dialect" or (isinstance(side.value, ast.Name) and side.value.id == "Dialect")
