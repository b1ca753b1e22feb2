"""T03: kustomize sees the exported files and nothing of the worker (CVE-2022-24877, 24878)."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.render.render_spec import KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from tests.servers.rendering import RenderWorld, config_map

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
FLUX = RenderSpec(tool=Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX))


@pytest.mark.parametrize("spec", [RenderSpec(), FLUX], ids=["argocd", "flux"])
@pytest.mark.parametrize(
    "content",
    [
        f"secretGenerator: [{{name: s, files: [{TOKEN}]}}]",
        f"secretGenerator: [{{name: s, files: [token={TOKEN}]}}]",
        f"configMapGenerator: [{{name: s, envs: [{TOKEN}]}}]",
        f"configMapGenerator: [{{name: s, files: [../../../../..{TOKEN}]}}]",
        "resources: [.]",
        "resources: [..]",
        "resources: [/etc]",
        f"patches: [{{path: {TOKEN}}}]",
        f"openapi: {{path: {TOKEN}}}",
        f"replacements: [{{path: {TOKEN}}}]",
        "helmCharts: [{name: x, repo: 'https://charts.example.com'}]",
        "helmChartInflationGenerator: [{chartName: x}]",
        "generators: ['{apiVersion: someteam.example.com/v1, kind: Exec, metadata: {name: x}}']",
        (
            "transformers:\n- |\n  apiVersion: v1\n  kind: Exec\n  metadata:\n    name: x\n    annotations:\n"
            "      config.kubernetes.io/function: |\n        exec: {path: /bin/sh}\n"
        ),
    ],
)
def test_what_leads_out_is_refused_before_kustomize_runs(repo: RenderWorld, spec, content):
    with pytest.raises(UnsafeContent):
        repo.objects({"a/kustomization.yaml": content, "a/a.yaml": config_map("a")}, "a", spec)


PLUGIN = "apiVersion: builtin\nkind: %s\nmetadata: {name: x}\n%s\n"


@pytest.mark.parametrize("spec", [RenderSpec(), FLUX], ids=["argocd", "flux"])
@pytest.mark.parametrize(
    "config",
    [
        PLUGIN % ("ConfigMapGenerator", "files: [/etc/passwd]"),
        PLUGIN % ("ConfigMapGenerator", "files: [../../../../../../etc/passwd]"),
        PLUGIN % ("ConfigMapGenerator", "files: [/proc/self/environ]"),
        PLUGIN % ("HelmChartInflationGenerator", "name: x\nrepo: https://charts.example.com"),
        (
            "apiVersion: v1\nkind: Exec\nmetadata:\n  name: x\n  annotations:\n"
            "    config.kubernetes.io/function: |\n      exec: {path: /bin/sh}\n"
        ),
    ],
)
def test_a_plug_in_file_that_nobody_analyses_finds_nothing_and_runs_nothing(repo: RenderWorld, spec, config):
    with pytest.raises(RenderFailed) as caught:
        repo.objects({"a/kustomization.yaml": "generators: [g.yaml]\n", "a/g.yaml": config}, "a", spec)

    assert "root:" not in str(caught.value)


def test_argocd_stays_below_the_kustomizations_own_root(repo: RenderWorld):
    tree = {"a/kustomization.yaml": "resources: [../b/x.yaml]\n", "b/x.yaml": config_map("x")}

    with pytest.raises(RenderFailed, match="not in or below"):
        repo.objects(tree, "a")
