"""A key that stands twice: the last one counts where upstream takes it, with a remark; elsewhere it is an error."""

from __future__ import annotations

import json

import pytest

from gitops_workers.adapters.rendering import CachedRenderer
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import HelmOptions, KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from tests.servers.rendering import KEY, RenderWorld, config_map, tools

FLUX = RenderSpec(tool=Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX))
TWICE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: first\n  k: last\n"
CHART = {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n"}
PRINTS = CHART | {"templates/a.yaml": config_map("a", k="{{ .Values.k }}")}

SOURCES = {
    "a plain file": ({"a.yaml": TWICE}, RenderSpec()),
    "a JSON file": (
        {"a.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"first","k":"last"}}'},
        RenderSpec(),
    ),
    "a chart's output": (CHART | {"templates/a.yaml": TWICE}, RenderSpec()),
    "helm.values": (PRINTS, RenderSpec(helm=HelmOptions(values="k: first\nk: last\n"))),
}


def strictly(repo: RenderWorld) -> RenderWorld:
    repo.renderer = CachedRenderer(
        repo.sources, repo.closures, repo.sandbox, repo.store, tools=tools(), key=KEY, strict=True
    )
    return repo


@pytest.mark.parametrize(("tree", "spec"), SOURCES.values(), ids=SOURCES)
def test_the_last_one_counts_for_argocd_and_people_are_told(repo: RenderWorld, tree, spec):
    rendered = repo.rendered(repo.commit(tree), ".", spec)

    assert [item["data"] for item in rendered.objects] == [{"k": "last"}]
    (remark,) = rendered.remarks
    assert "the key 'k' stands twice in one mapping; the last one counts" in remark


def test_a_cached_render_still_tells(repo: RenderWorld):
    at = repo.commit({"a.yaml": TWICE})

    first, second = repo.rendered(at), repo.rendered(at)

    assert second.cached
    assert second.remarks == first.remarks != ()


@pytest.mark.parametrize(("tree", "spec"), SOURCES.values(), ids=SOURCES)
def test_a_strict_installation_refuses_it(repo: RenderWorld, tree, spec):
    with pytest.raises(RenderFailed, match="'k' stands twice"):
        strictly(repo).rendered(repo.commit(tree), ".", spec)


@pytest.mark.parametrize("built", [True, False], ids=["a kustomization", "a folder"])
def test_flux_refuses_it_as_kustomize_does(repo: RenderWorld, built):
    tree = {"app/a.yaml": TWICE} | ({"app/kustomization.yaml": "resources: [a.yaml]\n"} if built else {})

    with pytest.raises(RenderFailed, match=r"stands twice|already defined"):
        repo.objects(tree, "app", FLUX)


def test_value_files_and_chart_files_are_read_as_helm_reads_them(repo: RenderWorld):
    tree = PRINTS | {
        "Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\nversion: 0.2.0\n",
        "values.yaml": "k: first\nk: last\n",
        "charts/s/Chart.yaml": "apiVersion: v2\nname: s\nname: s\nversion: 0.1.0\n",
    }

    assert repo.objects(tree)[0]["data"] == {"k": "last"}


@pytest.mark.parametrize("spec", [RenderSpec(), FLUX], ids=["argocd", "flux"])
def test_of_a_kustomization_kustomize_takes_the_last(repo: RenderWorld, spec):
    tree = {"kustomization.yaml": "resources: [a.yaml]\nresources: [b.yaml]\n", "b.yaml": config_map("b")}

    assert [item["metadata"]["name"] for item in repo.objects(tree, ".", spec)] == ["b"]


def test_many_of_them_are_one_remark_for_each_text(repo: RenderWorld):
    keys = "".join(f"  k{number}: a\n  k{number}: b\n" for number in range(50))
    tree = {"a.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{keys}"}

    (remark,) = repo.rendered(repo.commit(tree)).remarks

    assert "(and 49 more)" in remark


@pytest.mark.parametrize("text", ["no", "yes", "on", "off", "y", "n", "NO", "'no'"])
def test_a_word_in_a_flux_folder_is_the_text_that_kustomize_reads(repo: RenderWorld, text):
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, labels: {{country: {text}}}}}\n"

    (found,) = repo.objects({"app/a.yaml": manifest}, "app", FLUX)

    assert found["metadata"]["labels"] == {"country": text.strip("'")}


@pytest.mark.parametrize("text", ["true", "1", "1.5"])
def test_what_kustomize_reads_as_no_text_is_refused(repo: RenderWorld, text):
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, labels: {{country: {text}}}}}\n"

    with pytest.raises(RenderFailed, match="labels must map text to text"):
        repo.objects({"app/a.yaml": manifest}, "app", FLUX)


@pytest.mark.parametrize("manifest", [{"kind": "ConfigMap"}, {"metadata": {"name": "a"}}, [1], "text"])
def test_a_file_that_is_no_object_fails_a_flux_folder(repo: RenderWorld, manifest):
    with pytest.raises(RenderFailed):
        repo.objects({"app/a.yaml": config_map("a"), "app/b.yaml": json.dumps(manifest)}, "app", FLUX)


def test_a_name_that_is_no_text_is_called_that(repo: RenderWorld):
    with pytest.raises(RenderFailed, match=r"metadata.name is no text; quote it"):
        repo.objects({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: no}\n"})
