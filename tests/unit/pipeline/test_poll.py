"""Polls find what changed, also when nobody rings."""

from __future__ import annotations

import pytest

from gitops_workers.core.grouping import repository_group
from gitops_workers.ports import Urgency
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()


def value(lab: Lab) -> str | None:
    live = lab.live("ConfigMap", "a")
    return live["data"]["v"] if live else None


def test_a_poll_lists_anew_although_somebody_asked_long_ago(lab: Lab) -> None:
    lab.push(manifest("ConfigMap", "a", data={"v": "1"}))
    app = lab.declare()
    lab.queue.request_poll(repository_group(lab.applications[app]), Urgency.WEBHOOK)
    lab.run()
    lab.push(manifest("ConfigMap", "a", data={"v": "2"}))
    lab.run(65)
    assert value(lab) == "2"


def test_an_outage_ends_by_itself_although_somebody_asked_during_it(lab: Lab) -> None:
    lab.push(manifest("ConfigMap", "a", data={"v": "1"}))
    app = lab.declare()
    lab.run()
    lab.push(manifest("ConfigMap", "a", data={"v": "2"}))
    lab.repository.down = "connection refused"
    lab.poll_repository()
    assert "connection refused" in lab.status(app).message
    lab.repository.down = ""
    lab.run(65)
    assert value(lab) == "2"
