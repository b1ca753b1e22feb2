"""Whatever happens in whatever order: no intent is lost, one holder per application, a stale finish changes nothing.

Hypothesis plays beat, workers, webhooks, crashes, lost messages, a moving clock and FLUSHALL against a model of a few
lines; the same games are played on the real queue and on its twin.
"""

from __future__ import annotations

from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gitops_workers.ports import Urgency
from tests.contract.queue_grounds import RedisGround, VolatileGround

APPS = [f"application/a/{number}" for number in range(3)]
CLUSTERS = ["east", "west", ""]
"""The last is where an application goes that names no cluster: a lane like any other."""
OPTIONS = {"slots": 1, "ring": 60.0}

apps = st.sampled_from(APPS)


class Model:
    """What must be true of one enrolled application."""

    def __init__(self) -> None:
        self.want = 0
        self.done = 0
        self.holder = None
        self.held_until = 0.0
        self.rung_until = 0.0
        self.cluster = ""
        self.slot = ""

    def takes_slot(self) -> None:
        self.slot = self.cluster

    def busy(self, cluster: str, now: float) -> bool:
        return self.slot == cluster and now < (self.held_until if self.holder else self.rung_until)


class Games(RuleBasedStateMachine):
    def __init__(self, ground) -> None:
        super().__init__()
        self.ground = ground
        self.queue = ground.queue
        self.models: dict[str, Model] = {}
        self.stale: list[Any] = []
        self.troubled: set[str] = set()

    def now(self) -> float:
        return self.ground.time

    def lose_holder(self, model: Model) -> None:
        if model.holder is not None:
            self.stale.append(model.holder)
            model.holder = None

    @initialize(clusters=st.lists(st.sampled_from(CLUSTERS), min_size=len(APPS), max_size=len(APPS)))
    def begin_with_all(self, clusters):
        for app, cluster in zip(APPS, clusters, strict=True):
            self.enroll(app, cluster)

    @rule(app=apps, cluster=st.sampled_from(CLUSTERS))
    def enroll(self, app, cluster):
        self.queue.enroll(app, cluster, "default")
        self.models.setdefault(app, Model()).cluster = cluster

    @rule(app=apps, rarely=st.integers(0, 5))
    def delete(self, app, rarely):
        if rarely:
            return
        self.queue.delete(app)
        model = self.models.pop(app, None)
        if model:
            self.lose_holder(model)

    @rule(app=apps, urgency=st.sampled_from(list(Urgency)))
    def request(self, app, urgency):
        generation = self.queue.request(app, "why", urgency)
        if app not in self.models:
            assert generation == 0
            return
        self.models[app].want += 1
        assert generation == self.models[app].want

    @rule(app=apps, at_least=st.integers(0, 30))
    def raise_generation(self, app, at_least):
        self.queue.raise_generation(app, at_least)
        if app in self.models:
            self.models[app].want = max(self.models[app].want, at_least)

    @rule(seconds=st.sampled_from([0.5, 1, 5, 31, 61]))
    def time_passes(self, seconds):
        self.ground.advance(seconds)

    @rule(limit=st.integers(1, 5))
    def dispatch_and_lose_the_messages(self, limit):
        self.dispatched(limit)

    @rule(limit=st.integers(1, 5), lease=st.sampled_from([10, 30]))
    def dispatch_and_begin(self, limit, lease):
        for bell in self.dispatched(limit):
            self.begin(bell.id, lease)

    def dispatched(self, limit):
        before = {cluster: self.busy(cluster) for cluster in CLUSTERS}
        bells = self.queue.dispatch(limit)
        assert len(bells) <= limit
        assert len({bell.id for bell in bells}) == len(bells)
        for bell in bells:
            model = self.models[bell.id]
            assert bell.generation == model.want
            assert self.now() >= model.rung_until, "rung although its doorbell is still out"
            assert model.holder is None or self.now() >= model.held_until, "rung although somebody works on it"
            model.rung_until = self.now() + OPTIONS["ring"]
            model.takes_slot()
            self.lose_holder(model)
        for cluster in CLUSTERS:
            # A begin without a doorbell (by hand) is not refused, so it may have been over the limit before. A probe
            # is let through besides what is in work.
            assert self.busy(cluster) <= max(OPTIONS["slots"], before[cluster]) + (cluster in self.troubled)
        return bells

    def busy(self, cluster):
        return sum(model.busy(cluster, self.now()) for model in self.models.values())

    @rule(app=apps, lease=st.sampled_from([10, 30]))
    def begin(self, app, lease):
        attempt = self.queue.begin(app, lease)
        model = self.models.get(app)
        if model is None or (model.holder is not None and self.now() < model.held_until):
            assert attempt is None
            return
        assert attempt is not None
        assert attempt.generation == model.want
        self.lose_holder(model)
        assert all(attempt.token > old.token for old in self.stale)
        model.holder, model.held_until, model.rung_until = attempt, self.now() + lease, 0.0
        model.takes_slot()

    @precondition(lambda self: any(model.holder for model in self.models.values()))
    @rule(data=st.data(), lease=st.sampled_from([10, 30]))
    def renew(self, data, lease):
        model = data.draw(st.sampled_from([m for m in self.models.values() if m.holder]))
        assert self.queue.renew(model.holder, lease)
        model.held_until = self.now() + lease
        model.takes_slot()

    @precondition(lambda self: any(model.holder for model in self.models.values()))
    @rule(data=st.data(), done=st.booleans(), due_in=st.sampled_from([None, 0, 1, 100]), answered=st.booleans())
    def finish(self, data, done, due_in, answered):
        model = data.draw(st.sampled_from([m for m in self.models.values() if m.holder]))
        self.queue.finish(model.holder, done=done, due_in=due_in, answered=answered)
        if done:
            model.done = max(model.done, model.holder.generation)
        self.lose_holder(model)

    @precondition(lambda self: self.stale)
    @rule(data=st.data(), done=st.booleans())
    def finish_with_a_lost_lease(self, data, done):
        attempt = data.draw(st.sampled_from(self.stale))
        before = self.queue.cluster_loads(CLUSTERS), self.queue.wanted(attempt.app)
        self.queue.finish(attempt, done=done, due_in=None)
        assert not self.queue.renew(attempt, 30)
        assert (self.queue.cluster_loads(CLUSTERS), self.queue.wanted(attempt.app)) == before
        model = self.models.get(attempt.app)
        if model and model.holder:
            assert self.queue.renew(model.holder, 30)
            model.held_until = self.now() + 30
            model.takes_slot()

    @rule(cluster=st.sampled_from(CLUSTERS), reachable=st.booleans(), prober=st.sampled_from(["", "cluster/east"]))
    def report(self, cluster, reachable, prober):
        self.queue.report_cluster(cluster, reachable, "why", prober=prober)
        if not reachable:
            self.troubled.add(cluster)

    @rule()
    def sweep(self):
        self.queue.sweep()

    @rule(rarely=st.integers(0, 9))
    def the_store_is_lost(self, rarely):
        if rarely:
            return
        self.ground.clear()
        self.ground.advance(0.001)
        for model in self.models.values():
            self.lose_holder(model)
        self.models.clear()

    @invariant()
    def whatever_is_in_work_somebody_works_on(self):
        in_work = sum(load.in_flight for load in self.queue.cluster_loads(CLUSTERS).values())
        assert in_work == sum(m.holder is not None and m.held_until > self.now() for m in self.models.values())

    @invariant()
    def wanted_is_what_was_asked_for(self):
        assert {app: self.queue.wanted(app) for app in self.models} == {a: m.want for a, m in self.models.items()}

    def teardown(self):
        """Then the world is well again: workers answer, clusters too. Every intent must be served."""
        for cluster in CLUSTERS:
            self.queue.report_cluster(cluster, True, "")
        for _ in range(12):
            self.ground.advance(700)
            self.queue.sweep()
            for bell in self.queue.dispatch(10):
                attempt = self.queue.begin(bell.id, 30)
                assert attempt is not None
                self.queue.finish(attempt, done=True, due_in=None)
                self.models[bell.id].done = attempt.generation
        unserved = {app: (model.want, model.done) for app, model in self.models.items() if model.done < model.want}
        assert unserved == {}


def test_the_twin_keeps_every_promise():
    play(lambda: VolatileGround(**OPTIONS), examples=200)


def test_the_redis_queue_keeps_every_promise(store_server):
    play(lambda: RedisGround(store_server, **OPTIONS), examples=100)


def play(make, examples):
    run_state_machine_as_test(  # it takes whatever makes one
        cast("type[Games]", lambda: Games(make())),
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
