"""Which user rule is asked, and what its answer means."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.health.custom import (
    before_expressions,
    before_script,
    by_expression,
    by_script,
    expressions_for,
    questions,
)
from gitops_workers.core.model import Health, HealthExpressions, HealthStatus
from gitops_workers.core.settings.customizations import Customizations, HealthScript


@pytest.mark.parametrize(
    ("group", "kind", "script"),
    [
        ("cert-manager.io", "Certificate", "exact"),
        ("cert-manager.io", "Issuer", "group"),
        ("rds.aws.crossplane.io", "Instance", "long wildcard"),
        ("gcp.crossplane.io", "Instance", "short wildcard"),
        ("", "PersistentVolumeClaim", "core"),
        ("apps", "Deployment", None),
    ],
)
def test_an_exact_kind_beats_wildcards_and_the_longest_wildcard_wins(group: str, kind: str, script: str | None):
    rules = Customizations(
        (
            HealthScript("*.crossplane.io/*", "short wildcard"),
            HealthScript("*.aws.crossplane.io/*", "long wildcard"),
            HealthScript("cert-manager.io/*", "group"),
            HealthScript("cert-manager.io/Certificate", "exact"),
            HealthScript("PersistentVolumeClaim", "core"),
        )
    )

    found = rules.script_for(group, kind)

    assert (found.script if found else None) == script


@pytest.mark.parametrize(
    ("table", "health"),
    [
        ({"status": "Healthy", "message": "fine"}, Health(HealthStatus.HEALTHY, "fine")),
        ({"status": "Suspended"}, Health(HealthStatus.SUSPENDED)),
        ({"status": "Current"}, Health(HealthStatus.UNKNOWN, "Lua returned an invalid health status")),
        ({"status": "healthy"}, Health(HealthStatus.UNKNOWN, "Lua returned an invalid health status")),
        ({"message": "?"}, Health(HealthStatus.UNKNOWN, "Lua returned an invalid health status")),
        ({}, None),
        (None, None),
    ],
)
def test_what_a_script_says(table: dict[str, Any] | None, health: Health | None):
    assert by_script(table) == health


def test_an_object_on_its_way_out_is_progressing_before_any_script():
    going = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    hook = {"metadata": {**going["metadata"], "finalizers": ["argocd.argoproj.io/hook-finalizer"]}}

    assert before_script(going) == Health(HealthStatus.PROGRESSING, "Pending deletion")
    assert before_script(hook) is None
    assert before_script({"metadata": {}}) is None


RULE = HealthExpressions("cert-manager.io", "Certificate", "current", in_progress="busy", failed="broken")


@pytest.mark.parametrize(
    ("true", "status"),
    [
        (0, HealthStatus.IN_PROGRESS),
        (1, HealthStatus.FAILED),
        (2, HealthStatus.CURRENT),
        (None, HealthStatus.IN_PROGRESS),
    ],
)
def test_progress_is_asked_before_failure_and_failure_before_success(true: int | None, status: HealthStatus):
    assert questions(RULE) == ("busy", "broken", "current")
    assert by_expression(RULE, true).status is status


def test_expressions_that_are_not_given_are_not_asked():
    rule = HealthExpressions("cert-manager.io", "", "current", failed="broken")

    assert questions(rule) == ("broken", "current")
    assert [by_expression(rule, at).status for at in (0, 1)] == [HealthStatus.FAILED, HealthStatus.CURRENT]


@pytest.mark.parametrize(
    ("api", "kind", "wins"),
    [
        ("cert-manager.io/v1beta1", "Certificate", "kind"),
        ("cert-manager.io/v1", "Issuer", "group"),
        ("apps/v1", "Deployment", None),
    ],
)
def test_a_kinds_expressions_beat_its_groups_in_any_version(api: str, kind: str, wins: str | None):
    rules = (
        HealthExpressions("cert-manager.io", "Certificate", "kind"),
        HealthExpressions("cert-manager.io", "", "group"),
    )

    found = expressions_for(rules, {"apiVersion": api, "kind": kind})

    assert (found.current if found else None) == wins


def test_a_generation_nobody_has_seen_is_in_progress_before_any_expression():
    fresh = {"kind": "X", "metadata": {"generation": 2}, "status": {"observedGeneration": 1}}

    assert before_expressions(fresh) == Health(
        HealthStatus.IN_PROGRESS, "X generation is 2, but latest observed generation is 1"
    )
    assert before_expressions({**fresh, "status": {"observedGeneration": 2}}) is None
    assert before_expressions({**fresh, "status": {}}) is None
