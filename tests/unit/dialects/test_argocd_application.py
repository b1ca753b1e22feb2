"""An Argo CD Application means here what it means to Argo CD."""

import json

import pytest

from gitops_workers.core.model import Dialect, IgnoreRule, RevisionKind
from gitops_workers.core.render.render_spec import HelmParameter, Image, Patch, Tool
from tests.unit.dialects.manifests import APPLICATION, application, changed, error_paths, errors, parse_values, remarks


def test_a_small_application_gets_argo_cds_defaults():
    app = application()

    assert (app.id, app.name, app.namespace) == ("application/argocd/shop", "shop", "argocd")
    assert app.dialect is Dialect.ARGOCD
    assert app.project == "default"
    assert (app.source.revision.kind, app.source.revision.value) == (RevisionKind.ARGOCD, "")
    assert app.render.tool is None
    assert (app.schedule.interval, app.schedule.jitter) == (120.0, 60.0)
    assert not app.sync.automated
    assert app.history_limit == 10
    assert (app.conditions, app.refusal) == ((), "")
    assert app.origin == "0.yaml"


@pytest.mark.parametrize(
    "revision", ["HEAD", "main", "v1.2.0", "refs/pull/1/head", "prod-*", ">=1.0.0 <2.0.0", "a" * 40]
)
def test_every_form_of_revision_is_kept_as_written(revision):
    assert application("spec.source.targetRevision", revision).source.revision.value == revision


def test_a_directory_source():
    render = application("spec.source.directory", {"recurse": True, "include": "*.yaml", "jsonnet": {}}).render

    assert render.tool is Tool.DIRECTORY
    assert (render.directory.recurse, render.directory.include, render.directory.exclude) == (True, "*.yaml", "")


@pytest.mark.parametrize(
    "block", [{"directory": {}}, {"helm": {}}, {"kustomize": {}}, {"directory": {"recurse": False}}]
)
def test_an_empty_tool_block_leaves_the_choice_to_the_files(block):
    source = {**APPLICATION["spec"]["source"], **block}

    assert application("spec.source", source).render.tool is None


def test_two_tools_at_once_are_an_error():
    source = {**APPLICATION["spec"]["source"], "helm": {"values": "a: 1"}, "kustomize": {"namePrefix": "a-"}}

    assert error_paths(parse_values(changed(APPLICATION, "spec.source", source))) == ["spec.source"]


def test_a_helm_source():
    helm = application(
        "spec.source.helm",
        {
            "releaseName": "web",
            "namespace": "release",
            "valueFiles": ["values.yaml", "../common.yaml", "/root.yaml", "https://example.com/v.yaml"],
            "values": "a: 1",
            "valuesObject": {"b": {"c": [1, True]}},
            "parameters": [{"name": "x", "value": "1"}, {"name": "y", "value": "2", "forceString": True}],
            "fileParameters": [{"name": "f", "path": "files/f.txt"}],
            "skipCrds": True,
            "version": "v3",
            "kubeVersion": "1.37",
            "apiVersions": ["apps/v1"],
        },
    )

    assert helm.render.tool is Tool.HELM
    options = helm.render.helm
    assert (options.release_name, options.namespace, options.skip_crds) == ("web", "release", True)
    assert options.value_files == ("values.yaml", "../common.yaml", "/root.yaml", "https://example.com/v.yaml")
    assert json.loads(options.values_object) == {"b": {"c": [1, True]}}
    assert options.parameters == (HelmParameter("x", "1"), HelmParameter("y", "2", True))
    assert options.file_parameters == (("f", "files/f.txt"),)
    assert helm.conditions == ()


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("app:v2", Image("app", "", "v2")),
        ("app=other", Image("app", "other")),
        ("app=registry:5000/team/app:v2", Image("app", "registry:5000/team/app", "v2")),
        ("registry:5000/team/app:v2", Image("registry:5000/team/app", "", "v2")),
        ("app@sha256:abc", Image("app", "", "", "sha256:abc")),
        ("app=new:v2@sha256:abc", Image("app", "new", "v2", "sha256:abc")),
        ("app=*:v2", Image("app", "", "v2")),
    ],
)
def test_kustomize_images_are_read_as_kustomize_edit_reads_them(text, image):
    assert application("spec.source.kustomize.images", [text]).render.kustomize.images == (image,)


