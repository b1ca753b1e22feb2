"""The files of deploy/monitoring: every expression is PromQL, and every metric in it is one that we export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.web_world import READ, bearer

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "monitoring"
RULES = [
    rule for group in yaml.safe_load((FOLDER / "rules.yaml").read_text())["spec"]["groups"] for rule in group["rules"]
]
PANELS = [
    panel for file in sorted((FOLDER / "dashboards").glob("*.json")) for panel in json.loads(file.read_text())["panels"]
]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]


def metrics_of(expression: Any) -> Iterator[str]:
    """The metrics that an expression selects."""
    match expression:
        case promql_parser.VectorSelector():
            yield expression.name
        case promql_parser.MatrixSelector():
            yield from metrics_of(expression.vector_selector)
        case promql_parser.BinaryExpr():
            yield from metrics_of(expression.lhs)
            yield from metrics_of(expression.rhs)
        case promql_parser.Call():
            for argument in expression.args:
                yield from metrics_of(argument)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return
        case _:
            yield from metrics_of(expression.expr)


@pytest.fixture
def exported(world) -> set[str]:
    """The names of all families and of the samples that they have."""
    text = world.client().get("/metrics", headers=bearer(READ)).text
    names: set[str] = set()
    for family in text_string_to_metric_families(text):
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        names.update(family.name + end for end in ends)
    return names


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_metric_that_is_named_is_exported(text, exported):
    found = set(metrics_of(promql_parser.parse(text)))
    assert found
    assert found <= exported


def test_every_alert_says_what_happened_and_what_to_look_at():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"]
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_every_panel_says_what_to_do():
    assert all(panel["description"].startswith("Runbook: ") for panel in PANELS)
