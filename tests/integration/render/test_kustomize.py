"""Kustomizations render with kustomize itself, over exactly the files that they name."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import Image, KustomizeOptions, Patch, RenderSpec
from tests.servers.rendering import RenderWorld, config_map

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.0"}
"""
EIGHT = '[{"op": "replace", "path": "/spec/replicas", "value": 8}]'
IMAGE = ("spec", "template", "spec", "containers", 0, "image")
TREE = {
    "base/kustomization.yaml": "resources: [deployment.yaml]\n",
    "base/deployment.yaml": DEPLOYMENT,
    "over/kustomization.yaml": "resources: [../base]\ncommonAnnotations: {a: file}\nlabels:\n- pairs: {l: file}\n",
    "over/p.yaml": "- {op: replace, path: /spec/replicas, value: 7}\n",
    "extra/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -extra\n",
}


def with_options(**options):
    return RenderSpec(kustomize=KustomizeOptions(**options))


@pytest.mark.parametrize(
    ("options", "place", "value"),
    [
        ({"name_prefix": "p-", "name_suffix": "-s"}, ("metadata", "name"), "p-web-s"),
        ({"namespace": "shop"}, ("metadata", "namespace"), "shop"),
        ({"replicas": (("web", 5),)}, ("spec", "replicas"), 5),
        ({"images": (Image("nginx", new_tag="2.0"),)}, IMAGE, "nginx:2.0"),
        ({"images": (Image("nginx", new_name="r/n", digest="sha256:" + "0" * 64),)}, IMAGE, "r/n@sha256:" + "0" * 64),
        ({"images": (Image("nginx", new_tag="$ARGOCD_APP_NAME"),)}, IMAGE, "nginx:web"),
        ({"labels": (("team", "x"),)}, ("spec", "selector", "matchLabels"), {"app": "web", "team": "x"}),
        (
            {"labels": (("team", "x"),), "label_without_selector": True},
            ("spec", "selector", "matchLabels"),
            {"app": "web"},
        ),
        (
            {"labels": (("team", "${ARGOCD_APP_NAME}"),), "label_without_selector": True},
            ("metadata", "labels"),
            {"l": "file", "team": "web"},
        ),
        (
            {"labels": (("team", "x"),), "label_without_selector": True, "label_include_templates": True},
            ("spec", "template", "metadata", "labels"),
            {"app": "web", "team": "x"},
        ),
        (
            {"labels": (("l", "x"),), "label_without_selector": True, "force_labels": True},
            ("metadata", "labels"),
            {"l": "x"},
        ),
        (
            {"annotations": (("b", "$ARGOCD_APP_NAME"),)},
            ("metadata", "annotations"),
            {"a": "file", "b": "$ARGOCD_APP_NAME"},
        ),
        (
            {"annotations": (("b", "$ARGOCD_APP_NAME $$x"),), "annotations_envsubst": True},
            ("metadata", "annotations", "b"),
            "web $x",
        ),
        ({"annotations": (("a", "x"),), "force_annotations": True}, ("metadata", "annotations"), {"a": "x"}),
        ({"patches": (Patch(path="p.yaml", target=(("kind", "Deployment"),)),)}, ("spec", "replicas"), 7),
        ({"patches": (Patch(patch=EIGHT, target=(("kind", "Deployment"),)),)}, ("spec", "replicas"), 8),
        ({"components": ("../extra",)}, ("metadata", "name"), "web-extra"),
        ({"components": ("../no",), "ignore_missing_components": True}, ("metadata", "name"), "web"),
    ],
)
def test_the_applications_options_are_laid_over_the_kustomization(repo: RenderWorld, options, place, value):
    (found,) = repo.objects(TREE, "over", with_options(**options))
    for part in place:
        found = found[part]

    assert found == value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"annotations": (("a", "x"),)}, "annotation 'a'.*forceCommonAnnotations"),
        ({"labels": (("l", "x"),), "label_without_selector": True}, "label 'l'.*forceCommonLabels"),
        ({"labels": (("t", "x"),), "label_include_templates": True}, "labelWithoutSelector"),
        ({"components": ("../no",)}, "holds no kustomization.yaml"),
        ({"patches": (Patch(path="no.yaml"),)}, "no.yaml' does not exist|names 'over/no.yaml', which does not exist"),
    ],
)
def test_options_that_do_not_fit_are_refused(repo: RenderWorld, options, message):
    with pytest.raises(RenderFailed, match=message):
        repo.objects(TREE, "over", with_options(**options))


