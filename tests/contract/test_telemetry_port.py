"""What every store of heartbeats and figures promises, over the real one and its twin."""

import time

import pytest

from gitops_workers.adapters.redis_telemetry import RedisTelemetry
from gitops_workers.core.telemetry.figures import APP_RECONCILE, APP_SYNCS, WEBHOOKS, Sample, counted, observed
from gitops_workers.core.telemetry.presence import BEAT, WORKER, Process
from gitops_workers.testing.volatile_telemetry import VolatileTelemetry

EAST = Process(WORKER, "one@host", ("control", "fleet.east"))
BOTH = Process(WORKER, "two@host", ("control", "fleet.east", "fleet.west"))
CLOCK = Process(BEAT, "beat-1@host")
APP = "application/argocd/shop"


@pytest.fixture(params=["redis", "volatile"])
def telemetry(request):
    return (
        VolatileTelemetry(time.time)
        if request.param == "volatile"
        else RedisTelemetry(request.getfixturevalue("store"))
    )


def test_where_nobody_has_reported_nobody_is_present(telemetry):
    presence = telemetry.presence()
    assert presence.workers("east") == 0
    assert "no worker of fleet east has been seen yet" in presence.unserved("east")


def test_the_isolation_of_a_worker_is_told_with_its_presence(telemetry):
    telemetry.report(Process(WORKER, "one@host", ("control",), ("landlock", "own_user")), {})

    (found,) = telemetry.presence().present("control")

    assert found.isolation == ("landlock", "own_user")


def test_whoever_reports_is_present_with_all_its_duties(telemetry):
    for process in (EAST, BOTH, CLOCK):
        telemetry.report(process, {})
    presence = telemetry.presence()
    assert (presence.workers("east"), presence.workers("west"), presence.workers("north")) == (2, 1, 0)
    assert presence.present(BEAT) == (CLOCK,)
    assert presence.fleets == ("east", "west")
    assert all(abs(at - presence.now) < 30 for at in presence.processes.values())


def test_whoever_reports_again_is_there_once(telemetry):
    telemetry.report(EAST, {})
    telemetry.report(EAST, {})
    assert telemetry.presence().workers("east") == 1


def test_whoever_leaves_is_missed_at_once_and_its_duty_is_remembered(telemetry):
    telemetry.report(BOTH, {})
    telemetry.leave(BOTH)
    presence = telemetry.presence()
    assert presence.workers("west") == 0
    assert presence.unserved("west").startswith("no worker of fleet west since 20")


def test_a_worker_tells_the_settings_that_it_reads_now(telemetry):
    telemetry.report(EAST, {}, "old")
    telemetry.report(BOTH, {}, "old")
    telemetry.report(EAST, {}, "new")
    presence = telemetry.presence()
    assert [presence.reading(one) for one in (EAST, BOTH)] == ["new", "old"]
    assert presence.alive(WORKER) == (EAST, BOTH)


def test_a_worker_whose_last_heartbeat_tells_no_settings_reads_unknown_ones(telemetry):
    """It came back in an older release, under the same name."""
    telemetry.report(EAST, {}, "new")
    telemetry.report(EAST, {})
    assert telemetry.presence().reading(EAST) == ""


def test_what_a_worker_read_is_remembered_after_it_left(telemetry):
    telemetry.report(EAST, {}, "new")
    telemetry.leave(EAST)
    presence = telemetry.presence()
    assert presence.alive(WORKER) == ()
    assert list(presence.readings) == [("one@host", "new")]
    assert abs(presence.readings["one@host", "new"] - presence.now) < 30


def test_figures_of_all_processes_are_one_sum(telemetry):
    added = dict([*counted(WEBHOOKS, ("github", "accepted")), *observed(APP_RECONCILE, ("argocd", "https://a"), 0.3)])
    for process in (EAST, BOTH):
        telemetry.report(process, added)
    assert telemetry.figures([]) == {
        Sample("gitops_webhook_requests_total", ("github", "accepted")): 2.0,
        Sample("argocd_app_reconcile", ("argocd", "https://a"), "1"): 2.0,
        Sample("argocd_app_reconcile", ("argocd", "https://a"), "sum"): pytest.approx(0.6),
    }


def test_the_figures_of_an_application_are_told_to_who_asks_for_it(telemetry):
    labels = ("argocd", "shop", "default", "https://a", "Succeeded", "false")
    telemetry.report(EAST, dict([*counted(APP_SYNCS, labels, app=APP), *counted(WEBHOOKS, ("github", "accepted"))]))
    assert telemetry.figures([APP])[Sample("argocd_app_sync_total", labels, app=APP)] == 1
    assert len(telemetry.figures([])) == 1


def test_what_another_version_wrote_is_left_out(store):
    telemetry = RedisTelemetry(store)
    telemetry.report(EAST, dict(counted(WEBHOOKS, ("github", "accepted"))))
    store.hset("gitops:figures", mapping={"[": 1, '["later_total", [], ""]': 1, f'["{WEBHOOKS.name}", ["x"], ""]': 1})
    for key in ("gitops:processes", "gitops:settings-read"):
        store.zadd(key, {"{}": time.time(), "x": time.time()})
    assert len(telemetry.figures([])) == 1
    assert list(telemetry.presence().processes) == [EAST]
    assert telemetry.presence().readings == {}
