"""AppProjects: their rules reach the applications that name them."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.policy.project import AllowedDestination, KindRule, Project, SyncWindow, WindowKind
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
WINDOW = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
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
        ("spec.syncWindows", [{**WINDOW, "schedule": "61 * * * *"}], "schedule"),
        ("spec.syncWindows", [{**WINDOW, "kind": "maybe"}], "kind"),
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


EVERYWHERE = {"server": "*", "namespace": "*"}
NOWHERE = {key: value for key, value in WINDOW.items() if key != "applications"}


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        # What Argo CD's ValidateProject rejects.
        ("spec.sourceRepos", ["!*"], "spec.sourceRepos[0]"),
        ("spec.sourceRepos", ["*", "https://a/b", "*"], "spec.sourceRepos[2]"),
        ("spec.sourceNamespaces", ["a", "a"], "spec.sourceNamespaces[1]"),
        ("spec.destinations", [{"server": "!*", "namespace": "*"}], "spec.destinations[0].server"),
        ("spec.destinations", [{"name": "!*", "namespace": "*"}], "spec.destinations[0].name"),
        ("spec.destinations", [{"server": "*", "namespace": "!*"}], "spec.destinations[0].namespace"),
        ("spec.destinations", [EVERYWHERE, EVERYWHERE], "spec.destinations[1]"),
        ("spec.destinations", [EVERYWHERE, {**EVERYWHERE, "name": "a"}], "spec.destinations[1]"),
        ("spec.syncWindows", [NOWHERE], "spec.syncWindows[0]"),
        ("spec.syncWindows", [WINDOW, {**WINDOW, "manualSync": True}], "spec.syncWindows[1]"),
        # What would fit nothing, or everything, without a word.
        ("spec.sourceRepos", ["*", "!"], "spec.sourceRepos[1]"),
        ("spec.sourceRepos", ["*", "!https://{a,b/c"], "spec.sourceRepos[1]"),
        ("spec.sourceRepos", ["*", "!https://[a/c"], "spec.sourceRepos[1]"),
        ("spec.destinations", [{"server": "*", "namespace": "!{a,b"}], "spec.destinations[0].namespace"),
        ("spec.destinations", [{"server": "*", "namespace": "!a}"}], "spec.destinations[0].namespace"),
        ("spec.destinations", [{"name": "!", "namespace": "*"}], "spec.destinations[0].name"),
        ("spec.sourceNamespaces", ["/team-(/"], "spec.sourceNamespaces[0]"),
        ("spec.sourceNamespaces", ["/(a+)+$/"], "spec.sourceNamespaces[0]"),
        ("spec.sourceNamespaces", ["{a,b"], "spec.sourceNamespaces[0]"),
        ("spec.syncWindows", [{**WINDOW, "clusters": ["[a"]}], "spec.syncWindows[0].clusters[0]"),
        ("spec.syncWindows", [{**WINDOW, "schedule": "@daily"}], "spec.syncWindows[0].schedule"),
        ("spec.syncWindows", [{**WINDOW, "schedule": "0 0 * * 7"}], "spec.syncWindows[0].schedule"),
    ],
)
def test_what_argo_cd_rejects_is_told_at_its_place(path: str, value: Any, place: str):
    parsed = parse_values(MEMBER, changed(PROJECT, path, value))

    assert [problem.path for problem in parsed.problems] == [place]
    assert parsed.applications[0].limits is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.sourceRepos", ["*", "!https://{a,b}/**", "https://[ab].example/*"]),
        ("spec.sourceNamespaces", ["team-*", "{a,b}", "/^((?!kube).)*$/", "/^team-[a-z]+$/"]),
        ("spec.destinations", [EVERYWHERE, {"server": "*", "namespace": "!kube-*"}, {"name": "!a", "namespace": "*"}]),
        ("spec.syncWindows", [WINDOW, {**WINDOW, "applications": ["a"]}, {**WINDOW, "kind": "allow"}]),
    ],
)
def test_what_argo_cd_takes_is_taken(path: str, value: Any):
    assert not parse_values(MEMBER, changed(PROJECT, path, value)).problems
