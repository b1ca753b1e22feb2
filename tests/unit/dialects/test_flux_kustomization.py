"""A Flux Kustomization with its GitRepository means here what it means to Flux."""

from typing import Any

import pytest

from gitops_workers.core.model import Dialect, HealthExpressions, IgnoreRule, RevisionKind, RevisionSpec
from gitops_workers.core.render.render_spec import Image, Patch, SecretRef, Substitution, Tool
from gitops_workers.dialects import Document, parse
from tests.unit.dialects.manifests import (
    KUSTOMIZATION,
    REPOSITORY,
    changed,
    error_paths,
    kustomization,
    only,
    parse_values,
    remarks,
)

CONFIG_MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "cluster-vars", "namespace": "flux-system"},
    "data": {"CLUSTER_NAME": "east", "a.key-that-is-no-variable": "x"},
}


def with_repository(path, value):
    return only(parse_values(changed(REPOSITORY, path, value), KUSTOMIZATION))


def test_a_small_kustomization_gets_the_defaults():
    app = kustomization()

    assert app.id == "kustomization/flux-system/shop"
    assert app.dialect is Dialect.FLUX
    assert app.source.url == "https://git.example.com/team/fleet.git"
    assert app.source.path == "shop"
    assert app.source.revision == RevisionSpec(RevisionKind.BRANCH, "master")
    assert app.render.tool is Tool.KUSTOMIZE
    assert app.destination.name == "in-cluster"
    assert (app.schedule.interval, app.schedule.retry_interval) == (600.0, 600.0)
    assert not app.schedule.suspended
    assert (app.sync.automated, app.sync.self_heal, app.sync.prune) == (True, True, False)
    assert app.sync.timeout == 570.0
    assert (app.conditions, app.refusal) == ((), "")


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"branch": "prod"}, RevisionSpec(RevisionKind.BRANCH, "prod")),
        ({"tag": "v1"}, RevisionSpec(RevisionKind.TAG, "v1")),
        ({"semver": ">=1.0.0"}, RevisionSpec(RevisionKind.SEMVER, ">=1.0.0")),
        ({"name": "refs/pull/1/head"}, RevisionSpec(RevisionKind.NAME, "refs/pull/1/head")),
        ({"commit": "abc123def456"}, RevisionSpec(RevisionKind.COMMIT, "abc123def456")),
        ({"commit": "a" * 40, "branch": "main"}, RevisionSpec(RevisionKind.COMMIT, "a" * 40, "main")),
        ({"branch": "main", "tag": "v1", "semver": "*"}, RevisionSpec(RevisionKind.TAG, "v1")),
        ({"name": "refs/heads/x", "tag": "v1"}, RevisionSpec(RevisionKind.NAME, "refs/heads/x")),
        ({}, RevisionSpec(RevisionKind.BRANCH, "master")),
    ],
)
def test_of_several_refs_the_one_that_fluxs_code_takes_wins(ref, expected):
    assert with_repository("spec.ref", ref).source.revision == expected


def test_what_the_repository_says_reaches_the_application():
    spec = {**REPOSITORY["spec"], "secretRef": {"name": "git-login"}, "ignore": "/*.md", "timeout": "20s"}

    source = with_repository("spec", spec).source

    assert source.credential == SecretRef("Secret", "flux-system", "git-login")
    assert (source.ignore, source.timeout) == ("/*.md", 20.0)


@pytest.mark.parametrize(
    ("repository", "own", "expected"), [("1m", "10m", 60.0), ("1h", "5m", 300.0), (None, "1h", 600.0)]
)
def test_new_commits_and_drift_share_the_shorter_interval(repository, own, expected):
    parsed = parse_values(
        changed(REPOSITORY, "spec.interval", repository), changed(KUSTOMIZATION, "spec.interval", own)
    )

    assert only(parsed).schedule.interval == expected


@pytest.mark.parametrize(
    ("repository", "own", "interval", "retry", "timeout"),
    [
        ({}, {}, 900, 900, 870),
        ({"interval": "1m"}, {}, 60, 900, 870),
        ({}, {"interval": "2m"}, 120, 120, 90),
        ({}, {"retryInterval": "1m"}, 900, 60, 870),
    ],
)
def test_the_installation_says_how_often_where_the_manifests_do_not(repository, own, interval, retry, timeout):
    values = [changed(REPOSITORY, "spec", {**REPOSITORY["spec"], **repository})]
    values.append(changed(KUSTOMIZATION, "spec", {**KUSTOMIZATION["spec"], **own}))
    app = only(parse([Document("x.yaml", value) for value in values], flux_interval=900.0))
    assert (app.schedule.interval, app.schedule.retry_interval, app.sync.timeout) == (interval, retry, timeout)


