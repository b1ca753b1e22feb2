"""Who is in trouble, in which order, and which sentence says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_workers.core.model import Condition, HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import OperationView, Status
from gitops_workers.core.status.trouble import failing, reason, severity, word

WELL = Status(
    id="application/argocd/shop",
    dialect="argocd",
    project="default",
    cluster="east",
    namespace="shop",
    repository="https://git.example/shop.git",
    path="k8s",
    sync=SyncStatus.SYNCED,
    health=HealthStatus.HEALTHY,
    revision="c2",
    message="In sync with Git.",
)
DIFFERS = replace(WELL, sync=SyncStatus.OUT_OF_SYNC, message="Deployment shop/web differs")
MISSING = replace(DIFFERS, health=HealthStatus.MISSING, health_message="none of the objects exists")
UNKNOWN = replace(WELL, sync=SyncStatus.UNKNOWN, health=HealthStatus.UNKNOWN)


def ended(phase: Phase, revision: str = "c2", message: str = "Job shop/migrate failed") -> OperationView:
    return OperationView(phase, message, revision, "2026-11-23T10:00:00Z")


@pytest.mark.parametrize(
    ("status", "bad", "said"),
    [
        (WELL, False, "In sync with Git."),
        (replace(MISSING, operation=ended(Phase.FAILED)), True, "Job shop/migrate failed"),
        (replace(MISSING, operation=ended(Phase.ERROR)), True, "Job shop/migrate failed"),
        (replace(WELL, operation=ended(Phase.FAILED)), True, "Job shop/migrate failed"),
        (replace(WELL, operation=ended(Phase.FAILED, "c1")), False, "In sync with Git."),
        (replace(WELL, operation=ended(Phase.SUCCEEDED)), False, "In sync with Git."),
        (replace(MISSING, conditions=(Condition("ComparisonError", "no such branch"),)), True, "no such branch"),
        (
            replace(
                DIFFERS,
                operation=ended(Phase.FAILED),
                conditions=(Condition("ComparisonError", "no such branch"),),
            ),
            True,
            "Job shop/migrate failed",
        ),
        (replace(WELL, health=HealthStatus.DEGRADED, health_message="no progress"), True, "no progress"),
        (replace(WELL, health=HealthStatus.FAILED, health_message="stalled"), True, "stalled"),
        (MISSING, False, "Deployment shop/web differs"),
        (replace(WELL, health=HealthStatus.PROGRESSING, health_message="1 of 2"), False, "1 of 2"),
        (replace(WELL, conditions=(Condition("SharedResourceWarning", "two want it"),)), False, "two want it"),
        (replace(UNKNOWN, message="the repository does not answer"), True, "the repository does not answer"),
        (replace(UNKNOWN, message=""), False, ""),
        (replace(UNKNOWN, message="Suspended: nothing is done.", suspended=True), False, "Suspended: nothing is done."),
    ],
)
def test_a_row_is_in_trouble_and_says_why(status: Status, bad: bool, said: str) -> None:
    assert (failing(status), reason(status)) == (bad, said)


def test_the_worst_comes_first() -> None:
    rows = [
        replace(MISSING, operation=ended(Phase.FAILED)),
        replace(DIFFERS, conditions=(Condition("SyncError", "refused"),)),
        replace(WELL, health=HealthStatus.DEGRADED),
        replace(UNKNOWN, message="the repository does not answer"),
        DIFFERS,
        replace(WELL, health=HealthStatus.PROGRESSING),
        WELL,
    ]
    places = [severity(row) for row in rows]
    assert places == sorted(places)
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (WELL, "Synced"),
        (DIFFERS, "OutOfSync"),
        (replace(DIFFERS, operation=ended(Phase.RUNNING)), "Running"),
        (replace(DIFFERS, operation=ended(Phase.FAILED)), "Failed"),
        (replace(UNKNOWN, message="Suspended: nothing is done.", suspended=True), "Suspended"),
    ],
)
def test_one_word_says_how_a_task_ended(status: Status, said: str) -> None:
    assert word(status) == said
