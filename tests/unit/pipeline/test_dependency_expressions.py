"""`readyExpr`: what decides in place of the built-in rule."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.model import AppId
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.ports import Urgency
from tests.servers.rules import InProcess
from tests.unit.pipeline.moves import config, deployment
from tests.unit.pipeline.shop import Shop


def by_expression(expression: str, **labels: str) -> tuple[Shop, AppId, AppId]:
    shop = Shop()
    shop.context = replace(shop.context, rules=UserRules(InProcess()))
    base = shop.add("base", wait=True)
    top = shop.add("top", Dependency(base, ready=expression))
    shop.applications[base] = replace(shop.applications[base], labels=tuple(labels.items()))
    shop.enroll()
    shop.write(base=deployment("base", 0), top=config("top"))
    shop.work()
    return shop, base, top


def test_an_expression_replaces_the_built_in_rule() -> None:
    shop, _, _ = by_expression("dep.status.conditions.exists(c, c.type == 'Reconciling')")

    assert shop.value("top") == "1"


def test_an_expression_is_asked_again_when_the_dependency_changes() -> None:
    ready = "dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')"
    shop, base, top = by_expression(f"{ready} && self.metadata.name == 'top'")
    assert shop.status(top).message == f"Waiting for {base}: its readyExpr is not true."
    attempts = shop.queue.wanted(top)
    shop.work(20)
    assert shop.queue.wanted(top) - attempts <= 1, "looks at a gate that stays shut change nothing"

    shop.controllers_report()
    shop.work(5)

    assert shop.value("top") == "1"


def test_an_expression_that_cannot_be_evaluated_is_named_and_asked_again() -> None:
    expression = "dep.metadata.labels['version'] == 'v2'"
    shop, base, top = by_expression(expression)
    assert f"Waiting for {base}: readyExpr: " in shop.status(top).message
    assert "version" in shop.status(top).message

    shop.applications[base] = replace(shop.applications[base], labels=(("version", "v2"),))
    shop.enroll()
    shop.queue.request(base, "its manifest changed", Urgency.POLL)
    shop.work(5)

    assert shop.value("top") == "1"


def test_an_expression_nobody_can_read_refuses_the_application() -> None:
    shop, base, top = by_expression("dep.status.conditions.exists(")

    assert shop.value("top") is None
    message = shop.status(top).message
    assert message.startswith(
        f"readyExpr of spec.dependsOn {base}: 'dep.status.conditions.exists(' is no cel expression"
    )
