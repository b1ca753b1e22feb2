"""T06: a chart writes nowhere outside its own job (CVE-2024-25620, 2025-53547, 2026-35206)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from tests.servers.rendering import RenderWorld

CHART = {"c/Chart.yaml": "apiVersion: v2\nname: %s\nversion: 0.1.0\n", "c/templates/a.yaml": ""}
LIBRARY = {"lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\n", "lib/x": "evil"}


@pytest.fixture(autouse=True)
def home(repo, tmp_path, monkeypatch):
    """A home that must be the same after the test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".bashrc").write_text("mine\n")
    before = snapshot(tmp_path)
    yield tmp_path
    assert snapshot(tmp_path) == before


def snapshot(folder: Path) -> str:
    parts = sorted(f"{path}{path.read_bytes()!r}" for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256("".join(parts).encode()).hexdigest()


@pytest.mark.parametrize("name", ["..", "../x", "/etc/x", "a/b"])
def test_a_chart_name_that_is_a_path_does_no_harm(repo: RenderWorld, name):
    with pytest.raises(RenderFailed):
        repo.objects(
            CHART
            | {"c/Chart.yaml": CHART["c/Chart.yaml"] % f"'{name}'", "c/templates/a.yaml": "{{ fail .Chart.Name }}"},
            "c",
        )


@pytest.mark.parametrize("name", ["..", ".", "../../evil", "/etc/evil", "a/b", ""])
def test_a_dependency_name_that_is_a_path_is_refused(repo: RenderWorld, name):
    chart = (
        CHART["c/Chart.yaml"] % "c"
        + f"dependencies: [{{name: '{name}', version: 0.1.0, repository: 'file://../lib'}}]\n"
    )

    with pytest.raises(UnsafeContent):
        repo.objects(CHART | LIBRARY | {"c/Chart.yaml": chart}, "c")


def test_a_lock_file_that_is_a_link_is_refused(repo: RenderWorld, home):
    tree = CHART | {
        "c/Chart.yaml": CHART["c/Chart.yaml"] % "c",
        "c/Chart.lock": ("120000", str(home / ".bashrc").encode()),
    }

    with pytest.raises(UnsafeContent, match=r"Chart\.lock"):
        repo.objects(tree, "c")


def test_charts_that_contain_each_other_end(repo: RenderWorld):
    def chart(name: str, needs: str) -> str:
        return (
            CHART["c/Chart.yaml"] % name
            + f"dependencies: [{{name: {needs}, version: 0.1.0, repository: 'file://../{needs}'}}]\n"
        )

    with pytest.raises(UnsafeContent, match="deep"):
        repo.objects({"a/Chart.yaml": chart("a", "b"), "b/Chart.yaml": chart("b", "a")}, "a")
