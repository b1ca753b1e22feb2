"""Helm charts render as Argo CD renders them, without network and without a cluster."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import HelmOptions, HelmParameter, RenderSpec
from tests.servers.rendering import RenderWorld

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  v: {{ .Values.v | quote }}
  kind: {{ kindOf .Values.v }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  has: {{ .Capabilities.APIVersions.Has "apps/v1" | quote }}
  list: {{ .Values.list | default list | join "+" | quote }}
  lookup: {{ lookup "v1" "Secret" "x" "y" | toJson | quote }}
"""
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
    "chart/values.yaml": "v: chart\n",
    "chart/templates/a.yaml": TEMPLATE,
    "chart/env/one.yaml": "v: one\n",
    "chart/env/two.yaml": "v: two\n",
    "shared/all.yaml": "v: shared\n",
}
HOOK = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: %s}\n"
CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.example.com}\n"


def helm(**options):
    return RenderSpec(helm=HelmOptions(**options))


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, "chart"),
        ({"value_files": ("env/one.yaml",)}, "one"),
        ({"value_files": ("env/one.yaml", "../shared/all.yaml")}, "shared"),
        ({"value_files": ("/shared/all.yaml", "env/one.yaml")}, "one"),
        ({"value_files": ("env/*.yaml",)}, "two"),
        ({"value_files": ("env/two.yaml", "env/*.yaml")}, "one"),
        ({"value_files": ("/**/all.yaml",)}, "shared"),
        ({"value_files": ("no.yaml", "env/one.yaml"), "ignore_missing_value_files": True}, "one"),
        ({"value_files": ("env/one.yaml",), "values": "v: values\n"}, "values"),
        ({"values": "v: values\n", "values_object": '{"v": "object"}'}, "object"),
        ({"values": "v: values\n", "parameters": (HelmParameter("v", "parameter"),)}, "parameter"),
        ({"parameters": (HelmParameter("v", "a,b"),)}, "a,b"),
        ({"parameters": (HelmParameter("v", "$ARGOCD_APP_NAME-$$x-${NO}"),)}, "web-$x-"),
        ({"parameters": (HelmParameter("v", "$KUBE_VERSION"),)}, "1.37.2"),
        ({"file_parameters": (("v", "env/one.yaml"),)}, "v: one\n"),
    ],
)
def test_the_later_source_of_a_value_wins(repo: RenderWorld, options, value):
    (found,) = repo.objects(CHART, "chart", helm(**options))

    assert found["data"]["v"] == value


@pytest.mark.parametrize(("force", "kind"), [(False, "int64"), (True, "string")])
def test_a_parameter_is_text_only_when_forced(repo: RenderWorld, force, kind):
    (found,) = repo.objects(CHART, "chart", helm(parameters=(HelmParameter("v", "7", force_string=force),)))

    assert found["data"]["kind"] == kind


def test_helms_own_lists_stay_lists(repo: RenderWorld):
    (found,) = repo.objects(CHART, "chart", helm(parameters=(HelmParameter("list", "{a,b}"),)))

    assert found["data"]["list"] == "a+b"


def test_release_and_capabilities_are_those_of_the_destination(repo: RenderWorld):
    (found,) = repo.objects(CHART, "chart")

    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("web", "shop")
    assert found["data"]["kube"] == "v1.37.2"
    assert found["data"]["has"] == "true"
    assert found["data"]["lookup"] == "{}"


def test_a_release_name_of_its_own(repo: RenderWorld):
    (found,) = repo.objects(CHART, "chart", helm(release_name="api", namespace="other", kube_version="1.30.0"))

    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("api", "other")
    assert found["data"]["kube"] == "v1.30.0"


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, ["ConfigMap", "CustomResourceDefinition", "Job", "Pod"]),
        ({"skip_crds": True}, ["ConfigMap", "Job", "Pod"]),
        ({"skip_tests": True}, ["ConfigMap", "CustomResourceDefinition", "Job"]),
    ],
)
def test_crds_and_tests_come_unless_skipped_and_hooks_always(repo: RenderWorld, options, kinds):
    job = (HOOK % "pre-install").replace("Pod", "Job").replace("name: t", "name: j")
    extra = {"chart/crds/x.yaml": CRD, "chart/templates/tests/t.yaml": HOOK % "test", "chart/templates/j.yaml": job}

    assert sorted(item["kind"] for item in repo.objects(CHART | extra, "chart", helm(**options))) == kinds