def test_everything_that_shapes_the_objects():
    spec = {
        **KUSTOMIZATION["spec"],
        "prune": True,
        "force": True,
        "wait": True,
        "timeout": "3m",
        "retryInterval": "2m",
        "targetNamespace": "shop",
        "namePrefix": "a-",
        "nameSuffix": "-z",
        "images": [{"name": "app", "newName": "other", "newTag": "v2", "digest": "sha256:abc"}],
        "patches": [{"patch": "x: 1", "target": {"kind": "Deployment"}}],
        "components": ["../tls"],
        "commonMetadata": {"labels": {"team": "shop"}, "annotations": {"a": "b"}},
        "healthChecks": [{"kind": "Deployment", "name": "web", "namespace": "shop"}],
        "deletionPolicy": "MirrorPrune",
    }

    app = kustomization("spec", spec)

    options = app.render.kustomize
    assert (options.namespace, options.name_prefix, options.name_suffix) == ("shop", "a-", "-z")
    assert options.images == (Image("app", "other", "v2", "sha256:abc"),)
    assert options.patches == (Patch("x: 1", target=(("kind", "Deployment"),)),)
    assert options.components == ("../tls",)
    assert (app.render.common_labels, app.render.common_annotations) == ((("team", "shop"),), (("a", "b"),))
    assert (app.sync.prune, app.sync.force, app.sync.wait, app.sync.timeout) == (True, True, True, 180.0)
    assert app.sync.health_checks == (("apps/v1", "Deployment", "shop", "web"),)
    assert app.schedule.retry_interval == 120.0
    assert app.destination.namespace == "shop"
    assert (app.conditions, app.refusal) == ((), "")


def test_post_build_variables_and_their_sources():
    app = kustomization(
        "spec.postBuild",
        {
            "substitute": {"b": "2", "a": "1"},
            "substituteFrom": [{"kind": "Secret", "name": "s", "optional": True}, {"kind": "ConfigMap", "name": "c"}],
            "substituteStrategy": "Always",
        },
    )

    assert app.render.substitution == Substitution(
        (("a", "1"), ("b", "2")),
        (SecretRef("Secret", "flux-system", "s", True), SecretRef("ConfigMap", "flux-system", "c")),
        always=True,
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.decryption", {"provider": "sops"}),
        ("spec.kubeConfig", {"secretRef": {"name": "x"}}),
        ("spec.serviceAccountName", "deployer"),
        ("spec.buildMetadata", ["originAnnotations"]),
    ],
)
def test_a_field_for_later_that_matters_is_named_and_stops_the_sync(path, value):
    app = kustomization(path, value)

    assert path in app.refusal
    assert path in app.conditions[0].message


@pytest.mark.parametrize(
    ("path", "value"),
    [("spec.verify", {"mode": "HEAD"}), ("spec.include", [{}])],
)
def test_a_repositorys_field_for_later_stops_its_kustomizations(path, value):
    app = with_repository(path, value)

    assert f"GitRepository flux-system/fleet: {path}" in app.refusal


@pytest.mark.parametrize("value", [True, False])
def test_submodules_are_fetched_on_request(value):
    assert with_repository("spec.recurseSubmodules", value).source.submodules is value
    assert with_repository("spec.suspend", False).source.submodules is False


def test_suspension_comes_from_either_object():
    assert kustomization("spec.suspend", True).schedule.suspended
    suspended = with_repository("spec.suspend", True)
    assert suspended.schedule.suspended
    assert "GitRepository flux-system/fleet is suspended" in suspended.conditions[0].message


def test_a_missing_repository_is_told_and_is_no_error_of_the_kustomization():
    parsed = parse_values(KUSTOMIZATION)

    app = only(parsed)
    assert "GitRepository flux-system/fleet is not in the catalogue" in app.refusal
    assert len(remarks(parsed)) == 1


def test_a_broken_repository_stops_its_kustomizations_and_says_where_to_look():
    parsed = parse_values(changed(REPOSITORY, "spec.url", "git@git.example.com:team/fleet.git"), KUSTOMIZATION)

    assert error_paths(parsed) == ["spec.url"]
    assert "has errors: see 0.yaml" in parsed.applications[0].refusal


@pytest.mark.parametrize("kind", ["OCIRepository", "Bucket"])
def test_other_kinds_of_source_stop_the_sync(kind):
    assert kind in kustomization("spec.sourceRef", {"kind": kind, "name": "x"}).refusal


