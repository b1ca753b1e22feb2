"""A Flux Kustomization renders as kustomize-controller renders it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import (
    Image,
    KustomizeMerge,
    KustomizeOptions,
    Patch,
    RenderSpec,
    Substitution,
    Tool,
)
from tests.servers.rendering import CONTEXT, RenderWorld, config_map


def flux(substitution=None, common_labels=(), **options):
    return RenderSpec(
        tool=Tool.KUSTOMIZE,
        kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX, **options),
        substitution=substitution,
        common_labels=common_labels,
    )


def names(objects):
    return sorted(item["metadata"]["name"] for item in objects)


KUSTOMIZATION = "kustomization.yaml"
GENERATED = {
    "apps/a.yaml": config_map("a"),
    "apps/deep/b.yml": config_map("b") + "---\n" + config_map("c"),
    "apps/rooted/kustomization.yaml": "resources: [d.yaml]\n",
    "apps/rooted/d.yaml": config_map("d"),
    "apps/rooted/not-named.yaml": "this: is not a manifest\n",
    "apps/notes.txt": "x",
    "apps/empty.yaml": "# nothing\n",
    "elsewhere/e.yaml": config_map("e"),
}


def test_without_a_kustomization_every_manifest_below_the_path_counts(repo: RenderWorld):
    assert names(repo.objects(GENERATED, "./apps", flux())) == ["a", "b", "c", "d"]


def test_the_generated_kustomization_takes_the_options_too(repo: RenderWorld):
    assert names(repo.objects(GENERATED, "./apps", flux(name_prefix="p-"))) == ["p-a", "p-b", "p-c", "p-d"]


def test_a_file_that_is_no_manifest_fails_the_build(repo: RenderWorld):
    with pytest.raises(RenderFailed, match=r"apps/values.yaml: apiVersion is missing"):
        repo.objects(GENERATED | {"apps/values.yaml": "replicas: 3\n"}, "./apps", flux())


@pytest.mark.parametrize(
    ("name", "text"), [("notes.txt", "x"), *((KUSTOMIZATION, text) for text in ("namespace: x", ""))]
)
def test_nothing_to_build_is_an_empty_result(repo: RenderWorld, name, text):
    assert repo.objects({f"apps/{name}": text}, "./apps", flux()) == []


def test_files_beside_the_root_may_be_read_within_the_repository(repo: RenderWorld):
    tree = {"apps/kustomization.yaml": "resources: [../shared/a.yaml]\n", "shared/a.yaml": config_map("a")}

    assert names(repo.objects(tree, "./apps", flux())) == ["a"]


def test_images_merge_by_name_and_tag_and_digest_are_one_unit(repo: RenderWorld):
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c, image: 'nginx:1'}]\n"
    overrides = "images:\n- {name: nginx, newName: mirror/nginx, digest: 'sha256:" + "0" * 64 + "'}\n"
    tree = {"apps/kustomization.yaml": "resources: [p.yaml]\n" + overrides, "apps/p.yaml": pod}

    (found,) = repo.objects(tree, "./apps", flux(images=(Image("nginx", new_tag="2"),)))

    assert found["spec"]["containers"][0]["image"] == "mirror/nginx:2"


def test_patches_are_appended_and_namespace_overwrites(repo: RenderWorld):
    tree = {
        "apps/kustomization.yaml": "namespace: file\nresources: [a.yaml]\npatches: [{path: p.yaml}]\n",
        "apps/a.yaml": config_map("a", x="'1'"),
        "apps/p.yaml": config_map("a", x="'2'"),
    }
    patch = Patch(patch='[{"op": "add", "path": "/data/y", "value": "3"}]', target=(("kind", "ConfigMap"),))

    (found,) = repo.objects(tree, "./apps", flux(namespace="ours", patches=(patch,)))

    assert found["data"] == {"x": "2", "y": "3"}
    assert found["metadata"]["namespace"] == "ours"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5", 5), ("true", True), ('"5"', "5"), ("web", "web"), ("a\nb", "ab"), ("{x: 1}", {"x": 1})],
)
def test_a_variables_text_decides_the_type_as_in_flux(repo: RenderWorld, value, expected):
    substitution = Substitution(variables=(("v", value),))

    (found,) = repo.objects({"a.yaml": config_map("a", x="'${v}'")}, ".", flux(substitution))

    assert found["data"]["x"] == expected


def test_inline_variables_win_over_those_of_sources(repo: RenderWorld):
    context = replace(CONTEXT, variables=(("v", "source"), ("w", "source")))
    substitution = Substitution(variables=(("v", "inline"),))

    (found,) = repo.objects({"a.yaml": config_map("a", x="${v}-${w}")}, ".", flux(substitution), context=context)

    assert found["data"]["x"] == "inline-source"


@pytest.mark.parametrize("mark", ["labels", "annotations"])
def test_an_object_may_opt_out(repo: RenderWorld, mark):
    disabled = "{kustomize.toolkit.fluxcd.io/substitute: disabled}"
    manifest = config_map("a", x="${v}").replace("  name: a\n", f"  name: a\n  {mark}: {disabled}\n")

    (found,) = repo.objects({"a.yaml": manifest}, ".", flux(Substitution(variables=(("v", "1"),))))

    assert found["data"]["x"] == "${v}"


def test_without_variables_nothing_is_touched(repo: RenderWorld):
    (found,) = repo.objects({"a.yaml": config_map("a", x="${v} $$y")}, ".", flux(Substitution()))

    assert found["data"]["x"] == "${v} $$y"


def test_always_substitutes_even_without_variables(repo: RenderWorld):
    (found,) = repo.objects({"a.yaml": config_map("a", x="${v:=d} $$y")}, ".", flux(Substitution(always=True)))

    assert found["data"]["x"] == "d $y"


def test_an_unset_variable_names_the_object_and_itself(repo: RenderWorld):
    with pytest.raises(RenderFailed, match="ConfigMap a: variable 'no' is not set"):
        repo.objects({"a.yaml": config_map("a", x="${no}")}, ".", flux(Substitution(variables=(("v", "1"),))))


def test_a_value_that_breaks_the_object_is_not_shown(repo: RenderWorld):
    context = replace(CONTEXT, variables=(("v", "canary: [7f3a"),))

    with pytest.raises(RenderFailed, match="no YAML after substitution") as caught:
        repo.objects({"a.yaml": config_map("a", x="${v}")}, ".", flux(Substitution()), context=context)

    assert "canary" not in str(caught.value)


def test_common_metadata_overrides_and_stays_out_of_templates(repo: RenderWorld):
    manifest = config_map("a").replace("  name: a\n", "  name: a\n  labels: {team: file, kept: x}\n")

    (found,) = repo.objects({"a.yaml": manifest}, ".", flux(common_labels=(("team", "ours"),)))

    assert found["metadata"]["labels"] == {"team": "ours", "kept": "x"}


IGNORED = {
    "apps/a.yaml": config_map("a"),
    "apps/b.yaml": config_map("b"),
    ".github/w.yaml": "on: push\n",
    "apps/.travis.yml": "language: c\n",
    "apps/x/c.yaml": config_map("c"),
}


@pytest.mark.parametrize(
    ("files", "spec", "expected"),
    [
        ({}, None, ["a", "b", "c"]),
        ({".sourceignore": "apps/b.yaml\n.github/\n.travis.yml\n"}, None, ["a", "c"]),
        ({"apps/.sourceignore": "/x\n.travis.yml\n"}, None, ["a", "b"]),
        ({}, "/*\n!/apps\n.travis.yml\nx/\n", ["a", "b"]),
        ({"apps/.sourceignore": "*.yaml\n.travis.yml\n"}, "!b.yaml\n", ["b"]),
    ],
)
def test_ignored_files_are_not_there(repo: RenderWorld, files, spec, expected):
    assert names(repo.rendered(repo.commit(IGNORED | files), "./apps", flux(), ignore=spec).objects) == expected


def test_own_patterns_replace_the_defaults(repo: RenderWorld):
    with pytest.raises(RenderFailed, match="travis"):
        repo.rendered(repo.commit(IGNORED), "./apps", flux(), ignore="nothing\n")
