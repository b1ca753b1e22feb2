"""The decision over one situation: what is done, and why not, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.model import Dialect, Phase, Resolved
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import InventoryItem
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.decision import (
    DryRun,
    HealLater,
    HeldBack,
    InSync,
    Situation,
    Sync,
    decide,
    new_operation,
)
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.pause import Pause
from gitops_workers.core.sync.request import Request, selector
from tests.unit.core.making import application

NOW = 1_000.0
WEB = ObjectKey("apps", "Deployment", "shop", "web")
LEFT_GIT = InventoryItem(ObjectKey("", "ConfigMap", "shop", "old"), "v1")
COMMIT = Resolved("b" * 40, "main")


def operation(rendered: str = "now", heals: int = 0, *, running: bool = False, **changes: Any) -> Operation:
    begun = operations.begin(
        application(), 3, COMMIT, NOW - 50, "automated sync", failures=0, consent=False, rendered=rendered, heals=heals
    )
    return replace(begun if running else operations.finish(begun, Phase.SUCCEEDED, "", NOW - 1), **changes)


def situation(dialect: Dialect = Dialect.ARGOCD, sync: dict[str, Any] | None = None, **changes: Any) -> Situation:
    """Nothing differs, and the last sync ended well, unless `changes` say otherwise."""
    value = Situation(
        app=application(dialect, **(sync or {})),
        generation=4,
        resolved=COMMIT,
        rendered="now",
        synced="before",
        differing=(),
        stale=(),
        leftover=False,
        unfinished=False,
        has_hooks=False,
        previous=None,
        request=None,
        paused=None,
    )
    return replace(value, **changes)


def request(**options: Any) -> Request:
    return Request("1", "ann", **options)


DIFFERS: dict[str, Any] = {"differing": (WEB,)}
DRIFTED: dict[str, Any] = {"differing": (WEB,), "synced": "now"}
LEFT: dict[str, Any] = {"stale": (LEFT_GIT,), "leftover": True}


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        (situation(), InSync),
        (situation(**DIFFERS), Sync),
        (situation(Dialect.FLUX, **DIFFERS), Sync),
        (situation(sync={"automated": False}, **DIFFERS), HeldBack),
        (situation(sync={"automated": False}, request=request(), **DIFFERS), Sync),
        (situation(paused=Pause(NOW, "rolled back by ann"), **DIFFERS), HeldBack),
        (situation(sync={"self_heal": False}, **DRIFTED), HeldBack),
        (situation(sync={"self_heal": True}, **DRIFTED), Sync),
        (situation(sync={"self_heal": True}, previous=operation(heals=3), **DRIFTED), HealLater),
        (situation(sync={"self_heal": True}, previous=operation(heals=3), request=request(), **DRIFTED), Sync),
        (situation(Dialect.FLUX, {"self_heal": True}, previous=operation(heals=3), **DRIFTED), Sync),
        (situation(sync={"prune": False}, **LEFT), HeldBack),
        (situation(sync={"prune": True}, **LEFT), Sync),
        (situation(stale=(LEFT_GIT,)), InSync),
        (situation(unfinished=True), Sync),
        (situation(sync={"automated": False}, unfinished=True), InSync),
        (situation(request=request()), InSync),
        (situation(request=request(), has_hooks=True), Sync),
        (situation(request=request(resources=(selector("apps:Deployment:web"),))), Sync),
        (situation(request=request(dry_run=True), **DIFFERS), DryRun),
        (situation(previous=operation(running=True)), Sync),
        (situation(sync={"automated": False}, previous=operation(running=True), **DIFFERS), Sync),
        (situation(previous=operation("other", running=True)), InSync),
    ],
)
def test_the_decision_follows_from_the_situation(found: Situation, decision: type) -> None:
    assert type(decide(found, NOW)) is decision


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (situation(sync={"automated": False}, **DIFFERS), "automated sync is off: run `gitops-workers app sync"),
        (situation(paused=Pause(NOW, "rolled back by ann"), **DIFFERS), "rolled back by ann"),
        (situation(sync={"self_heal": False}, **DRIFTED), "changed in the cluster; selfHeal is off"),
        (situation(sync={"prune": False}, **LEFT), "1 object left Git; prune is off"),
        (situation(sync={"self_heal": True}, previous=operation(heals=3), **DRIFTED), "healed 3 times, next at"),
        (situation(sync={"automated": False}, stale=(LEFT_GIT,), leftover=True, **DIFFERS), "and 1 more object"),
    ],
)
def test_a_difference_that_is_not_synced_says_why(found: Situation, words: str) -> None:
    decision = decide(found, NOW)
    assert isinstance(decision, HeldBack | HealLater)
    assert words in decision.reason


def test_a_heal_runs_no_hooks_and_a_requested_sync_does() -> None:
    drifted = situation(sync={"self_heal": True}, previous=operation(), **DRIFTED)
    decision = decide(drifted, NOW + 500)
    assert isinstance(decision, Sync)
    heal = new_operation(drifted, NOW + 500, decision.heal)
    assert (heal.hooks, heal.heals, heal.healed) == (False, 1, str(WEB))
    asked = replace(drifted, request=request())
    assert new_operation(asked, NOW, None).hooks


@pytest.mark.parametrize(
    ("previous", "approved_at", "confirmed"),
    [
        (None, NOW, False),
        (operation("other"), NOW, False),
        (operation(), NOW, True),
        (operation(), NOW - 100, False),
        (operation(running=True), NOW, False),
        (operation(running=True, consent=True), 0.0, True),
    ],
)
def test_a_confirmation_counts_from_the_start_of_the_operation_that_asked(
    previous: Operation | None, approved_at: float, confirmed: bool
) -> None:
    app = application()
    app = replace(app, deleting=replace(app.deleting, approved_at=approved_at))
    assert situation(app=app, previous=previous).confirmed is confirmed
