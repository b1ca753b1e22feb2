"""What both dialects say about an application's own end."""

from __future__ import annotations

import pytest

from gitops_workers.core.prune.deletion_request import Cascade, Deleting
from tests.unit.dialects.manifests import APPLICATION, KUSTOMIZATION, REPOSITORY, changed, errors, only, parse_values

RESOURCES = "resources-finalizer.argocd.argoproj.io"


@pytest.mark.parametrize(
    ("finalizers", "cascade"),
    [
        ([], Cascade.ORPHAN),
        (["example.com/keep"], Cascade.ORPHAN),
        ([RESOURCES], Cascade.FOREGROUND),
        ([f"{RESOURCES}/foreground"], Cascade.FOREGROUND),
        ([f"{RESOURCES}/background"], Cascade.BACKGROUND),
        ([f"{RESOURCES}/background", RESOURCES], Cascade.BACKGROUND),
        ([f"{RESOURCES}/orphan"], Cascade.ORPHAN),
        (["post-delete-finalizer.argocd.argoproj.io/cleanup"], Cascade.ORPHAN),
    ],
)
def test_argo_cds_finalizers(finalizers, cascade):
    app = only(parse_values(changed(APPLICATION, "metadata.finalizers", finalizers)))

    assert app.deleting == Deleting(cascade, waits=True)
    assert app.refusal == ""


@pytest.mark.parametrize(
    ("text", "seconds", "remarks"),
    [
        ("2026-01-31T12:00:00Z", 1769860800.0, 0),
        ("2026-01-31T13:00:00+01:00", 1769860800.0, 0),
        ("2026-01-31T12:00:00", 0.0, 1),
        ("yes", 0.0, 1),
    ],
)
def test_argo_cds_approval(text, seconds, remarks):
    app = only(
        parse_values(changed(APPLICATION, "metadata.annotations", {"argocd.argoproj.io/deletion-approved": text}))
    )

    assert (app.deleting.approved_at, len(app.conditions)) == (seconds, remarks)


@pytest.mark.parametrize(
    ("options", "option"),
    [([], ""), (["Delete=true"], ""), (["Delete=false"], "false"), (["Delete=true", "Delete=confirm"], "confirm")],
)
def test_argo_cds_option_for_all_objects(options, option):
    app = only(parse_values(changed(APPLICATION, "spec.syncPolicy.syncOptions", options)))

    assert (app.deleting.option, app.refusal) == (option, "")
    assert len(app.conditions) == max(0, len(options) - 1)


@pytest.mark.parametrize(
    ("policy", "prune", "expected"),
    [
        (None, True, Deleting(Cascade.BACKGROUND)),
        (None, False, Deleting()),
        ("MirrorPrune", True, Deleting(Cascade.BACKGROUND)),
        ("MirrorPrune", False, Deleting()),
        ("Delete", False, Deleting(Cascade.BACKGROUND)),
        ("WaitForTermination", False, Deleting(Cascade.BACKGROUND, waits=True, timeout=180.0)),
        ("Orphan", True, Deleting()),
    ],
)
def test_flux_deletion_policies(policy, prune, expected):
    spec = {**KUSTOMIZATION["spec"], "prune": prune, "timeout": "3m", "deletionPolicy": policy}
    app = only(parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec", spec)))

    assert (app.deleting, app.refusal, app.conditions) == (expected, "", ())


def test_another_flux_policy_is_an_error():
    assert errors(parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec.deletionPolicy", "Never")))
