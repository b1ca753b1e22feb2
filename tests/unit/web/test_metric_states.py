"""Each state of an application as metrics tell it, and the sums with their types."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.core.status.rows import OperationView, Status
from gitops_workers.core.telemetry.figures import APP_RECONCILE, APP_SYNCS, FIGURES, counted, observed
from gitops_workers.core.telemetry.presence import WORKER, Process
from tests.documents import raw
from tests.fleet import application
from tests.web_world import READ, bearer

APP = "kustomization/flux-system/apps"
SOURCE = "GitRepository/flux-system/shop"
ROW = Status(
    *(APP, "flux", "", "prod", "shop", "https://git.example.com/a.git", "."), last_checked_at="1970-01-01T00:16:00Z"
)
GOOD = {"sync": SyncStatus.SYNCED, "revision": "c2", "ref": "main", "message": "in sync"}


def families(world):
    answer = world.client().get("/metrics", headers=bearer(READ))
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def operation(phase: Phase, message: str) -> OperationView:
    return OperationView(phase, message, "c2", "2027-01-15T08:00:00Z", "2027-01-15T08:00:09Z")


@pytest.mark.parametrize(
    ("changes", "wait", "ready"),
    [
        (GOOD, False, "True"),
        ({}, False, "Unknown"),
        ({"message": "path ./gone does not exist"}, False, "False"),
        ({**GOOD, "sync": SyncStatus.UNKNOWN, "message": "kustomize build failed"}, False, "False"),
        ({**GOOD, "sync": SyncStatus.OUT_OF_SYNC, "message": "waits for kustomization infra"}, False, "False"),
        ({**GOOD, "operation": operation(Phase.RUNNING, "stage 1 of 2")}, False, "Unknown"),
        ({**GOOD, "operation": operation(Phase.FAILED, "Not healthy after 60 s")}, False, "False"),
        ({**GOOD, "health": HealthStatus.FAILED}, True, "False"),
        ({**GOOD, "health": HealthStatus.CURRENT}, True, "True"),
        ({**GOOD, "suspended": True}, False, "True"),
    ],
)
def test_a_kustomization_is_ready_when_all_of_it_is(world, changes, wait, ready):
    app = application(APP)
    world.state.save_applications([replace(app, sync=replace(app.sync, wait=wait), declared_source=SOURCE)])
    world.state.save_status(replace(ROW, **changes))
    [labels] = [
        sample.labels
        for sample in families(world)["gotk_resource_info"].samples
        if sample.labels["customresource_kind"] == "Kustomization"
    ]
    assert (labels["ready"], labels["source_name"]) == (ready, "shop")


@pytest.mark.parametrize(
    ("changes", "down", "ready"),
    [(GOOD, False, "True"), (GOOD, True, "False"), ({}, False, "Unknown"), ({"message": "refused"}, False, "False")],
)
def test_a_source_is_ready_when_it_answers(world, changes, down, ready):
    app = replace(application(APP), declared_source=SOURCE)
    world.state.save_applications([app])
    world.state.save_status(replace(ROW, **changes))
    if down:
        world.state.save(raw("outage"), repository_group(app), [APP])
    [labels] = [
        sample.labels
        for sample in families(world)["gotk_resource_info"].samples
        if sample.labels["customresource_kind"] == "GitRepository"
    ]
    revision = "main@sha1:c2" if changes == GOOD else ""
    assert (labels["name"], labels["ready"], labels["revision"]) == ("shop", ready, revision)
    assert labels["url"] == "https://git.example.com/a.git"


def test_every_figure_is_exported_with_its_type_before_anything_was_counted(world):
    found = families(world)
    for name, figure in FIGURES.items():
        family = found[name.removesuffix("_total")]
        assert family.type == ("histogram" if figure.buckets else "counter")


def test_what_several_processes_counted_is_one_sum_and_goes_with_its_application(world):
    labels = ("argocd", "shop", "default", "https://a", "Succeeded", "false")
    added = [
        *counted(APP_SYNCS, labels, app="application/argocd/shop"),
        *observed(APP_RECONCILE, ("argocd", "https://a"), 3.0),
    ]
    for name in ("one", "two"):
        world.telemetry.report(Process(WORKER, name, ("control",)), dict(added))
    found = families(world)
    assert not found["argocd_app_sync"].samples
    world.state.save_status(replace(ROW, id="application/argocd/shop", dialect="argocd"))
    [sample] = families(world)["argocd_app_sync"].samples
    assert (sample.value, sample.labels["phase"]) == (2, "Succeeded")
    for name in ("argocd_app_reconcile", "argocd_app_reconcile_duration_seconds"):
        counts = {s.labels["le"]: s.value for s in found[name].samples if s.name.endswith("_bucket")}
        assert (counts["2.0"], counts["4.0"], counts["+Inf"]) == (0, 2, 2)
        assert [s.value for s in found[name].samples if s.name.endswith("_sum")] == [6]


def test_rows_that_nobody_looked_at_are_told_by_name_and_by_number(world):
    world.now = 100_000.0
    world.state.save_status(replace(ROW, id="application/argocd/shop", dialect="argocd", interval=180.0))
    [sample] = families(world)["gitops_app_stale"].samples
    assert sample.labels["name"] == "shop"
