"""Why nothing happens now, and when something will: one sentence for each state that an application can be in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.explain.attempt_facts import AttemptFacts
from gitops_workers.core.explain.explanation import Due, Known, sections
from gitops_workers.core.explain.reasons import earlier, explain, next_look, why
from gitops_workers.core.model import HealthStatus, Phase, Resolved, SyncStatus
from gitops_workers.core.status.rows import LEFT_GIT, ClusterView, ResourceView, Status
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.core.sync.operation import Operation
from tests.unit.core.making import application

NOW = 1_800_000_000.0
COMMIT = "c" * 40
STATUS = Status(
    id="application/argocd/web",
    dialect="argocd",
    project="default",
    cluster="east",
    namespace="shop",
    repository="https://git.example/shop.git",
    path="web",
    sync=SyncStatus.SYNCED,
    revision=COMMIT,
    ref="main",
    health=HealthStatus.HEALTHY,
    message="In sync with Git.",
    last_checked_at="2027-01-15T07:59:00Z",
)
EAST = ClusterView("east", "https://east:6443", "default", True, "", 1, 0, 0, 0.0, "")
REST = (
    Due("", "idle", None),
    Due("its repository is polled", "idle", NOW + 90),
    Due("its cluster is polled for changes", "idle", NOW + 30),
)


def running(**changes: Any) -> Operation:
    begun = operations.begin(
        application(), 1, Resolved(COMMIT, "main"), NOW - 60, "ann", failures=0, consent=False, rendered="r"
    )
    return replace(begun, **changes)


POLLS = (
    "its repository is polled at 2027-01-15T08:01:30Z, in 1 min",
    "its cluster is polled for changes at 2027-01-15T08:00:30Z, in 30 s",
)


def known(**changes: Any) -> Known:
    values: dict[str, Any] = {"status": STATUS, "now": NOW, "app": application(), "cluster": EAST, "dues": REST}
    return Known(**{**values, **changes})


def row(**changes: Any) -> Status:
    return replace(STATUS, **changes)


WAITING = running(waiting_for=("Deployment.apps shop/web", "Job.batch shop/x"), shut_at=NOW - 42)
FAILED = operations.finish(running(failures=2), Phase.FAILED, "no", NOW - 5)
AWAY = replace(EAST, reachable=False, message="connection refused")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (known(), "Nothing is to be done: the cluster agrees with main at cccccccccccc."),
        (
            known(status=row(suspended=True), suspended_by="ann"),
            "It is suspended by ann: run `gitops-workers app resume application/argocd/web`.",
        ),
        (
            known(status=row(suspended=True)),
            "It is suspended by its manifest: run `gitops-workers app resume application/argocd/web`.",
        ),
        (
            known(app=replace(application(), refusal="spec.x: is not done.")),
            "Its manifest uses what this version does not support, so nothing is synced: spec.x: is not done.",
        ),
        (known(dues=(Due("", "running", NOW + 20), *REST[1:])), "A worker is at it right now."),
        (
            known(cluster=AWAY, dues=(Due("", "idle", NOW - 5), *REST[1:])),
            "Cluster east does not answer, and is asked once a minute until it does: connection refused",
        ),
        (
            known(dues=(Due("", "queued", NOW + 60), *REST[1:])),
            "It is due and waits for a free worker: see `gitops-workers cluster list` for what is in work.",
        ),
        (
            known(dues=(Due("", "idle", NOW - 1), *REST[1:])),
            "It is due and waits for a free worker: see `gitops-workers cluster list` for what is in work.",
        ),
        (known(status=row(last_checked_at="")), "Nobody has looked at it yet."),
        (
            known(status=row(sync=SyncStatus.OUT_OF_SYNC), operation=WAITING),
            "Its operation waits for Deployment.apps shop/web and 1 more since 2027-01-15T07:59:18Z, 42 s ago.",
        ),
        (
            known(
                status=row(sync=SyncStatus.UNKNOWN, message="Waiting for application/argocd/db: it is Progressing."),
                waits=frozenset({"application/argocd/db"}),
                facts=AttemptFacts(failed="Comparison"),
            ),
            "Waiting for application/argocd/db: it is Progressing.",
        ),
        (
            known(status=row(sync=SyncStatus.UNKNOWN, message="web: not JSON."), operation=FAILED),
            "The last attempt failed (3 times in a row): web: not JSON.",
        ),
        (
            known(
                status=row(sync=SyncStatus.OUT_OF_SYNC, message="9 of 9 would go."),
                facts=AttemptFacts(failed="Prune"),
                operation=operations.finish(running(), Phase.FAILED, "no", NOW),
            ),
            "The last attempt failed: 9 of 9 would go.",
        ),
        (
            known(status=row(sync=SyncStatus.OUT_OF_SYNC, message="ConfigMap a; automated sync is off: run x.")),
            "ConfigMap a; automated sync is off: run x.",
        ),
        (
            known(status=row(health=HealthStatus.PROGRESSING, health_message="1 of 3 are new")),
            "It is in sync, and what is Progressing is only looked at: 1 of 3 are new.",
        ),
    ],
)
def test_why_nothing_happens_now(state: Known, expected: str) -> None:
    assert why(state) == expected


@pytest.mark.parametrize(
    ("state", "message", "at"),
    [
        (known(), "2027-01-15T08:00:30Z, in 30 s: its cluster is polled for changes", NOW + 30),
        (known(dues=()), "nothing is planned", None),
        (known(dues=(Due("", "running", NOW + 9), *REST[1:])), "now", NOW),
        (known(dues=(Due("", "idle", NOW - 9), *REST[1:])), "now: its health is looked at again", NOW - 9),
        (
            known(operation=WAITING, dues=(Due("", "idle", NOW + 5), *REST[1:])),
            "2027-01-15T08:00:05Z, in 5 s: another look at what its operation waits for",
            NOW + 5,
        ),
        (
            known(operation=FAILED, dues=(Due("", "idle", NOW + 20), *REST[1:])),
            "2027-01-15T08:00:20Z, in 20 s: the next try",
            NOW + 20,
        ),
        (
            known(operation=replace(FAILED, failures=0, heal_at=NOW + 18), dues=(Due("", "idle", NOW + 18),)),
            "2027-01-15T08:00:18Z, in 18 s: the next heal",
            NOW + 18,
        ),
    ],
)
def test_the_next_look(state: Known, message: str, at: float | None) -> None:
    assert next_look(state) == (message, at)


def test_what_makes_it_earlier() -> None:
    assert earlier(known()) == (
        "a push to its repository (webhook)",
        "`gitops-workers app sync application/argocd/web`",
        "a change of its manifest",
    )
    assert earlier(known(status=row(suspended=True))) == (
        "`gitops-workers app resume application/argocd/web`",
        "a change of its manifest",
    )


FACTS = AttemptFacts(
    at=NOW - 60,
    reasons=("commit cccccccccccc of main",),
    commit=COMMIT,
    ref="main",
    inputs="1" * 64,
    files=3,
    inputs_before="2" * 64,
    commit_before="b" * 40,
    changed=("~ web/0.json", "+ web/1.json"),
    changes=12,
    rendered="3" * 64,
    cached=True,
    objects=4,
    prune="nothing left Git",
    stages=("wave 0: 1 object", "wave 1: 3 objects, 1 hook", "wave 2: 1 delete"),
    stages_in_all=3,
)


def view(name: str, sync: SyncStatus = SyncStatus.SYNCED, message: str = "") -> ResourceView:
    return ResourceView("apps", "v1", "Deployment", "shop", name, sync, None, message)


def test_each_stage_of_a_waiting_operation_is_told() -> None:
    operation = replace(WAITING, stage=1, deadline=NOW + 100)
    rows = [view("a"), view("b", SyncStatus.OUT_OF_SYNC), view("c", SyncStatus.OUT_OF_SYNC, LEFT_GIT)]
    state = known(facts=FACTS, operation=operation, rows=rows, listed_at=NOW - 61)
    assert dict(sections(state)) == {
        "Last attempt": (
            "2027-01-15T07:59:00Z, 1 min ago",
            "ended with: In sync with Git.",
            "asked for by: commit cccccccccccc of main",
        ),
        "Revision": (f"main at {COMMIT}, listed at 2027-01-15T07:58:59Z, 1 min ago",),
        "Inputs": (
            "3 files, digest 111111111111",
            "12 changed since 222222222222 at commit bbbbbbbbbbbb:",
            "~ web/0.json",
            "+ web/1.json",
            "and 10 more",
        ),
        "Render": ("4 objects, digest 333333333333, from the cache",),
        "Policy": ("everything is allowed: the catalogue holds no project default",),
        "Comparison": (
            "1 object in sync, 1 differs",
            "differs: Deployment.apps shop/b",
            "no longer in Git: Deployment.apps shop/c",
        ),
        "Prune": ("nothing left Git",),
        "Stages": (
            "1. wave 0: 1 object, done",
            "2. wave 1: 3 objects, 1 hook",
            "   waiting since 2027-01-15T07:59:18Z, 42 s ago, for:",
            "   Deployment.apps shop/web",
            "   Job.batch shop/x",
            "3. wave 2: 1 delete",
        ),
        "Operation": (
            "Running at cccccccccccc, asked for by ann",
            "began 2027-01-15T07:59:00Z, 1 min ago",
            "fails when it still waits at 2027-01-15T08:01:40Z, in 1 min",
        ),
        "Polls": POLLS,
    }


def test_what_failed_is_told_at_its_stage_and_what_comes_after_it_is_not() -> None:
    facts = replace(FACTS, failed="Render", rendered="", stages=(), prune="", inputs_before="1" * 64)
    status = row(sync=SyncStatus.UNKNOWN, message="web/0.json: not JSON.")
    found = dict(sections(known(status=status, facts=facts, rows=[view("a")])))
    assert list(found) == ["Last attempt", "Revision", "Inputs", "Render", "Polls"]
    assert found["Inputs"] == ("3 files, digest 111111111111", "the same as 111111111111 at commit bbbbbbbbbbbb")
    assert found["Render"] == ("failed: web/0.json: not JSON.",)


def test_an_application_that_nobody_has_looked_at_has_polls_and_no_stages() -> None:
    fresh = row(last_checked_at="", revision="", ref="", sync=SyncStatus.UNKNOWN)
    assert explain(known(status=fresh)).to_json() == {
        "id": "application/argocd/web",
        "why": "Nobody has looked at it yet.",
        "nextLook": {
            "at": "2027-01-15T08:00:30Z",
            "message": "2027-01-15T08:00:30Z, in 30 s: its cluster is polled for changes",
        },
        "earlier": list(earlier(known())),
        "stages": [{"name": "Polls", "lines": list(POLLS)}],
    }


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"inputs_before": ""}, "there is no earlier look to compare with"),
        (
            {"changes": -1, "changed": ()},
            "not those of 222222222222 at commit bbbbbbbbbbbb; which changed cannot be told, that commit is gone",
        ),
    ],
)
def test_inputs_that_cannot_be_compared_say_so(changes: dict[str, Any], line: str) -> None:
    found = dict(sections(known(facts=replace(FACTS, **changes))))
    assert found["Inputs"] == ("3 files, digest 111111111111", line)


def test_what_it_depends_on_is_named_and_what_is_waited_for_rings() -> None:
    app = replace(application(), depends_on=(Dependency("application/argocd/db"), Dependency("application/argocd/x")))
    state = known(app=app, waits=frozenset({"application/argocd/db"}))
    assert dict(sections(state))["Depends on"] == (
        "application/argocd/db, which is not ready",
        "application/argocd/x",
    )
    assert earlier(state)[-1] == "application/argocd/db becoming ready"


def test_a_newer_commit_that_waits_is_named() -> None:
    found = dict(sections(known(facts=replace(FACTS, newer="d" * 40))))
    assert "is newer and waits for the running operation" in found["Revision"][1]