def test_a_kustomization_without_a_source_is_refused_by_name_of_the_field():
    assert error_paths(parse_values(changed(KUSTOMIZATION, "spec", {"interval": "10m", "suspend": True}))) == [
        "spec.sourceRef"
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("./clusters/${CLUSTER_NAME}", "clusters/east"),
        ("./clusters/${CLUSTER_NAME}/${ZONE:=a}", "clusters/east/a"),
        ("./clusters/$CLUSTER_NAME", "clusters/$CLUSTER_NAME"),
        ("/clusters//x/", "clusters/x"),
        ("", "."),
    ],
)
def test_variables_in_the_path_come_from_a_config_map_of_the_catalogue(path, expected):
    spec = {**KUSTOMIZATION["spec"], "path": path}
    spec["postBuild"] = {"substituteFrom": [{"kind": "ConfigMap", "name": "cluster-vars"}]}

    app = only(parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec", spec), CONFIG_MAP))

    assert app.source.path == expected
    assert app.refusal == ""


def test_inline_variables_beat_those_of_sources_and_outside_ones_are_asked_first():
    spec = {**KUSTOMIZATION["spec"], "path": "${CLUSTER_NAME}/${ZONE}"}
    spec["postBuild"] = {
        "substitute": {"ZONE": "b"},
        "substituteFrom": [{"kind": "ConfigMap", "name": "cluster-vars"}],
    }
    values = [REPOSITORY, changed(KUSTOMIZATION, "spec", spec), CONFIG_MAP]
    outside = {SecretRef("ConfigMap", "flux-system", "cluster-vars"): {"CLUSTER_NAME": b"west\n", "ZONE": b"a"}}

    parsed = parse([Document("x.yaml", value) for value in values], outside.get)

    assert only(parsed).source.path == "west/b"


def test_an_unresolved_path_is_told_and_nothing_is_synced():
    spec = {**KUSTOMIZATION["spec"], "path": "./clusters/${CLUSTER_NAME}"}
    spec["postBuild"] = {"substituteFrom": [{"kind": "ConfigMap", "name": "cluster-vars"}]}

    app = only(parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec", spec)))

    assert "CLUSTER_NAME" in app.refusal
    assert "ConfigMap flux-system/cluster-vars is not found" in app.refusal


def test_no_secret_flows_into_a_path():
    spec = {**KUSTOMIZATION["spec"], "path": "./${TOKEN}"}
    spec["postBuild"] = {"substituteFrom": [{"kind": "Secret", "name": "s"}]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "flux-system"},
              "stringData": {"TOKEN": "canary"}}  # fmt: skip

    app = only(parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec", spec), secret))

    assert "canary" not in repr(app)
    assert app.refusal


@pytest.mark.parametrize("value", ["..", "../../etc", "a\nb/../../.."])
def test_a_variable_cannot_lead_the_path_out_of_the_repository(value):
    spec = {**KUSTOMIZATION["spec"], "path": "./${WHERE}", "postBuild": {"substitute": {"WHERE": value}}}

    assert error_paths(parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec", spec))) == ["spec.path"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.postBuild.substitute", {"a-b": "1"}),
        ("spec.postBuild.substituteStrategy", "Sometimes"),
        ("spec.sourceRef.kind", "HelmRepository"),
        ("spec.patches", [{"path": "x.yaml"}]),
        ("spec.retryIntervall", "1m"),
        ("metadata.labels", {"a": 1}),
    ],
)
def test_what_flux_would_not_take_is_an_error_at_its_field(path, value):
    found = error_paths(parse_values(REPOSITORY, changed(KUSTOMIZATION, path, value)))

    assert found
    assert all(item.startswith(path) for item in found)


def test_health_expressions_by_kind_and_by_group():
    app = kustomization(
        "spec.healthCheckExprs",
        [
            {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "current": "a", "failed": "b"},
            {"apiVersion": "cert-manager.io/v1beta1", "current": "c", "inProgress": "d"},
        ],
    )

    assert app.health_rules == (
        HealthExpressions("cert-manager.io", "Certificate", "a", failed="b"),
        HealthExpressions("cert-manager.io", "", "c", in_progress="d"),
    )


def test_a_kind_has_its_expressions_once_whatever_the_version():
    twice = [{"apiVersion": f"a.io/{version}", "kind": "B", "current": "true"} for version in ("v1", "v2")]

    parsed = parse_values(changed(KUSTOMIZATION, "spec.healthCheckExprs", twice), REPOSITORY)

    assert [problem.path for problem in parsed.problems] == ["spec.healthCheckExprs[1]"]


def test_fields_to_leave_alone_are_respected_by_applies_too():
    rules = [{"paths": ["/spec/replicas"], "target": {"kind": "Deployment", "labelSelector": "a=b"}}, {"paths": ["/x"]}]

    app = kustomization("spec.ignore", rules)

    assert app.sync.respect_ignored
    assert app.ignore == (
        IgnoreRule(target=(("kind", "Deployment"), ("labelSelector", "a=b")), pointers=("/spec/replicas",)),
        IgnoreRule(pointers=("/x",)),
    )


@pytest.mark.parametrize("name", ["(a+)+$", "(?=x)", ".*.*.*.*x", "[", "a{1,9}"])
def test_a_pattern_that_could_cost_a_worker_its_time_is_an_error(name: str):
    rules = [{"paths": ["/x"], "target": {"name": name}}]

    parsed = parse_values(changed(KUSTOMIZATION, "spec.ignore", rules), REPOSITORY)

    assert [problem.path for problem in parsed.problems] == ["spec.ignore[0].target.name"]


@pytest.mark.parametrize("name", ["web-.*", "web|api", "(web|api)-[0-9]+", r"web\\.v1"])
def test_patterns_that_people_write_are_fine(name: str):
    assert kustomization("spec.ignore", [{"paths": ["/x"], "target": {"name": name}}]).ignore[0].target
