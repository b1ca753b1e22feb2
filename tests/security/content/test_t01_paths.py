"""T01: no path of a manifest or a repository leads out of the repository (CVE-2022-24348, 24730, 24731, 2023-40026)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.render.render_spec import HelmOptions, KustomizeOptions, Patch, RenderSpec
from gitops_workers.core.source import repo_paths
from tests.servers.rendering import RenderWorld, config_map

CHART = {"c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "c/values.yaml": "", "repo-evil/x.yaml": "a: 1\n"}
OUTSIDE = [
    "../../b/secret.yaml",
    "a/../../../x",
    "values\0.yaml",
    "https://169.254.169.254/",
    "../..",
    "..\\..\\x",
]


@pytest.mark.parametrize("path", ["../../b", "/etc", "a/../../x", "a\0b", "https://169.254.169.254/", "../repo-evil"])
def test_a_source_path_stays_inside(repo: RenderWorld, path):
    with pytest.raises(UnsafeContent):
        repo.objects({"a/x.yaml": config_map("a")}, path)


@pytest.mark.parametrize("path", [*OUTSIDE, "/../x", "//../../etc/passwd"])
def test_a_value_file_stays_inside(repo: RenderWorld, path):
    with pytest.raises(UnsafeContent):
        repo.objects(CHART, "c", RenderSpec(helm=HelmOptions(value_files=(path,))))


def test_a_leading_slash_means_the_repository_never_the_host(repo: RenderWorld):
    with pytest.raises(RenderFailed, match="looked for etc/passwd"):
        repo.objects(CHART, "c", RenderSpec(helm=HelmOptions(value_files=("/etc/passwd",))))


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_file_parameter_stays_inside(repo: RenderWorld, path):
    with pytest.raises(UnsafeContent):
        repo.objects(CHART, "c", RenderSpec(helm=HelmOptions(file_parameters=(("v", path),))))


@pytest.mark.parametrize("path", [*OUTSIDE, "/etc/passwd"])
@pytest.mark.parametrize(
    "options", [lambda path: {"patches": (Patch(path=path),)}, lambda path: {"components": (path,)}]
)
def test_a_kustomize_option_stays_inside(repo: RenderWorld, path, options):
    with pytest.raises(UnsafeContent):
        repo.objects({"a/kustomization.yaml": ""}, "a", RenderSpec(kustomize=KustomizeOptions(**options(path))))


def test_a_dependency_of_a_chart_stays_inside(repo: RenderWorld):
    chart = CHART["c/Chart.yaml"] + "dependencies:\n- {name: x, version: 1.0.0, repository: 'file://../../x'}\n"

    with pytest.raises(UnsafeContent, match="leaves the repository"):
        repo.objects(CHART | {"c/Chart.yaml": chart}, "c")


def test_a_sibling_of_the_same_beginning_is_not_inside():
    assert not repo_paths.inside("x/repo-evil/a", "x/repo")
    assert repo_paths.inside("x/repo/a", "x/repo")


@given(st.text("ab/.\0\\", max_size=20), st.sampled_from(["", "a", "a/b"]))
def test_a_joined_path_is_always_below_the_root(text, base):
    try:
        path = repo_paths.join(base, text, what="x")
    except UnsafeContent:
        return

    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/")) or path == ""
