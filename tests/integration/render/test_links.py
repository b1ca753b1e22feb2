"""Links that stay inside the repository are followed as helm, kustomize and Argo CD follow them."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import (
    DirectoryOptions,
    HelmOptions,
    KustomizeMerge,
    KustomizeOptions,
    RenderSpec,
    Tool,
)
from tests.servers.rendering import RenderWorld, config_map


def link(target: str) -> tuple[str, bytes]:
    return ("120000", target.encode())


def names(objects):
    return sorted(item["metadata"]["name"] for item in objects)


CHART = {"Chart.yaml": "apiVersion: v2\nname: %s\nversion: 0.1.0\n", "templates/a.yaml": config_map("%s")}
FLUX = RenderSpec(Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX))


def chart(folder, name):
    return {f"{folder}/{path}": text % name for path, text in CHART.items()}


def test_a_subchart_that_is_a_link_is_rendered(repo: RenderWorld):
    tree = chart("apps/web", "web") | chart("shared/db", "db") | {"apps/web/charts/db": link("../../../shared/db")}

    assert names(repo.objects(tree, "apps/web")) == ["db", "web"]
    assert repo.closure(repo.commit(tree), "apps/web").digest != (
        repo.closure(repo.commit(tree | {"shared/db/values.yaml": "a: 1"}), "apps/web").digest
    )


def test_a_path_that_is_a_link_is_the_folder_it_leads_to(repo: RenderWorld):
    tree = chart("charts/v2", "web") | {"current": link("charts/v2"), "m": link("n"), "n/a.yaml": config_map("a")}

    assert names(repo.objects(tree, "current")) == ["web"]
    assert names(repo.objects(tree, "m")) == ["a"]


def test_value_files_are_found_behind_links(repo: RenderWorld):
    tree = chart("c", "web") | {
        "c/templates/a.yaml": config_map("web", v="{{ .Values.v | quote }}"),
        "c/env": link("../envs/prod"),
        "envs/prod/values-a.yaml": "v: a",
        "envs/prod/values-b.yaml": link("../b.yaml"),
        "envs/b.yaml": "v: b",
    }

    for files in (["env/values-a.yaml", "env/values-b.yaml"], ["env/values-*.yaml"], ["**/values-*.yaml"]):
        (found,) = repo.objects(tree, "c", RenderSpec(helm=HelmOptions(value_files=tuple(files))))
        assert found["data"] == {"v": "b"}


def test_a_base_that_is_a_link_is_built_with_what_it_names_beside_its_real_place(repo: RenderWorld):
    tree = {
        "overlays/prod/kustomization.yaml": "resources: [base]\nnamePrefix: p-\n",
        "overlays/prod/base": link("../../shared/base"),
        "shared/base/kustomization.yaml": "resources: [x.yaml, ../common, deep]\n",
        "shared/base/x.yaml": config_map("x"),
        "shared/base/deep": link("../deep"),
        "shared/common/kustomization.yaml": "resources: [y.yaml]\n",
        "shared/common/y.yaml": config_map("y"),
        "shared/deep/kustomization.yaml": "resources: [z.yaml]\n",
        "shared/deep/z.yaml": config_map("z"),
    }

    assert names(repo.objects(tree, "overlays/prod")) == ["p-x", "p-y", "p-z"]


def test_a_base_that_means_something_else_from_its_link_is_refused(repo: RenderWorld):
    common = "resources: [y.yaml]\n"
    tree = {
        "o/kustomization.yaml": "resources: [base]\n",
        "o/base": link("../shared/base"),
        "shared/base/kustomization.yaml": "resources: [../common]\n",
        "shared/common/kustomization.yaml": common,
        "shared/common/y.yaml": config_map("real"),
        "o/common/kustomization.yaml": common,
        "o/common/y.yaml": config_map("other"),
    }

    with pytest.raises(RenderFailed, match=r"from the link to it"):
        repo.objects(tree, "o")


def test_a_directory_passes_over_links_to_nothing_and_to_folders_as_argocd_does(repo: RenderWorld):
    tree = {
        "m/a.yaml": config_map("a"),
        "m/b.yaml": link("../other/b.yaml"),
        "m/gone.yaml": link("nowhere.yaml"),
        "m/folder.yaml": link("../other"),
        "m/folder": link("../other"),
        "other/b.yaml": config_map("b"),
    }

    for recurse in (False, True):
        assert names(repo.objects(tree, "m", RenderSpec(directory=DirectoryOptions(recurse=recurse)))) == ["a", "b"]


def test_a_flux_folder_follows_links_to_files_and_refuses_those_to_nothing(repo: RenderWorld):
    tree = {"m/a.yaml": link("../other/b.yaml"), "m/folder": link("../other"), "other/b.yaml": config_map("b")}

    assert names(repo.objects(tree, "m", FLUX)) == ["b"]
    with pytest.raises(RenderFailed, match="link"):
        repo.objects(tree | {"m/gone.yaml": link("nowhere.yaml")}, "m", FLUX)
