"""A catalogue as a whole: other kinds, Lists, identities, receivers, places of problems."""

from typing import Any

import pytest

from gitops_workers.core.source.receiver_address import hook_hash
from gitops_workers.dialects.validation import validate
from tests.unit.dialects.manifests import (
    APPLICATION,
    KUSTOMIZATION,
    REPOSITORY,
    changed,
    error_paths,
    errors,
    load,
    only,
    parse_text,
    parse_values,
    remarks,
)

RECEIVER: dict[str, Any] = {
    "apiVersion": "notification.toolkit.fluxcd.io/v1",
    "kind": "Receiver",
    "metadata": {"name": "hook"},
    "spec": {
        "type": "github",
        "events": ["push"],
        "secretRef": {"name": "webhook-token"},
        "resources": [{"kind": "GitRepository", "name": "fleet"}],
    },
}


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("argoproj.io/v1alpha1", "ApplicationSet"),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
        ("source.toolkit.fluxcd.io/v1", "Bucket"),
    ],
)
def test_a_known_kind_for_later_is_passed_over_by_name(version, kind):
    parsed = parse_values({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "apps"}})

    (remark,) = remarks(parsed)
    assert f"{kind} apps/x" in remark.message
    assert errors(parsed) == []


@pytest.mark.parametrize(
    ("version", "kind", "path"),
    [
        ("argoproj.io/v1alpha1", "Aplication", "kind"),
        ("argoproj.io/v1", "Application", "apiVersion"),
        ("kustomize.toolkit.fluxcd.io/v1beta2", "Kustomization", "apiVersion"),
        ("source.toolkit.fluxcd.io/v1", "GitRepo", "kind"),
    ],
)
def test_a_slip_in_kind_or_version_is_an_error(version, kind, path):
    assert error_paths(parse_values({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}})) == [path]


@pytest.mark.parametrize(
    "value",
    [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "x"}},
        {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"},
        {"name": "Build", "on": "push"},
        ["a", "list"],
    ],
)
def test_anything_else_is_silent_except_for_validate(value):
    parsed = parse_values(value)

    assert parsed.problems == ()
    assert len(parsed.notes) == 1


def test_lists_in_lists_are_read_member_by_member_with_their_place():
    inner = {"apiVersion": "v1", "kind": "List", "items": [APPLICATION, changed(APPLICATION, "spec.sourc", {})]}
    parsed = parse_values({"apiVersion": "v1", "kind": "List", "items": [REPOSITORY, inner]})

    assert error_paths(parsed) == ["items[1].items[1].spec.sourc"]


def test_two_applications_of_one_identity_are_both_refused():
    parsed = parse_values(APPLICATION, changed(APPLICATION, "metadata.namespace", "argocd"), APPLICATION)

    assert parsed.applications == ()
    assert list(parsed.rejected) == ["application/argocd/shop"]
    assert all("declared twice" in message for message in errors(parsed))


def test_a_broken_application_is_rejected_by_id_and_harms_no_other():
    broken = changed(APPLICATION, "metadata.name", "broken")
    broken = changed(broken, "spec.source.path", "../x")

    parsed = parse_values(broken, APPLICATION)

    assert [app.name for app in parsed.applications] == ["shop"]
    assert [problem.path for problem in parsed.rejected["application/argocd/broken"]] == ["spec.source.path"]


def test_two_repositories_of_one_identity_stop_their_kustomizations():
    parsed = parse_values(REPOSITORY, changed(REPOSITORY, "spec.url", "https://evil.example.com/x"), KUSTOMIZATION)

    assert "declared twice" in parsed.applications[0].refusal
    assert parsed.applications[0].source.url == ""


def test_config_maps_and_secrets_are_data_and_show_no_value():
    text = """
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: a}
data: {token: Y2FuYXJ5}
stringData: {other: canary}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: a}
data: {a: b}
binaryData: {x: AAE=}
"""
    secret, config = parse_text(text).configs

    assert dict(secret.data) == {"token": b"canary", "other": b"canary"}
    assert dict(config.data) == {"a": b"b", "x": b"\x00\x01"}
    assert "canary" not in repr(parse_text(text))


