"""Health by users' rules, seen from the cluster: what waits, what fails, what is refused."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.model import Dialect, HealthExpressions, Phase
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.settings.customizations import Customizations, HealthScript
from tests.servers.rules import InProcess
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

READY = HealthExpressions("", "ConfigMap", "has(status.phase) && status.phase == 'Ready'")


def lab(customizations: Customizations | None = None) -> Lab:
    found = Lab()
    found.context = replace(found.context, rules=UserRules(InProcess(), customizations))
    return found


def test_a_kustomization_waits_for_its_own_expressions() -> None:
    it = lab()
    app = it.declare(Dialect.FLUX, wait=True)
    it.applications[app] = replace(it.applications[app], health_rules=(READY,))
    it.enroll()
    it.push(manifest("ConfigMap", "web", data={"a": "1"}))

    it.run(5)

    operation = it.status(app).operation
    assert operation is not None
    assert (operation.phase, operation.message) == (Phase.RUNNING, "Waiting for ConfigMap shop/web.")
    it.cluster.put_status(ObjectKey("", "ConfigMap", "shop", "web"), {"phase": "Ready"})
    it.run(10)
    assert it.status(app).operation.phase is Phase.SUCCEEDED
    assert it.status(app).health == "Current"


def test_an_expression_nobody_can_read_stops_the_application_before_it_writes() -> None:
    it = lab()
    app = it.declare(Dialect.FLUX)
    it.applications[app] = replace(it.applications[app], health_rules=(replace(READY, current="status.phase =="),))
    it.enroll()
    it.push(manifest("ConfigMap", "web", data={"a": "1"}))

    it.run(5)

    assert it.live("ConfigMap", "web") is None
    assert "healthCheckExprs of ConfigMap:" in it.status(app).message


def test_a_script_of_the_installation_decides_an_applications_health() -> None:
    script = "return {status = 'Degraded', message = 'because'}"
    it = lab(Customizations((HealthScript("ConfigMap", script),)))
    app = it.declare(Dialect.ARGOCD)
    it.push(manifest("ConfigMap", "web", data={"a": "1"}))

    it.run(5)

    assert (it.status(app).health, it.status(app).health_message) == ("Degraded", "ConfigMap shop/web: because")
