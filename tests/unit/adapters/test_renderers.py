"""The registry of renderers: what is detected, and that each one is whole."""

from __future__ import annotations

import importlib

import pytest

from gitops_workers.adapters.rendering.renderers import BY_TOOL, CHILDREN, PROGRAMS, RENDERERS, detect
from gitops_workers.core.render.render_spec import Tool
from gitops_workers.local.toolchain import DEFAULT


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ((), "directory"),
        (("deployment.yaml", "values.yaml"), "directory"),
        (("kustomization.yaml",), "kustomize"),
        (("kustomization.yml",), "kustomize"),
        (("Kustomization",), "kustomize"),
        (("Kustomization.yaml", "chart.yaml"), "directory"),
        (("Chart.yaml",), "helm"),
        (("Chart.yaml", "kustomization.yaml"), "helm"),
    ],
)
def test_the_files_of_a_folder_mean_one_renderer(files, tool):
    assert detect(lambda name: name in files).tool == tool


@pytest.mark.parametrize("tool", list(Tool))
def test_each_tool_that_a_manifest_can_name_has_a_renderer(tool):
    assert BY_TOOL[tool].tool == tool.value


@pytest.mark.parametrize("module", CHILDREN.values())
def test_the_module_of_each_renderer_can_render_in_a_child(module):
    assert callable(importlib.import_module(f"gitops_workers.sandboxed.{module}").render)


def test_only_the_renderer_without_marks_is_left_for_other_folders():
    assert [item.tool for item in RENDERERS if not item.markers] == ["directory"]


def test_each_program_of_a_renderer_is_built_with_the_others():
    assert set(PROGRAMS) <= set(DEFAULT)