EVERY_REFERENCE = {
    "app/kustomization.yaml": """\
resources: [a.yaml, sub]
components: [../component]
crds: [crd.json]
configurations: [config.yaml]
patches: [{path: patch.yaml}]
configMapGenerator:
- {name: g, files: [f.txt, key=g.txt], envs: [e.env]}
- {name: h, env: h.env}
replacements: [{path: replacement.yaml}]
openapi: {path: schema.json}
""",
    "app/a.yaml": config_map("a"),
    "app/sub/kustomization.yml": "resources: [b.yaml]\n",
    "app/sub/b.yaml": config_map("b"),
    "component/Kustomization": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -c\n",
    "app/crd.json": "{}",
    "app/config.yaml": "{}",
    "app/patch.yaml": config_map("a", x="y"),
    "app/f.txt": "f",
    "app/g.txt": "g",
    "app/e.env": "E=1",
    "app/h.env": "H=1",
    "app/replacement.yaml": "- source: {kind: ConfigMap, name: a, fieldPath: data.x}\n"
    "  targets: [{select: {kind: ConfigMap, name: b}, fieldPaths: [data.z], options: {create: true}}]\n",
    "app/schema.json": '{"definitions": {}}',
}
UNRELATED = {"app/README.md": "x", "other/kustomization.yaml": "resources: []\n"}


def test_the_closure_is_every_file_that_the_graph_names_and_no_other(repo: RenderWorld):
    closure = repo.closure(repo.commit(EVERY_REFERENCE | UNRELATED), "app")

    assert not closure.whole
    assert [entry.path for entry in closure.entries] == sorted(EVERY_REFERENCE)
    assert len(repo.objects(EVERY_REFERENCE | UNRELATED, "app")) == 4


@pytest.mark.parametrize("path", sorted(EVERY_REFERENCE))
def test_a_change_of_any_named_file_changes_the_digest(repo: RenderWorld, path):
    before = repo.closure(repo.commit(EVERY_REFERENCE), "app")
    content = EVERY_REFERENCE[path]
    changed = content + " " if path.endswith(("json", "txt", "env")) else content + "# changed\n"

    after = repo.closure(repo.commit(EVERY_REFERENCE | {path: changed}), "app")

    assert before.digest != after.digest


def test_an_unrelated_change_leaves_the_digest(repo: RenderWorld):
    before = repo.closure(repo.commit(EVERY_REFERENCE), "app")

    assert repo.closure(repo.commit(EVERY_REFERENCE | UNRELATED), "app").digest == before.digest


def test_what_plug_in_configuration_reads_is_an_input(repo: RenderWorld):
    tree = {
        "app/kustomization.yaml": "resources: [a.yaml]\ntransformers: [t.yaml]\n",
        "app/a.yaml": config_map("a"),
        "app/t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\n"
        "path: p.yaml\ntarget: {kind: ConfigMap}\n",
        "app/p.yaml": "- {op: add, path: /data, value: {hidden: input}}\n",
    }

    closure = repo.closure(repo.commit(tree), "app")
    (found,) = repo.objects(tree, "app")

    assert "app/p.yaml" in {entry.path for entry in closure.entries}
    assert not closure.whole
    assert found["data"] == {"hidden": "input"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("resources: [no.yaml]\n", r"app/kustomization.yaml: resources names 'app/no.yaml', which does not exist"),
        ("resources: [../folder]\n", "holds no kustomization.yaml"),
        ("resources: [.]\n", "own folder"),
        ("resources: [..]\n", "own folder or one above"),
        ("resources: 7\n", "resources must be a list"),
        ("resources: [1\n", "app/kustomization.yaml: line 2: no YAML"),
        ("namePrefix: [x]\nresources: [a.yaml]\n", "kustomize build app"),
    ],
)
def test_a_broken_kustomization_says_which_file_and_what(repo: RenderWorld, content, message):
    with pytest.raises(RenderFailed, match=message):
        repo.objects({"app/kustomization.yaml": content, "app/a.yaml": config_map("a"), "folder/x": ""}, "app")


def test_messages_of_kustomize_name_paths_of_the_repository(repo: RenderWorld):
    with pytest.raises(RenderFailed) as caught:
        repo.objects({"app/kustomization.yaml": "resources: [a.yaml]\nfoo: 1\n", "app/a.yaml": config_map("a")}, "app")

    assert "/job" not in str(caught.value)
    assert "/shm" not in str(caught.value)
