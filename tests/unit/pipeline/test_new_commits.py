"""A newer commit replaces what is going on, or waits for its end where the application says so; deadlines end it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.model import AppId, Dialect, Phase, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.status.rows import OperationView
from gitops_workers.pipeline.catalogue.refresh import refresh
from gitops_workers.ports import Urgency
from gitops_workers.services.explain import explanation_of
from tests.unit.pipeline.catalogue.test_refresh import APPLICATION, ID, TextCatalogue
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config, deployment, values

READY = {
    "observedGeneration": 1,
    **dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), 1),
    "conditions": [{"type": "Available", "status": "True"}],
}
SLOW = ObjectKey("apps", "Deployment", "shop", "slow")


@pytest.fixture
def lab() -> Lab:
    return Lab()


def operation(lab: Lab, app: AppId) -> OperationView:
    view = lab.status(app).operation
    assert view is not None
    return view


def waiting(lab: Lab, dialect: Dialect = Dialect.ARGOCD, **sync: Any) -> tuple[AppId, str, str]:
    """An application in the middle of its first commit, which a second one has followed."""
    first = lab.push(deployment("slow", 0), config("a", wave=1))
    app = lab.declare(dialect, finish_first=True, wait=True, **sync)
    lab.run()
    assert operation(lab, app).phase is Phase.RUNNING
    second = lab.push(deployment("slow", 0), config("a", "2", wave=1))
    lab.poll_repository()
    return app, first, second


@pytest.mark.parametrize("dialect", Dialect)
def test_the_running_operation_is_finished_first_and_the_newer_commit_follows_at_once(
    lab: Lab, dialect: Dialect
) -> None:
    app, first, second = waiting(lab, dialect)
    assert (operation(lab, app).phase, operation(lab, app).revision) == (Phase.RUNNING, first)
    told = dict(explanation_of(lab.state, lab.queue, lab.status(app)).sections)
    assert told["Revision"][1].startswith(f"{second} is newer and waits for the running operation")
    lab.cluster.put_status(SLOW, READY)
    done = lab.run(7)
    assert not [what for what in done if what.startswith("poll repository")], "nobody had to find the commit again"
    assert (operation(lab, app).phase, operation(lab, app).revision) == (Phase.SUCCEEDED, second)
    assert values(lab) == {"a": "2"}
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert [entry.revision for entry in stored.record.history] == [first, second]


def test_an_operation_past_its_deadline_makes_room_for_the_newer_commit(lab: Lab) -> None:
    app, first, second = waiting(lab, timeout=30.0)
    lab.run(28)
    assert operation(lab, app).revision == first
    lab.run(10)
    (failure,) = [event.message for event in lab.state.events(app) if event.reason == "OperationFailed"]
    assert failure.startswith("Not healthy after 3")
    assert (operation(lab, app).phase, operation(lab, app).revision) == (Phase.RUNNING, second)


def test_a_changed_manifest_is_not_kept_waiting(lab: Lab) -> None:
    app, _, second = waiting(lab)
    declared = lab.applications[app]
    lab.applications[app] = replace(declared, sync=replace(declared.sync, finish_first=False))
    lab.enroll()
    lab.queue.request(app, "its manifest changed", Urgency.POLL)
    lab.run()
    assert operation(lab, app).revision == second


def test_a_repository_that_does_not_answer_keeps_nothing_going(lab: Lab) -> None:
    """The operation ends with the outage, as every other one does; what follows is the newest commit."""
    app, _, second = waiting(lab)
    lab.repository.down = "connection refused"
    lab.now += 1.0
    lab.queue.request(app, "look", Urgency.MANUAL)
    lab.run()
    assert operation(lab, app).phase is Phase.ERROR
    lab.repository.down = ""
    lab.run(20)
    assert operation(lab, app).revision == second


def test_a_deadline_of_the_installation_ends_an_argocd_operation(lab: Lab) -> None:
    lab.context = replace(lab.context, sync_timeout=40.0)
    lab.push(deployment("slow", 0), config("a", wave=1))
    automated = APPLICATION + "  syncPolicy: {automated: {}, retry: {limit: 0}}\n"
    refresh(lab.context, [TextCatalogue(automated)])
    lab.run(39)
    assert operation(lab, ID).phase is Phase.RUNNING
    lab.run(6)
    assert operation(lab, ID).phase is Phase.FAILED
    assert operation(lab, ID).message.startswith("Not healthy after 4")
    assert lab.status(ID).sync is SyncStatus.OUT_OF_SYNC


def test_another_deadline_is_read_without_a_change_of_the_manifests(lab: Lab) -> None:
    catalogue = TextCatalogue(APPLICATION)
    refresh(lab.context, [catalogue])
    refresh(replace(lab.context, sync_timeout=40.0), [catalogue])
    app = lab.state.application(ID)
    assert app is not None
    assert app.sync.timeout == 40.0
