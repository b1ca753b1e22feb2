"""CEL as Flux evaluates it: the first true expression decides, and an error is an error."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed.cel_rules import check, first_true

OBJECT: dict[str, Any] = {
    "metadata": {"name": "app-web", "generation": 2, "labels": {"a.b/c": "x"}},
    "status": {"phase": "Ready", "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 2}]},
}


@pytest.mark.parametrize(
    "expression",
    [
        "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')",
        "status.conditions.exists(e, e.type == 'Ready' && e.observedGeneration == metadata.generation)",
        "status.?conditions.orValue([]).exists(e, e.type == 'Ready')",
        "status.conditions[?0].?status.orValue('') == 'True'",
        "!has(status.failures)",
        "metadata.labels['a.b/c'] == 'x' && 'a.b/c' in metadata.labels",
        "metadata.name.split('-').size() == 2",
        "metadata.name.matches('^app-.*')",
        "metadata.generation > 1.5",
        "sets.contains(['a', 'b'], ['a'])",
        "status.failures == 1 || true",
    ],
)
def test_expressions_that_people_write(expression: str):
    assert first_true([expression], OBJECT) == 0


def test_the_first_true_expression_decides():
    assert first_true(["status.phase == 'Pending'", "true", "true"], OBJECT) == 1
    assert first_true(["status.phase == 'Pending'"], OBJECT) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("status.failures == 0", 'Key not found in map : "failures"'),
        ("spec.replicas == 1", 'No value with name "spec" in the object'),
        ("status.conditions[3].status == 'True'", "index=3 size=1"),
        ("status.phase", "is a string, expected a bool"),
        ("1 + 1", "is a int, expected a bool"),
        ("status.phase + 1 == 2", "No matching overload"),
        ("nonsense(1)", "No matching overload"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error_and_not_false(expression: str, said: str):
    with pytest.raises(RenderFailed) as refusal:
        first_true([expression, "true"], OBJECT)

    assert said in str(refusal.value)


def test_nested_loops_come_to_an_end():
    bomb = "true"
    for level in range(12):
        bomb = f"[1,2,3,4,5,6,7,8,9,10].all(x{level}, {bomb})"

    with pytest.raises(RenderFailed, match=r"[Bb]udget"):
        first_true([bomb], {})


def test_only_what_cannot_be_parsed_is_an_invalid_expression():
    found = check(["status.x ==", "status.unheard.of", "has(a", "x" * 20_000])

    assert sorted(found) == [0, 2, 3]
    assert "Syntax error" in found[0]
