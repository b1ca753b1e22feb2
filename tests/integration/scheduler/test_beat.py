"""Real beat processes on a real Redis."""

import signal
import time

import pytest

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.ports import Urgency
from tests.integration.scheduler.conftest import until

APPS = [f"application/a/{number}" for number in range(20)]


def fill(stage):
    for number, app in enumerate(APPS):
        stage.queue.enroll(app, f"cluster-{number % 3}", "default")
        stage.queue.request(app, "push", Urgency.WEBHOOK)


def rung(stage):
    return sorted(arguments[0] for _, arguments in stage.messages("fleet.default"))


def test_a_due_application_becomes_a_message_within_two_ticks(stage):
    stage.beat("beat")
    until(lambda: stage.client.get("gitops:fence") is None)
    stage.queue.enroll(APPS[0], "prod", "default")
    before = stage.queue.now()
    stage.queue.request(APPS[0], "push", Urgency.WEBHOOK)
    until(lambda: rung(stage))
    assert stage.messages("fleet.default") == [("gitops.reconcile", [APPS[0], 1])]
    # The doorbell's lease began at the pop: it says when that was, without timing this test.
    popped = stage.client.zscore("gitops:inflight:prod", f"a:{APPS[0]}") - 60
    assert popped - before < 2.5


def test_the_message_holds_ids_only(stage):
    stage.queue.enroll(APPS[0], "prod", "default")
    stage.queue.request(APPS[0], "pushed by canary@example.org to https://user:canary@git.example/", Urgency.WEBHOOK)
    stage.queue.enroll_poll("0123abcd", "prod", 0)
    stage.beat("beat")
    until(lambda: rung(stage) and stage.messages("control"))
    assert stage.messages("control") == [("gitops.poll", ["0123abcd", 0])]
    for queue in ("fleet.default", "control"):
        assert not any(b"canary" in raw for raw in stage.client.lrange(queue, 0, -1))


def test_two_beats_ring_each_once(stage):
    stage.beat("one", GITOPS_CATALOGUE="/a,/b", GITOPS_CATALOGUE_INTERVAL="1000")
    stage.beat("two", GITOPS_CATALOGUE="/a,/b", GITOPS_CATALOGUE_INTERVAL="1000")
    fill(stage)
    until(lambda: len(rung(stage)) >= len(APPS))
    ticks(stage, 3)
    assert rung(stage) == sorted(APPS)
    assert stage.messages("control") == [("gitops.poll", ["catalogue", 0])]


def test_when_one_beat_is_killed_the_other_goes_on(stage):
    first = stage.beat("one")
    second = stage.beat("two")
    first.signal(signal.SIGKILL)
    first.wait(5)
    fill(stage)
    until(lambda: rung(stage) == sorted(APPS))
    assert second.alive


def test_a_beat_that_was_frozen_does_not_catch_up(stage):
    stage.queue.enroll_poll("g1", "prod", 0)
    beat = stage.beat("beat")
    until(lambda: stage.messages("control"))
    beat.freeze()
    for _ in range(100):
        stage.queue.request_poll("g1", Urgency.POLL)
    beat.thaw()
    ticks(stage, 3)
    assert len(stage.messages("control")) == 1


def test_a_beat_survives_the_loss_of_everything(stage):
    beat = stage.beat("beat")
    fill(stage)
    until(lambda: rung(stage) == sorted(APPS))  # else what was popped before arrives after
    stage.client.flushall()
    ticks(stage, 2)
    fill(stage)
    until(lambda: rung(stage) == sorted(APPS))
    assert beat.alive


def test_a_beat_survives_connections_that_break(stage):
    beat = stage.beat("beat")
    for _ in range(5):
        stage.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        time.sleep(0.3)
    fill(stage)
    until(lambda: rung(stage) == sorted(APPS))
    assert beat.alive


def test_a_beat_survives_a_store_that_takes_no_writes(stage):
    beat = stage.beat("beat")
    fill(stage)
    stage.client.config_set("maxmemory", 1)
    until(lambda: "this tick failed" in beat.tail(200))
    stage.client.config_set("maxmemory", 0)
    until(lambda: rung(stage) == sorted(APPS), 90)
    assert beat.alive


def test_a_beat_without_a_store_says_which_setting_is_missing(monkeypatch):
    from celery import Celery

    from scheduler.beat import DueScheduler

    monkeypatch.delenv("GITOPS_REDIS_URL", raising=False)
    with pytest.raises(InvalidManifest, match="GITOPS_REDIS_URL"):
        DueScheduler(app=Celery("none", broker="memory://"))


def ticks(stage, count):
    """Wait until a beat has made so many ticks: each calls the queue's script at least twice."""

    def calls():
        info = stage.client.info("commandstats")
        return info.get("cmdstat_evalsha", {}).get("calls", 0)

    seen = calls()
    until(lambda: calls() >= seen + 2 * count)
