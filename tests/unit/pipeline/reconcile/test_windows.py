"""A window that is shut stops syncs, says so, and rings when it opens."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.adapters.calendar import CronCalendar
from gitops_workers.core.model import AppId, Dialect, Phase
from gitops_workers.core.policy.project import AllowedDestination, KindRule, Project, SyncWindow, WindowKind
from gitops_workers.ports import Urgency
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

NOON = 1_000_000.0 - 1_000_000.0 % 86_400 + 12 * 3600
AFTERNOON = SyncWindow(WindowKind.ALLOW, "0 13 * * *", 3600.0, applications=("*",))
OPEN = Project(
    "default",
    source_repos=("*",),
    source_namespaces=("*",),
    destinations=(AllowedDestination("*", "", "*"),),
    cluster_allowed=(KindRule("*", "*"),),
)


def lab(*windows: SyncWindow) -> tuple[Lab, AppId]:
    it = Lab(now=NOON)
    it.context = replace(it.context, calendar=CronCalendar())
    app = it.declare(Dialect.ARGOCD, prune=True)
    it.applications[app] = replace(it.applications[app], limits=replace(OPEN, windows=windows))
    it.enroll()
    it.push(manifest("ConfigMap", "web", namespace="shop", data={"a": "1"}))
    it.run(5)
    return it, app


def test_nothing_is_written_until_the_window_opens_and_nobody_has_to_ring() -> None:
    it, app = lab(AFTERNOON)

    assert it.live("ConfigMap", "web") is None
    assert it.status(app).sync == "OutOfSync"
    assert it.status(app).message == (
        "Sync window: no allow window is open (allow '0 13 * * *' for 3600 s). Syncing goes on at 1970-01-12T13:00:00Z."
    )

    it.run(3600)
    assert it.live("ConfigMap", "web") is not None
    assert it.status(app).sync == "Synced"


def test_a_human_may_where_the_window_lets_him() -> None:
    for manual in (False, True):
        it, app = lab(replace(AFTERNOON, manual=manual))
        assert (f"`gitops-workers app sync {app}` is allowed" in it.status(app).message) is manual

        it.ask(app)
        it.run(5)

        assert (it.live("ConfigMap", "web") is not None) is manual


def test_a_window_that_never_opens_is_said_and_costs_nothing() -> None:
    it, app = lab(replace(AFTERNOON, schedule="0 0 30 2 *"))

    done = it.run(3600)

    assert "no allow window is open" in it.status(app).message
    assert it.status(app).message.endswith("By these schedules it never goes on: correct them.")
    assert it.live("ConfigMap", "web") is None
    assert sum(text.startswith("reconcile") for text in done) < 5


def test_the_moment_that_is_named_is_the_one_at_which_all_windows_let_it() -> None:
    """The first denial ends at 12:30, when the next one holds already; that ends in the night, in Tokyo's time."""
    noon = SyncWindow(WindowKind.DENY, "0 12 * * *", 1800.0, namespaces=("shop",))
    after = SyncWindow(WindowKind.DENY, "15 21 * * *", 7200.0, "Asia/Tokyo", clusters=("east",))
    it, app = lab(noon, after)
    opens = "Syncing goes on at 1970-01-12T14:15:00Z."
    assert it.status(app).message == f"Sync window: a deny window is open (deny '0 12 * * *' for 1800 s). {opens}"

    it.run(8090)
    told = "deny '15 21 * * *' for 7200 s in Asia/Tokyo"
    assert it.status(app).message == f"Sync window: a deny window is open ({told}). {opens}"
    assert it.live("ConfigMap", "web") is None
    it.run(10)
    assert it.live("ConfigMap", "web") is not None


def test_a_sync_that_began_in_time_goes_on_only_where_it_may_overrun() -> None:
    for overrun in (False, True):
        start = replace(AFTERNOON, schedule="0 12 * * *", duration=10.0, overrun=overrun)
        it = Lab(now=NOON)
        it.context = replace(it.context, calendar=CronCalendar())
        app = it.declare(Dialect.ARGOCD)
        it.applications[app] = replace(it.applications[app], limits=replace(OPEN, windows=(start,)))
        it.enroll()
        spec = {"replicas": 1}
        it.push(
            manifest("Deployment", "first", "apps/v1", "shop", wave=0, spec=spec),
            manifest("ConfigMap", "second", namespace="shop", wave=1, data={"a": "1"}),
        )
        it.run(5)
        assert it.status(app).operation.phase is Phase.RUNNING
        it.run(10)
        first = next(key for key in it.cluster.objects() if key.name == "first")
        it.cluster.put_status(
            first, {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
        )

        it.run(60)

        assert (it.live("ConfigMap", "second") is not None) is overrun


def tightened() -> tuple[Lab, AppId]:
    """The project has come to forbid ConfigMaps, and Git has a Service in place of its ConfigMap."""
    it, app = lab()
    it.applications[app] = replace(
        it.applications[app], limits=replace(OPEN, namespaced_denied=(KindRule("", "ConfigMap"),))
    )
    it.enroll()
    it.push(manifest("Service", "web", namespace="shop", spec={"type": "ClusterIP"}))
    it.poll_repository()
    it.run(5)
    return it, app


def test_what_the_project_forbids_is_refused_and_never_pruned() -> None:
    it, app = tightened()

    assert it.live("Service", "web") is not None
    assert it.live("ConfigMap", "web") is not None

    it.push(manifest("ConfigMap", "other", namespace="shop", data={"a": "1"}))
    it.poll_repository()
    it.run(5)
    assert it.live("ConfigMap", "other") is None
    assert "lists this kind in namespaceResourceBlacklist" in it.status(app).message


def test_what_the_project_forbids_now_stays_is_no_difference_and_costs_nothing() -> None:
    """argocd.md 1.7: what is forbidden and lives is dropped from the comparison and never pruned."""
    it, app = tightened()
    before = it.clusters.records("east").load(app)
    assert it.status(app).sync == "Synced"
    for _ in range(3):
        it.queue.request(app, "once more", Urgency.POLL)
        it.run(5)

    assert it.clusters.records("east").load(app) == before
    assert it.live("ConfigMap", "web") is not None
    (condition,) = it.status(app).conditions
    assert "ConfigMap shop/web left Git and stays: project default lists this kind in" in condition.message

    it.applications[app] = replace(it.applications[app], limits=OPEN)
    it.enroll()
    it.queue.request(app, "its manifest changed", Urgency.POLL)
    it.run(5)
    assert it.live("ConfigMap", "web") is None
    assert it.status(app).conditions == ()
