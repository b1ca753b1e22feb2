"""The repository patterns and environment strategies that guides teach are accepted as they are written there."""

from pathlib import Path

import pytest

from gitops_workers.core.model import RevisionKind, RevisionSpec
from gitops_workers.dialects import parse
from gitops_workers.dialects.validation import validate
from tests.unit.dialects.manifests import error_paths, load

PATTERNS = Path(__file__).parents[2] / "fixtures" / "patterns"


def pattern(name):
    return parse(load((PATTERNS / name).read_bytes(), name))


@pytest.mark.parametrize("path", sorted(PATTERNS.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_complete_manifest_has_an_error(path):
    problems = validate({path.name: path.read_bytes()}, load)

    assert [problem for problem in problems if not problem.known] == []


def test_a_branch_for_each_environment():
    argo, flux = pattern("branch-per-environment.yaml").applications

    assert argo.source.revision == RevisionSpec(RevisionKind.ARGOCD, "prod")
    assert (argo.project, argo.sync.automated) == ("default", False)
    assert flux.source.revision == RevisionSpec(RevisionKind.BRANCH, "prod")
    assert flux.schedule.interval == 60.0


def test_a_directory_for_each_environment():
    dev, prod = pattern("directory-per-environment.yaml").applications

    assert dev.source.path == prod.source.path.replace("prod", "dev") == "k8s/overlays/dev"
    assert (dev.sync.automated, dev.sync.prune, dev.sync.self_heal, dev.sync.create_namespace) == (True,) * 4
    assert prod.sync.prune
    assert prod.schedule.interval == 300.0


def test_tags_that_match_a_pattern():
    (app,) = pattern("tag-promotion.yaml").applications

    assert app.source.revision == RevisionSpec(RevisionKind.ARGOCD, "prod-*")
    assert app.id == "application/argocd/web-prod"


def test_a_platform_repository_with_a_folder_for_each_cluster():
    (app,) = pattern("platform-repository.yaml").applications

    assert app.source.path == "clusters/prod-us-east"
    assert app.schedule.interval == 600.0
    assert not app.sync.prune
    assert app.refusal == ""


def test_a_manual_gate_is_a_suspended_kustomization():
    (app,) = pattern("manual-gate.yaml").applications

    assert app.schedule.suspended


def test_decryption_is_shown_and_not_ignored():
    _, secret = pattern("for-later.yaml").applications

    assert "spec.decryption" in secret.refusal


def test_ordering_names_what_it_cannot_find():
    ordered, _ = pattern("for-later.yaml").applications

    assert [item.id.rpartition("/")[2] for item in ordered.depends_on] == ["infrastructure", "cert-manager"]
    assert ordered.refusal == ""
    assert "infrastructure: it is not declared" in ordered.conditions[0].message


def test_a_webhook_knows_its_applications():
    (receiver,) = pattern("webhook.yaml").receivers

    assert receiver.applications == ("kustomization/flux-system/web",)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("argocd-policy", ["spec.source", "spec.destination"]),
        ("argocd-source", ["spec.destination"]),
        ("flux-suspended", ["spec.sourceRef"]),
        ("flux-pinned", ["spec.url"]),
    ],
)
def test_a_fragment_is_refused_with_the_missing_field_named(name, missing):
    fragments = load((PATTERNS.parent / "fragments.yaml").read_bytes(), "fragments.yaml")
    (fragment,) = [document for document in fragments if document.text("metadata", "name") == name]

    assert error_paths(parse([fragment])) == missing
