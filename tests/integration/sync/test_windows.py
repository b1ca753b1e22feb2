"""Sync windows while time passes: they open by themselves, and close over what is going on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_workers.adapters.calendar import CronCalendar
from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.policy.project import AllowedDestination, Project, SyncWindow, WindowKind
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from gitops_workers.core.text.timefmt import utc
from tests.integration.sync.yard import CONFIG_MAP, Yard, config_map, deployment

DAY = 86_400.0


def adopt(yard: Yard, *windows: SyncWindow) -> None:
    """An application of a project with these windows, for which a poll comes once a day only."""
    app = yard.adopt(interval=DAY)
    limits = Project("default", source_repos=("*",), destinations=(AllowedDestination("*", "", "*"),), windows=windows)
    yard.applications[app] = replace(yard.applications[app], limits=limits)
    yard.context = replace(yard.context, calendar=CronCalendar())
    yard.enroll()


def window(kind: WindowKind, opens: float, closes: float, **options: Any) -> SyncWindow:
    """Open between these two moments, the first of which is a full minute."""
    start = datetime.fromtimestamp(opens, UTC)
    return SyncWindow(kind, f"{start.minute} {start.hour} * * *", closes - opens, applications=("*",), **options)


@pytest.mark.parametrize("kind", [WindowKind.ALLOW, WindowKind.DENY])
def test_a_window_rings_when_it_lets_a_sync_go_on_and_no_poll_has_to_come(yard: Yard, kind: WindowKind) -> None:
    minute = yard.now - yard.now % 60.0
    opens = minute + 60.0 if yard.now - minute < 40.0 else minute + 120.0
    if kind is WindowKind.ALLOW:
        adopt(yard, window(kind, opens, opens + 3600.0))
    else:
        adopt(yard, window(kind, minute - 3600.0, opens))
    yard.commit(config_map("a", v="1"))
    yard.until(lambda: yard.state.status(yard.app) and yard.status(yard.app).last_checked_at, "a look")

    status = yard.status(yard.app)
    assert status.sync is SyncStatus.OUT_OF_SYNC
    assert status.message.startswith("Sync window: ")
    assert f"Syncing goes on at {utc(opens)}." in status.message
    assert yard.get(CONFIG_MAP, "a") is None
    groups = [repository_group(yard.applications[yard.app]), cluster_group("east")]
    own, *polls = yard.queue.queue_states(yard.app, groups)
    assert own.at == pytest.approx(opens)
    assert all(poll.at is not None and poll.at > opens + 3600.0 for poll in polls), "nobody else asks"

    yard.run(opens - 1.0 - yard.now)
    assert yard.get(CONFIG_MAP, "a") is None
    yard.run(2.0)
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "a")["data"] == {"v": "1"}


@pytest.mark.parametrize("overrun", [False, True])
def test_an_operation_that_began_before_the_window_closed_goes_on_only_where_it_may_overrun(
    yard: Yard, overrun: bool
) -> None:
    closes = yard.now + 20.0
    adopt(yard, window(WindowKind.ALLOW, yard.now - yard.now % 60.0, closes, overrun=overrun))
    yard.commit(deployment("web", plays="hangs"), config_map("after", wave=1, v="1"))
    yard.until(lambda: yard.says("Waiting for Deployment.apps") and yard.pods(app="web"), "the wait")
    yard.until(lambda: yard.now > closes, "the end of the window")
    yard.release(app="web")
    if overrun:
        yard.until_synced()
        assert yard.there(CONFIG_MAP, "after")
        return
    yard.until(lambda: "no allow window is open" in yard.status(yard.app).message, "the pause")
    yard.run(120)
    assert yard.get(CONFIG_MAP, "after") is None
    assert yard.operation.phase is Phase.RUNNING, "it goes on where it stopped when the window opens again"
    yard.run(DAY)
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "after")
