"""A directory source renders as in Argo CD: which files, in which order, and what is refused."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import DirectoryOptions, RenderSpec
from tests.servers.rendering import RenderWorld, config_map

TREE = {
    "m/a.yaml": config_map("a"),
    "m/b.yml": config_map("b"),
    "m/c.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
    "m/notes.txt": "no manifest",
    "m/sub/d.yaml": config_map("d"),
    "m/sub/env-x.yaml": config_map("env-x"),
    "other/z.yaml": config_map("z"),
}


def names(objects):
    return [item["metadata"]["name"] for item in objects]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (DirectoryOptions(), ["a", "b", "c"]),
        (DirectoryOptions(recurse=True), ["a", "b", "c", "d", "env-x"]),
        (DirectoryOptions(recurse=True, include="*.yaml"), ["a", "d", "env-x"]),
        (DirectoryOptions(recurse=True, exclude="sub/*"), ["a", "b", "c"]),
        (DirectoryOptions(recurse=True, include="*.yaml", exclude="{a.yaml,sub/env-*}"), ["d"]),
        (DirectoryOptions(recurse=True, include="?.y[am]*"), ["a", "b"]),
    ],
)
def test_files_are_chosen_by_extension_and_globs(repo: RenderWorld, options, expected):
    assert names(repo.objects(TREE, "m", RenderSpec(directory=options))) == expected


def test_a_file_that_asks_to_be_skipped_is_skipped(repo: RenderWorld):
    values = "# +argocd:skip-file-rendering\nreplicas: {{ .x }}\n"

    assert names(repo.objects({"a.yaml": config_map("a"), "values.yaml": values})) == ["a"]


def test_values_are_read_as_kubectl_reads_them(repo: RenderWorld):
    (found,) = repo.objects({"a.yaml": config_map("a", on="22:22", off="1e3", date="2026-01-02")})

    assert found["data"] == {"true": "22:22", "false": 1000, "date": "2026-01-02"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("apiVersion: v1\nkind: ConfigMap\n", "ConfigMap has no metadata.name"),
        ("apiVersion: v1\nmetadata: {name: forgotten}\n", r"a\.yaml: kind is missing"),
        (config_map("x") + "---\nkind: Pod\n", r"a\.yaml, document 2: apiVersion is missing"),
        (config_map("x") + "---\na: 1\n", r"a\.yaml, document 2: apiVersion is missing"),
        ("a: 1\n---\n" + config_map("x"), r"a\.yaml, document 1: apiVersion is missing"),
        (config_map("x") + "---\njust text\n", "is no object"),
        (config_map("x") + "---\na: [1\n", r"a\.yaml: line \d+: no YAML"),
        ('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}\n---\na: [1\n', "no YAML"),
        ("# apiVersion: kind: metadata:\na: [\n", "no YAML"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n", "metadata.name is no text"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: 1}}", "labels must map text to text"),
    ],
)
def test_what_is_no_object_is_refused_by_place(repo: RenderWorld, content, message):
    with pytest.raises(RenderFailed, match=message):
        repo.objects({"a.yaml": content})


FOREIGN = {
    "the configuration of another program": "extends: [config:base]\nkind: 7\n",
    "a list": "- 1\n- a: 2\n",
    "a text": "just text",
    "a template": "{{- range .Values.x }}\na: {{ . }}\n{{- end }}\n",
    "what is no YAML": "a: [1\n",
    "an object without a kind": "apiVersion: v2\nname: chart\n",
    "nothing": "# nothing\n---\n---\n",
    "two documents of another program": "a: 1\n---\nb: 2\n",
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_yaml_file_that_is_no_manifest_is_passed_over(repo: RenderWorld, case):
    assert names(repo.objects({"a.yaml": config_map("a"), "foreign.yaml": FOREIGN[case]})) == ["a"]


@pytest.mark.parametrize("content", ['{"extends": []}', "[1]", "{", "1"])
def test_a_json_file_that_is_no_manifest_is_refused(repo: RenderWorld, content):
    with pytest.raises(RenderFailed, match=r"package\.json"):
        repo.objects({"a.yaml": config_map("a"), "package.json": content})


@pytest.mark.parametrize("empty", ["items: null\n", "items:\n", "items: []\n", "metadata: {}\nitems: ~\n"])
def test_an_empty_typed_list_holds_nothing(repo: RenderWorld, empty):
    tree = {"a.yaml": config_map("a"), "b.yaml": f"apiVersion: v1\nkind: ConfigMapList\n{empty}"}

    assert names(repo.objects(tree)) == ["a"]


def test_an_object_that_has_items_of_its_own_is_one(repo: RenderWorld):
    (found,) = repo.objects({"a.yaml": config_map("a") + "items:\nspec: {}\n"})

    assert found["items"] is None


def test_of_an_object_that_stands_twice_the_last_counts_where_that_is_asked_for(repo: RenderWorld):
    tree = {"a.yaml": config_map("x", v="1"), "b.yaml": config_map("other"), "c.yaml": config_map("x", v="2")}
    tree["d.yaml"] = config_map("x", v="3")
    with pytest.raises(RenderFailed, match=r"x stands twice: a\.yaml and c\.yaml"):
        repo.objects(tree)

    rendered = repo.rendered(repo.commit(tree), render=RenderSpec(last_object=True))

    assert [(item["metadata"]["name"], item.get("data")) for item in rendered.objects] == [
        ("other", None),
        ("x", {"v": 3}),
    ]
    assert rendered.repeated == (
        "ConfigMap x stands twice: a.yaml and c.yaml; the last one counts.",
        "ConfigMap x stands twice: c.yaml and d.yaml; the last one counts.",
    )


def test_jsonnet_is_refused_with_a_way_on(repo: RenderWorld):
    with pytest.raises(RenderFailed, match=r"Jsonnet is not supported.*exclude"):
        repo.objects({"a.jsonnet": "{}"})


def test_the_manifests_together_stay_under_ten_megabytes(repo: RenderWorld):
    large = "# " + "x" * (6 << 20) + "\n"

    with pytest.raises(RenderFailed, match="more than 10,485,760"):
        repo.objects({"a.yaml": large + config_map("a"), "b.yaml": large + config_map("b")})


def test_a_hook_may_have_only_a_generated_name(repo: RenderWorld):
    metadata = "{generateName: migrate-, annotations: {argocd.argoproj.io/hook: PreSync}}"
    hook = f"apiVersion: batch/v1\nkind: Job\nmetadata: {metadata}\n"

    (found,) = repo.objects({"a.yaml": hook})

    assert found["metadata"]["generateName"] == "migrate-"


@pytest.mark.parametrize("path", ["missing", "m/missing"])
def test_a_missing_path_says_what_there_is(repo: RenderWorld, path):
    at = repo.commit(TREE)

    with pytest.raises(RenderFailed, match=rf'path "{path}" does not exist at main \({at.commit[:7]}\).*holds'):
        repo.rendered(at, path)


@pytest.mark.parametrize("name", [".argocd-source.yaml", ".argocd-source-web.yaml"])
def test_parameter_override_files_are_refused_not_ignored(repo: RenderWorld, name):
    with pytest.raises(RenderFailed, match="not supported"):
        repo.objects({f"m/{name}": "helm: {}", "m/a.yaml": config_map("a")}, "m")


def test_an_override_file_elsewhere_is_none_of_ours(repo: RenderWorld):
    tree = {"m/a.yaml": config_map("a"), "m/.argocd-source-api.yaml": "{}", ".argocd-source.yaml": "{}"}

    assert names(repo.objects(tree, "m", RenderSpec(directory=DirectoryOptions(include="a.yaml")))) == ["a"]
