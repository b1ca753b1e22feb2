"""When the last sync's failure is a condition of an Argo CD application."""

from dataclasses import replace

import pytest

from gitops_workers.core.model import Condition, Phase, SyncStatus
from gitops_workers.core.status.rows import OperationView, Status
from gitops_workers.core.status.sync_error import with_sync_error

ROW = Status(
    *("application/argocd/a", "argocd", "default", "prod", "shop", "https://git.example/a.git", "."),
    revision="c2",
    sync=SyncStatus.OUT_OF_SYNC,
)
OTHER = Condition("SharedResourceWarning", "shared")
NAMED = Condition("SyncError", "the prune was refused")


def operation(phase: Phase, revision: str = "c2") -> OperationView:
    return OperationView(phase, "hook Job shop/migrate failed", revision, "", "2027-01-15T08:00:00Z")


@pytest.mark.parametrize(
    ("changes", "types"),
    [
        ({"operation": operation(Phase.FAILED)}, ["SyncError"]),
        ({"operation": operation(Phase.ERROR)}, ["SyncError"]),
        ({"operation": operation(Phase.FAILED), "sync": SyncStatus.SYNCED}, ["SyncError"]),
        ({"operation": operation(Phase.FAILED), "sync": SyncStatus.UNKNOWN}, ["SyncError"]),
        ({"operation": operation(Phase.FAILED), "conditions": (OTHER,)}, ["SharedResourceWarning", "SyncError"]),
        ({"operation": operation(Phase.FAILED), "conditions": (NAMED,)}, ["SyncError"]),
        ({"operation": operation(Phase.FAILED, "c1")}, []),
        ({"operation": operation(Phase.RUNNING)}, []),
        ({"operation": operation(Phase.SUCCEEDED)}, []),
        ({"operation": operation(Phase.FAILED), "dialect": "flux"}, []),
        ({}, []),
    ],
)
def test_a_failed_sync_of_the_commit_that_is_shown_is_a_condition(changes, types):
    assert [item.type for item in with_sync_error(replace(ROW, **changes))] == types


def test_the_condition_says_which_commit_and_why():
    [condition] = with_sync_error(replace(ROW, operation=operation(Phase.FAILED)))
    assert condition.message == "Failed last sync attempt to c2: hook Job shop/migrate failed"