LIBRARY = {
    "lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\n"
    "dependencies:\n- {name: deep, version: 0.1.0, repository: 'file://../deep'}\n",
    "lib/templates/l.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-lib}\n",
    "deep/Chart.yaml": "apiVersion: v2\nname: deep\nversion: 0.1.0\n",
    "deep/templates/d.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-deep}\n",
}


def depends(repository: str) -> str:
    return CHART["chart/Chart.yaml"] + f"dependencies:\n- {{name: lib, version: 0.1.0, repository: '{repository}'}}\n"


def test_charts_of_the_same_repository_are_dependencies_without_a_download(repo: RenderWorld):
    tree = CHART | LIBRARY | {"chart/Chart.yaml": depends("file://../lib")}

    closure = repo.closure(repo.commit(tree), "chart")

    assert set(LIBRARY) <= {entry.path for entry in closure.entries}
    assert sorted(item["metadata"]["name"] for item in repo.objects(tree, "chart")) == ["from-deep", "from-lib", "web"]


def test_a_dependency_that_would_be_downloaded_says_what_to_do(repo: RenderWorld):
    with pytest.raises(RenderFailed, match=r"missing in charts/ directory: lib.*helm dependency update"):
        repo.objects(CHART | {"chart/Chart.yaml": depends("https://charts.example.com")}, "chart")


def test_a_vendored_dependency_is_used(repo: RenderWorld):
    vendored = {f"chart/charts/{path}": text for path, text in LIBRARY.items() if path.startswith("lib/templates")}
    vendored["chart/charts/lib/Chart.yaml"] = "apiVersion: v2\nname: lib\nversion: 0.1.0\n"

    objects = repo.objects(CHART | vendored | {"chart/Chart.yaml": depends("https://charts.example.com")}, "chart")

    assert sorted(item["metadata"]["name"] for item in objects) == ["from-lib", "web"]


def part(folder: str, name: str, version: str = "0.1.0", shows: str = "") -> dict[str, str]:
    """A chart in a folder, with one object that says which chart it is of."""
    shown = shows or f"from-{folder.rpartition('/')[2]}"
    return {
        f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n",
        f"{folder}/templates/x.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {shown}}}\n",
    }


def archive(files: dict[str, str]) -> tuple[str, bytes]:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return ("100644", data.getvalue())


def needs(*names: str, more: str = "") -> str:
    entries = [f"{{name: {name}, version: 0.1.0, repository: 'file://../{name}'}}" for name in names]
    return f"apiVersion: v2\nname: chart\nversion: 0.1.0\ndependencies: [{', '.join(entries)}{more}]\n"


@pytest.mark.parametrize("order", [("web", "web-extra"), ("web-extra", "web"), ("web", "web-1.2.3", "web-extra")])
def test_names_that_begin_alike_are_different_charts(repo: RenderWorld, order):
    tree = {"chart/Chart.yaml": needs(*order)}
    for name in order:
        tree |= part(name, name)

    assert {item["metadata"]["name"] for item in repo.objects(tree, "chart")} == {f"from-{name}" for name in order}


VENDORED: dict[str, tuple[Any, str]] = {
    "an archive of another chart": (
        {"charts/common-db-0.1.0.tgz": archive(part("common-db", "common-db"))},
        "from-common",
    ),
    "an archive of this chart": ({"charts/common-0.1.0.tgz": archive(part("packed", "common"))}, "from-packed"),
    "an archive by any name": ({"charts/x.tgz": archive(part("packed", "common"))}, "from-packed"),
    "a folder by any name": (part("charts/other", "common"), "from-other"),
    "a folder of another chart": (part("charts/common", "different", shows="beside"), "from-common"),
}


@pytest.mark.parametrize("case", VENDORED)
def test_a_vendored_chart_counts_by_its_own_name(repo: RenderWorld, case):
    vendored, expected = VENDORED[case]
    tree = {"chart/Chart.yaml": needs("common")} | {f"chart/{path}": content for path, content in vendored.items()}
    tree |= part("common", "common")

    found = {item["metadata"]["name"] for item in repo.objects(tree, "chart")}

    assert expected in found
    assert "from-packed" not in found or "from-common" not in found


