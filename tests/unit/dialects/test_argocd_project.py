"""AppProjects: their rules reach the applications that name them."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.project import AllowedDestination, KindRule, Project, SyncWindow, WindowKind
from tests.unit.dialects.manifests import APPLICATION, changed, parse_values

PROJECT: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "team", "namespace": "argocd"},
    "spec": {
        "sourceRepos": ["https://git.example.com/*/*"],
        "destinations": [{"server": "*", "namespace": "team-*"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "team-*"}],
        "namespaceResourceBlacklist": [{"group": "", "kind": "ResourceQuota"}],
        "syncWindows": [
            {
                "kind": "deny",
                "schedule": "0 22 * * FRI",
                "duration": "48h",
                "timeZone": "Europe/Berlin",
                "applications": ["*"],
                "clusters": ["prod-*"],
                "andOperator": True,
                "manualSync": True,
                "syncOverrun": True,
            }
        ],
    },
}
MEMBER = changed(APPLICATION, "spec.project", "team")


def test_a_projects_rules_reach_its_applications():
    parsed = parse_values(MEMBER, PROJECT)

    assert not parsed.problems
    assert parsed.applications[0].limits == Project(
        "team",
        source_repos=("https://git.example.com/*/*",),
        destinations=(AllowedDestination("*", "", "team-*"),),
        cluster_allowed=(KindRule("", "Namespace", "team-*"),),
        namespaced_denied=(KindRule("", "ResourceQuota"),),
        windows=(
            SyncWindow(
                WindowKind.DENY,
                "0 22 * * FRI",
                172800.0,
                "Europe/Berlin",
                applications=("*",),
                clusters=("prod-*",),
                every=True,
                manual=True,
                overrun=True,
            ),
        ),
    )


def test_an_empty_white_list_is_not_an_absent_one():
    empty = changed(PROJECT, "spec.namespaceResourceWhitelist", [])

    assert parse_values(MEMBER, PROJECT).applications[0].limits.namespaced_allowed is None
    assert parse_values(MEMBER, empty).applications[0].limits.namespaced_allowed == ()


def test_other_projects_and_projects_that_are_not_there_say_nothing():
    assert parse_values(APPLICATION, PROJECT).applications[0].limits is None
    assert parse_values(MEMBER).applications[0].limits is None


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("spec.syncWindows", [{"kind": "deny", "schedule": "61 * * * *", "duration": "1h"}], "schedule"),
        ("spec.syncWindows", [{"kind": "maybe", "schedule": "* * * * *", "duration": "1h"}], "kind"),
        ("spec.destination", [], "spec.destination"),
        ("spec.signatureKeys", [{"keyID": "1"}], "signatureKeys"),
        ("spec.destinationServiceAccounts", [{"server": "*"}], "destinationServiceAccounts"),
    ],
)
def test_what_cannot_be_enforced_stops_the_projects_applications(path: str, value: Any, said: str):
    parsed = parse_values(MEMBER, changed(PROJECT, path, value))

    assert any(said in problem.path for problem in parsed.problems)
    assert parsed.applications[0].refusal.startswith("AppProject team")
    assert said in parsed.applications[0].refusal, "what is wrong, and not only where"
    assert parsed.applications[0].limits is None


@pytest.mark.parametrize(("path", "value"), [("apiVersion", "argoproj.io/v1"), ("kind", "AppProjekt")])
@pytest.mark.parametrize("name", ["team", "default"])
def test_a_slip_in_a_projects_head_does_not_open_everything(path: str, value: str, name: str):
    project = changed(changed(PROJECT, path, value), "metadata.name", name)
    (app,) = parse_values(changed(APPLICATION, "spec.project", name), project).applications

    assert app.refusal.startswith(f"AppProject {name} has errors: ")
    assert value in app.refusal


def test_a_project_that_is_declared_twice_is_nobodys():
    parsed = parse_values(MEMBER, PROJECT, PROJECT)

    assert "declared twice" in parsed.applications[0].refusal
