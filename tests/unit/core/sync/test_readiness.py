"""When what depends on an application may go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.model import Dialect, HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.flux_view import flux_view
from gitops_workers.core.status.rows import OperationView, Status
from gitops_workers.core.sync.readiness import behind, unready
from tests.unit.core.making import application

ARGO = application(Dialect.ARGOCD)
FLUX = application(Dialect.FLUX)
GATED = application(Dialect.FLUX, wait=True)
READY = Status(
    "x", "flux", "default", "east", "shop", "", "", SyncStatus.SYNCED, revision="c2", ref="main",
    health=HealthStatus.HEALTHY,
)  # fmt: skip
CURRENT = replace(READY, health=HealthStatus.CURRENT)
ILL = replace(READY, health=HealthStatus.DEGRADED)


def operated(phase: Phase, revision: str = "c2", **changes: Any) -> Status:
    return replace(CURRENT, operation=OperationView(phase, "secret words", revision, ""), **changes)


@pytest.mark.parametrize(
    ("app", "status", "reason"),
    [
        (ARGO, READY, ""),
        (ARGO, ILL, "it is Degraded"),
        (ARGO, replace(READY, health=HealthStatus.SUSPENDED), "it is Suspended"),
        (FLUX, CURRENT, ""),
        (FLUX, ILL, ""),
        (FLUX, replace(READY, health=HealthStatus.IN_PROGRESS), ""),
        (GATED, CURRENT, ""),
        (GATED, replace(READY, health=HealthStatus.IN_PROGRESS), "it is InProgress"),
        (FLUX, replace(CURRENT, sync=SyncStatus.OUT_OF_SYNC), "it is OutOfSync"),
        (FLUX, replace(CURRENT, sync=SyncStatus.UNKNOWN), "its state is unknown now"),
        (FLUX, replace(CURRENT, sync=SyncStatus.UNKNOWN, revision=""), "nothing is known of it yet"),
        (FLUX, replace(CURRENT, suspended=True), "it is suspended: resume it or take the dependency out"),
        (replace(FLUX, refusal="no"), CURRENT, "it is refused: see its message"),
        (FLUX, operated(Phase.SUCCEEDED), ""),
        (FLUX, operated(Phase.RUNNING), "its sync is running"),
        (FLUX, operated(Phase.RUNNING, "c1"), "its sync is running"),
        (FLUX, operated(Phase.TERMINATING), "its sync is running"),
        (FLUX, operated(Phase.FAILED), "its sync has failed"),
        (FLUX, operated(Phase.ERROR), "its sync has failed"),
        (FLUX, operated(Phase.FAILED, "c1"), ""),
        (FLUX, operated(Phase.FAILED, "c1", sync=SyncStatus.OUT_OF_SYNC), "it is OutOfSync"),
    ],
)
def test_the_built_in_rule(app, status, reason):
    assert unready(app, status) == reason


@pytest.mark.parametrize(
    ("looked_at", "wanted", "listed_at", "since", "expected"),
    [
        ("c2", "c2", 1.0, 9.0, False),  # nothing was pushed since, however long ago it was looked at
        ("c1", "c2", 1.0, 9.0, True),
        ("", "c2", 0.0, 9.0, True),
        ("c3", "c2", 9.5, 9.0, False),  # it is ahead of who asks
        ("c1", "c2", 9.0, 9.0, False),  # looked at with the very same refs
        ("c1", "", 1.0, 9.0, True),
    ],
)
def test_a_dependency_in_the_same_repository_is_looked_at_first(looked_at, wanted, listed_at, since, expected):
    assert behind(looked_at, wanted, listed_at, since) is expected


def conditions(app, status) -> dict[str, str]:
    return {item["type"]: item["status"] for item in flux_view(app, status)["status"]["conditions"]}


@pytest.mark.parametrize(
    ("app", "status", "expected"),
    [
        (FLUX, CURRENT, {"Ready": "True"}),
        (FLUX, replace(CURRENT, suspended=True), {"Ready": "True"}),
        (FLUX, replace(CURRENT, sync=SyncStatus.OUT_OF_SYNC), {"Ready": "False"}),
        (FLUX, operated(Phase.RUNNING), {"Reconciling": "True", "Ready": "Unknown"}),
        (FLUX, replace(CURRENT, sync=SyncStatus.UNKNOWN, revision=""), {}),
        (GATED, CURRENT, {"Ready": "True", "Healthy": "True"}),
        (GATED, ILL, {"Ready": "False", "Healthy": "False"}),
    ],
)
def test_the_conditions_that_an_expression_reads(app, status, expected):
    assert conditions(app, status) == expected


def test_the_rest_of_what_an_expression_reads():
    app = replace(GATED, labels=(("app/version", "v2"),))

    view = flux_view(app, CURRENT)

    assert view["metadata"]["labels"] == {"app/version": "v2"}
    assert (view["metadata"]["name"], view["metadata"]["namespace"]) == ("web", "flux-system")
    assert view["metadata"]["generation"] == view["status"]["observedGeneration"] == 1
    assert view["status"]["lastAppliedRevision"] == "main@sha1:c2"
    assert view["spec"]["wait"] is True
    unseen = flux_view(app, Status("x", "flux", "default", "east", "shop", "", ""))
    assert unseen["status"] == {"observedGeneration": -1, "conditions": []}


def test_the_last_applied_revision_is_that_of_the_last_good_sync():
    pending = operated(Phase.SUCCEEDED, "c1", sync=SyncStatus.OUT_OF_SYNC)

    assert flux_view(FLUX, pending)["status"]["lastAppliedRevision"] == "main@sha1:c1"
    assert flux_view(FLUX, pending)["status"]["lastAttemptedRevision"] == "main@sha1:c2"
    broken = operated(Phase.FAILED, "c1", sync=SyncStatus.OUT_OF_SYNC)
    assert "lastAppliedRevision" not in flux_view(FLUX, broken)["status"]