def test_a_vendored_chart_stands_in_for_a_folder_that_is_not_there(repo: RenderWorld):
    tree = {"chart/Chart.yaml": needs("common")} | part("chart/charts/common", "common")
    assert [item["metadata"]["name"] for item in repo.objects(tree, "chart")] == ["from-common"]
    with pytest.raises(RenderFailed, match=r"common holds no Chart\.yaml"):
        repo.objects({"chart/Chart.yaml": needs("common")}, "chart")


def test_one_name_may_be_two_folders(repo: RenderWorld):
    more = ", {name: common, alias: b, version: 0.2.0, repository: 'file://../second'}"
    tree = {"chart/Chart.yaml": needs("common", more=more)} | part("common", "common")
    tree |= part("second", "common", "0.2.0")

    assert {item["metadata"]["name"] for item in repo.objects(tree, "chart")} == {"from-common", "from-second"}


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_requirements_of_helm_2_replace_those_of_the_chart(repo: RenderWorld, api):
    tree = {
        "chart/Chart.yaml": needs("gone").replace("v2", api),
        "chart/requirements.yaml": "dependencies: [{name: old, version: 0.1.0, repository: 'file://../old'}]\n",
    }
    assert [item["metadata"]["name"] for item in repo.objects(tree | part("old", "old"), "chart")] == ["from-old"]

    kept = {"chart/Chart.yaml": needs("old"), "chart/requirements.yaml": "# nothing\n"}
    assert [item["metadata"]["name"] for item in repo.objects(kept | part("old", "old"), "chart")] == ["from-old"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"value_files": ("no.yaml",)}, "'no.yaml' matches no file.*ignoreMissingValueFiles"),
        ({"value_files": ("env/x*.yaml",)}, "matches no file"),
        ({"value_files": ("$other/values.yaml",)}, "another source"),
        ({"file_parameters": (("v", "no.txt"),)}, "does not exist"),
        ({"values": "- 1\n"}, "one YAML mapping"),
        ({"release_name": "Not A Name"}, "release name"),
    ],
)
def test_what_does_not_fit_is_refused(repo: RenderWorld, options, message):
    with pytest.raises(RenderFailed, match=message):
        repo.objects(CHART, "chart", helm(**options))


def test_a_template_error_comes_in_helms_own_words(repo: RenderWorld):
    with pytest.raises(RenderFailed, match=r"helm template chart: .*templates/b.yaml.*the answer is 42") as caught:
        repo.objects(CHART | {"chart/templates/b.yaml": '{{ fail "the answer is 42" }}'}, "chart")

    assert "/job" not in str(caught.value)


def test_a_file_name_that_is_known_only_at_the_render_makes_the_whole_commit_an_input(repo: RenderWorld):
    spec = helm(value_files=("env/$ARGOCD_APP_PROJECT_NAME.yaml",))
    tree = CHART | {"chart/env/default.yaml": "v: project\n"}

    assert repo.closure(repo.commit(tree), "chart", spec).whole
    assert repo.objects(tree, "chart", spec)[0]["data"]["v"] == "project"


@pytest.mark.parametrize(
    "options",
    [
        {"parameters": (HelmParameter("db.password", "s3cr3t-W0rd"),)},
        {"values": "db:\n  password: s3cr3t-W0rd\n"},
        {"values_object": '{"db": {"password": "s3cr3t-W0rd"}}'},
    ],
)
@pytest.mark.parametrize(
    "files",
    [
        {"chart/values.schema.json": '{"properties": {"db": {"properties": {"password": {"pattern": "^[0-9]+$"}}}}}'},
        {"chart/templates/a.yaml": "{{ fail .Values.db.password }}"},
        {"chart/templates/a.yaml": "x: {{ include .Values.db.password . }}"},
    ],
)
def test_a_password_that_the_chart_dislikes_is_in_no_message(repo: RenderWorld, options, files):
    with pytest.raises(RenderFailed) as caught:
        repo.objects({**CHART, **files}, "chart", helm(**options))

    assert "***" in str(caught.value)
    assert "s3cr3t-W0rd" not in str(caught.value)