def test_an_encrypted_secret_has_no_values():
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"a": "ENC[x]"},
        "sops": {},
    }

    parsed = parse_values(secret)

    assert parsed.configs == ()
    assert remarks(parsed)[0].path == "sops"


@pytest.mark.parametrize("data", [{"a": "not base64!"}, {"a": 1}, [], {"a": "x" * 5}])
def test_a_broken_secret_is_an_error_without_its_value(data):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}

    (message,) = errors(parse_values(secret))
    assert "not base64!" not in message
    assert "xxxxx" not in message


def test_a_receiver_knows_the_applications_behind_its_repository():
    other = changed(changed(REPOSITORY, "metadata.name", "other"), "spec.url", "https://git.example.com/other")

    (receiver,) = parse_values(RECEIVER, REPOSITORY, other, KUSTOMIZATION, APPLICATION).receivers

    assert receiver.applications == ("kustomization/flux-system/shop",)
    assert (receiver.type, receiver.events, receiver.secret.name) == ("github", ("push",), "webhook-token")


@pytest.mark.parametrize(("labels", "found"), [({"team": "shop"}, 1), ({"team": "other"}, 0)])
def test_a_receiver_can_choose_by_label(labels, found):
    spec = {**RECEIVER["spec"], "resources": [{"kind": "Kustomization", "name": "*", "matchLabels": labels}]}
    labelled = changed(KUSTOMIZATION, "metadata.labels", {"team": "shop"})

    (receiver,) = parse_values(changed(RECEIVER, "spec", spec), REPOSITORY, labelled).receivers

    assert len(receiver.applications) == found


def test_the_address_of_a_receiver_is_fluxs():
    digest = "1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014"  # SHA-256 of "test1"
    assert hook_hash(b"te", "st", "1") == digest


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.type", "guthub"),
        ("spec.secretRef", None),
        ("spec.resources", [{"kind": "GitRepository", "name": "*"}]),
        ("spec.resources", None),
    ],
)
def test_an_incomplete_receiver_opens_no_address(path, value):
    parsed = parse_values(changed(RECEIVER, path, value))

    assert parsed.receivers == ()
    assert error_paths(parsed)[0].startswith(path)


def test_a_receiver_of_a_type_for_later_stays_closed_and_says_so():
    parsed = parse_values(changed(RECEIVER, "spec.type", "harbor"))

    assert (parsed.receivers, errors(parsed)) == ((), [])
    assert "harbor" in remarks(parsed)[0].message


def test_validate_names_file_line_and_field_of_every_problem_in_order():
    files = {
        "a.yaml": b"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: a\nspec:\n"
        b"  source:\n    repoURL: https://git.example.com/x\n    path: ../up\n  destination:\n    sever: x\n",
        "b.yaml": b"a: [",
        "c.yaml": b"# nothing\n",
    }

    found = [(problem.file, problem.line, problem.path, problem.known) for problem in validate(files, load)]

    assert found == [
        ("a.yaml", 8, "spec.source.path", False),
        ("a.yaml", 9, "spec.destination", False),
        ("a.yaml", 10, "spec.destination.sever", False),
        ("b.yaml", found[3][1], "", False),
        ("c.yaml", 0, "", True),
    ]


def test_validate_looks_at_clusters_and_repositories_too():
    secret = b"""
apiVersion: v1
kind: Secret
metadata:
  name: c
  labels: {argocd.argoproj.io/secret-type: cluster}
stringData:
  name: c
  server: http://10.0.0.1
"""
    (problem,) = validate({"c.yaml": secret}, load)

    assert problem.path == "server"
    assert "not encrypted" in problem.message


def test_the_texts_of_messages_cannot_steer_a_terminal():
    nasty = changed(APPLICATION, "spec.\x1b]8;;x\x07\u202esorce", 1)
    unknown = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "\x1b[2J\u202e"}}

    parsed = parse_values(nasty, unknown)

    assert all(str(problem).isprintable() for problem in parsed.problems)
    assert only(parse_values(APPLICATION)).name == "shop"