@pytest.mark.parametrize("text", ["", "app", "=new:v1", "app:", "app = x"])
def test_an_image_override_that_says_nothing_is_an_error(text):
    parsed = parse_values(changed(APPLICATION, "spec.source.kustomize.images", ["ok:1", text]))

    assert error_paths(parsed) == ["spec.source.kustomize.images[1]"]


def test_a_kustomize_source():
    options = application(
        "spec.source.kustomize",
        {
            "namePrefix": "a-",
            "nameSuffix": "-z",
            "commonLabels": {"team": "shop"},
            "commonAnnotations": {"note": "x"},
            "namespace": "inner",
            "replicas": [{"name": "web", "count": "3"}, {"name": "db", "count": 1}],
            "patches": [
                {
                    "patch": "- op: remove",
                    "target": {"kind": "Deployment", "labelSelector": "a=b"},
                    "options": {"allowNameChange": True},
                },
                {"path": "p.yaml"},
            ],
            "components": ["../components/tls"],
        },
    ).render.kustomize

    assert (options.name_prefix, options.name_suffix, options.namespace) == ("a-", "-z", "inner")
    assert (options.labels, options.annotations) == ((("team", "shop"),), (("note", "x"),))
    assert options.replicas == (("web", 3), ("db", 1))
    assert options.patches == (
        Patch("- op: remove", "", (("kind", "Deployment"), ("labelSelector", "a=b")), (("allowNameChange", True),)),
        Patch(path="p.yaml"),
    )
    assert options.components == ("../components/tls",)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.source.plugin", {"name": "x"}),
        ("spec.source.chart", "podinfo"),
        ("spec.source.tagPrefix", "web-"),
        ("spec.source.directory.jsonnet", {"libs": ["a"]}),
        ("spec.sources", [APPLICATION["spec"]["source"], APPLICATION["spec"]["source"]]),
        ("spec.sourceHydrator", {"drySource": APPLICATION["spec"]["source"]}),
        ("spec.source.repoURL", "oci://registry.example.com/shop"),
    ],
)
def test_a_field_for_later_that_matters_is_named_and_stops_the_sync(path, value):
    app = application(path, value)

    assert path in app.refusal
    assert any(path in condition.message for condition in app.conditions)


def test_a_hydrated_application_is_shown_by_its_dry_source():
    spec = {**APPLICATION["spec"], "sourceHydrator": {"drySource": APPLICATION["spec"]["source"]}}
    del spec["source"]

    app = application("spec", spec)

    assert app.source.path == "deploy"
    assert "spec.sourceHydrator" in app.refusal


def test_a_single_member_of_sources_is_the_source():
    app = application("spec.sources", [{"repoURL": "https://git.example.com/other", "path": "x"}])

    assert (app.source.url, app.source.path, app.refusal) == ("https://git.example.com/other", "x", "")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.info", [{"name": "a", "value": "b"}]),
        ("spec.source.kustomize.version", "v4"),
        ("spec.source.helm.passCredentials", True),
        ("metadata.finalizers", ["resources-finalizer.argocd.argoproj.io/orphan"]),
        ("metadata.annotations", {"notifications.argoproj.io/subscribe.on-sync.slack": "x"}),
        ("operation", {"sync": {}}),
    ],
)
def test_a_field_for_later_that_changes_no_object_gets_a_condition_only(path, value):
    app = application(path, value)

    assert app.refusal == ""
    assert len(app.conditions) == 1


def test_skip_reconcile_suspends():
    assert application("metadata.annotations", {"argocd.argoproj.io/skip-reconcile": "true"}).schedule.suspended


def test_an_exported_application_is_accepted():
    value = changed(
        APPLICATION,
        "metadata",
        {
            "name": "shop",
            "namespace": "argocd",
            "uid": "1",
            "resourceVersion": "7",
            "generation": 2,
            "managedFields": [{}],
            "creationTimestamp": "now",
        },
    )
    value["status"] = {"sync": {"status": "Synced"}}

    assert errors(parse_values(value)) == []
    assert remarks(parse_values(value)) == []


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        (None, "spec.destination: the field is missing"),
        ({}, "found neither of server and name"),
        ({"server": "https://a", "name": "b"}, "found both of server and name"),
        ({"server": "https://a", "namespace": "Not_Valid"}, "spec.destination.namespace: found 'Not_Valid'"),
    ],
)
def test_a_destination_names_exactly_one_cluster(destination, message):
    (found,) = errors(parse_values(changed(APPLICATION, "spec.destination", destination)))

    assert message in found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.source.path", "/etc"),
        ("spec.source.path", "../other"),
        ("spec.source.path", "a/../../x"),
        ("spec.source.path", "a\0b"),
        ("spec.source.path", ""),
        ("spec.source.repoURL", ""),
        ("spec.source.repoURL", "-oProxyCommand=x"),
        ("spec.source.repoURL", "ext::sh -c x"),
        ("spec.source.repoURL", "ext::sh"),
        ("spec.source.repoURL", "https://h\nost/x"),
        ("spec.source.repoURL", "git://git.example.com/x"),
        ("spec.source.targetRevision", "--upload-pack=touch X"),
        ("spec.source.helm.valueFiles", ["../../x.yaml"]),
        ("spec.source.kustomize.components", ["https://example.com/x"]),
    ],
)
def test_what_would_leave_its_bounds_is_refused_at_its_field(path, value):
    (found,) = error_paths(parse_values(changed(APPLICATION, path, value)))

    assert found.startswith(path)


def test_every_problem_is_told_at_once_with_the_nearest_name():
    broken = changed(APPLICATION, "spec.sorce", {"repoURL": "x"})
    broken = changed(broken, "spec.source.path", "../x")
    broken = changed(broken, "spec.source.helm", {"values": 3, "parametres": []})
    broken = changed(broken, "spec.syncPolicy.syncOptions", ["Nope=1"])
    broken = changed(broken, "metadata.name", "Shop")

    found = errors(parse_values(broken))

    assert "spec.sorce: unknown field 'sorce': did you mean 'source'?" in found
    assert "spec.source.helm.parametres: unknown field 'parametres': did you mean 'parameters'?" in found
    assert "spec.source.helm.values: found a number, allowed is a text: put it in quotes." in found
    assert {path.partition(":")[0] for path in found} >= {"metadata.name"}


def test_errors_between_fields_are_told_beside_errors_of_single_fields():
    broken = changed(APPLICATION, "spec.revisionHistoryLimit", "ten")
    broken = changed(broken, "spec.source.path", "../x")
    broken = changed(broken, "spec.syncPolicy.syncOptions", ["Nope=1"])
    broken = changed(broken, "spec.destination", {})

    assert error_paths(parse_values(broken)) == [
        "spec.revisionHistoryLimit",
        "spec.destination",
        "spec.syncPolicy.syncOptions[0]",
        "spec.source.path",
    ]


def test_a_wrong_type_is_told_without_the_value_which_may_be_secret():
    parsed = parse_values(changed(APPLICATION, "spec.source.helm.parameters", [{"name": "password", "value": 46664}]))

    (message,) = errors(parsed)
    assert "46664" not in message
    assert "put it in quotes" in message


def test_credentials_in_a_url_stay_out_of_messages():
    parsed = parse_values(
        changed(APPLICATION, "spec.source.targetRevision", "--x=https://bot:hunter2@git.example.com/")
    )

    (message,) = errors(parsed)
    assert "hunter2" not in message


def test_differences_to_leave_alone():
    app = application(
        "spec.ignoreDifferences",
        [
            {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]},
            {
                "group": "*",
                "kind": "*",
                "name": "web",
                "namespace": "shop",
                "jqPathExpressions": [".webhooks[].clientConfig"],
                "managedFieldsManagers": ["vpa"],
            },
        ],
    )

    assert not app.refusal
    assert app.ignore == (
        IgnoreRule("apps", "Deployment", pointers=("/spec/replicas",)),
        IgnoreRule("*", "*", "web", "shop", jq=(".webhooks[].clientConfig",), managers=("vpa",)),
    )


def test_a_pointer_that_is_none_is_an_error():
    parsed = parse_values(changed(APPLICATION, "spec.ignoreDifferences", [{"kind": "A", "jsonPointers": ["spec"]}]))

    assert [problem.path for problem in parsed.problems] == ["spec.ignoreDifferences[0].jsonPointers[0]"]
