"""What every queue promises, over the real one and its twin."""

import pytest

from gitops_workers.ports import QueueState, TaskMessage, Urgency
from tests.contract.queue_grounds import ids

APP = "application/argocd/shop"
WEBHOOK, MANUAL, SELF_HEAL, RETRY, POLL = Urgency


@pytest.fixture
def ground(make_ground):
    made = make_ground()
    made.queue.enroll(APP, "prod", "default")
    return made


@pytest.fixture
def queue(ground):
    return ground.queue


def test_an_enrolled_application_is_not_due_until_somebody_asks(queue):
    assert queue.dispatch(10) == ()
    assert queue.request(APP, "push", WEBHOOK) == 1
    assert queue.dispatch(10) == (TaskMessage("reconcile", "fleet.default", APP, 1),)


def test_an_unknown_application_is_neither_asked_for_nor_begun(queue):
    other = "application/argocd/other"
    assert queue.request(other, "push", WEBHOOK) == 0
    assert queue.raise_generation(other, 5) == 0
    assert queue.wanted(other) == 0
    assert queue.begin(other, 30) is None
    assert queue.dispatch(10) == ()


def test_ten_thousand_requests_ring_once_and_once_more_for_what_came_after_the_beginning(ground, queue):
    for _ in range(10_000):
        queue.request(APP, "push", WEBHOOK)
    assert queue.dispatch(10) == (TaskMessage("reconcile", "fleet.default", APP, 10_000),)
    assert queue.dispatch(10) == ()
    attempt = queue.begin(APP, 30)
    for _ in range(100):
        queue.request(APP, "push again", WEBHOOK)
    assert queue.dispatch(10) == ()
    queue.finish(attempt, done=True, due_in=None)
    assert queue.dispatch(10) == (TaskMessage("reconcile", "fleet.default", APP, 10_100),)
    queue.finish(queue.begin(APP, 30), done=True, due_in=None)
    ground.advance(100_000)
    assert queue.dispatch(10) == ()


def test_an_attempt_knows_why_and_from_when_on_refs_are_new_enough(ground, queue):
    queue.request(APP, "push 1", WEBHOOK)
    ground.advance(5)
    queue.request(APP, "push 2", WEBHOOK)
    queue.request(APP, "push 1", WEBHOOK, not_before=3.0)
    first = queue.begin(APP, 30)
    assert (first.generation, first.reasons) == (3, ("push 1", "push 2"))
    assert first.not_before == pytest.approx(queue.now(), abs=1e-5)
    queue.request(APP, "by hand", MANUAL)
    queue.finish(first, done=False, due_in=10)
    second = queue.begin(APP, 30)
    assert second.reasons == ("push 1", "push 2", "by hand")
    queue.finish(second, done=True, due_in=None)
    assert queue.begin(APP, 30).reasons == ()


def test_reasons_are_bounded_and_the_latest_stay(queue):
    for number in range(20):
        queue.request(APP, f"push {number}", WEBHOOK)
    assert queue.begin(APP, 30).reasons == tuple(f"push {number}" for number in range(12, 20))


def test_the_reasons_of_an_attempt_that_died_are_told_to_the_next(ground, queue):
    queue.request(APP, "push", WEBHOOK)
    queue.begin(APP, 30)
    ground.advance(31)
    assert queue.begin(APP, 30).reasons == ("push",)


def test_one_application_has_one_holder_until_its_lease_ends(ground, queue):
    queue.request(APP, "push", WEBHOOK)
    first = queue.begin(APP, 30)
    assert queue.begin(APP, 30) is None
    ground.advance(20)
    assert queue.renew(first, 30)
    ground.advance(20)
    assert queue.begin(APP, 30) is None
    ground.advance(11)
    second = queue.begin(APP, 30)
    assert second.token > first.token
    assert not queue.renew(first, 30)
    assert queue.renew(second, 30)


def test_a_finish_with_a_lost_lease_changes_nothing(ground, queue):
    queue.request(APP, "push", WEBHOOK)
    lost = queue.begin(APP, 30)
    ground.advance(31)
    current = queue.begin(APP, 30)
    assert not queue.finish(lost, done=True, due_in=None)
    assert queue.renew(current, 30)
    ground.advance(31)
    assert ids(queue.dispatch(10)) == [APP]
    assert queue.finish(queue.begin(APP, 30), done=True, due_in=None)


def test_a_lost_doorbell_costs_a_lease_and_an_unanswered_one_rings_ever_more_slowly(make_ground):
    ground = make_ground(ring=60)
    ground.queue.enroll(APP, "prod", "default")
    ground.queue.request(APP, "push", WEBHOOK)
    rung = []
    for second in range(0, 3000, 10):
        if ground.queue.dispatch(10):
            rung.append(second)
        ground.advance(10)
    assert rung == [0, 60, 180, 420, 900, 1500, 2100, 2700]


def test_a_worker_that_dies_costs_one_lease(ground, queue):
    queue.request(APP, "push", WEBHOOK)
    queue.dispatch(10)
    queue.begin(APP, 30)
    ground.advance(29)
    assert queue.dispatch(10) == ()
    ground.advance(2)
    assert ids(queue.dispatch(10)) == [APP]


def test_a_finish_says_when_to_look_again(ground, queue):
    queue.request(APP, "push", WEBHOOK)
    queue.finish(queue.begin(APP, 30), done=True, due_in=5)
    ground.advance(4)
    assert queue.dispatch(10) == ()
    ground.advance(1.1)
    assert ids(queue.dispatch(10)) == [APP]


def test_the_record_may_know_a_later_generation(queue):
    queue.request(APP, "push", WEBHOOK)
    attempt = queue.begin(APP, 30)
    assert queue.raise_generation(APP, 58) == 58
    assert queue.raise_generation(APP, 3) == 58
    queue.finish(attempt, done=False, due_in=300)
    assert queue.dispatch(10) == (TaskMessage("reconcile", "fleet.default", APP, 58),)
    queue.finish(queue.begin(APP, 30), done=True, due_in=None)
    assert queue.request(APP, "push", WEBHOOK) == 59


def test_after_the_store_was_lost_tokens_go_on_growing(ground, queue):
    queue.request(APP, "push", WEBHOOK)
    before = queue.begin(APP, 30)
    ground.clear()
    ground.advance(0.001)
    assert not queue.renew(before, 30)
    assert queue.dispatch(10) == ()
    queue.enroll(APP, "prod", "default")
    queue.raise_generation(APP, 58)
    assert ids(queue.dispatch(10)) == [APP]
    after = queue.begin(APP, 30)
    assert (after.generation, after.token > before.token) == (58, True)


def test_moving_to_another_cluster_keeps_the_intent_and_gives_the_slot_back(make_ground):
    ground = make_ground(slots=1)
    queue = ground.queue
    queue.enroll(APP, "prod", "default")
    queue.request(APP, "push", WEBHOOK)
    attempt = queue.begin(APP, 30)
    queue.enroll(APP, "edge", "edges")
    queue.request(APP, "push", WEBHOOK)
    queue.finish(attempt, done=True, due_in=None)
    assert {name: load.in_flight for name, load in queue.cluster_loads(["prod", "edge"]).items()} == {
        "prod": 0,
        "edge": 0,
    }
    assert queue.dispatch(10) == (TaskMessage("reconcile", "fleet.edges", APP, 2),)


def test_an_expelled_application_is_forgotten_and_its_holder_has_lost(queue):
    queue.request(APP, "push", WEBHOOK)
    queue.dispatch(10)
    attempt = queue.begin(APP, 30)
    queue.delete(APP)
    assert queue.wanted(APP) == 0
    assert not queue.renew(attempt, 30)
    queue.finish(attempt, done=True, due_in=1)
    assert queue.begin(APP, 30) is None
    assert queue.cluster_loads(["prod"])["prod"].in_flight == 0


def test_everybody_can_ask_how_it_stands_with_an_application_and_its_polls(ground, queue):
    queue.enroll_poll("g1", "prod", 100)
    unknown, idle = QueueState("", None), QueueState("idle", None)
    assert tuple(queue.queue_states(APP, ["g1", "nowhere"])) == (idle, QueueState("idle", ground.time + 100), unknown)
    assert tuple(queue.queue_states("application/argocd/unknown", [])) == (unknown,)
    queue.request(APP, "push", WEBHOOK)
    assert tuple(queue.queue_states(APP, [])) == (QueueState("idle", ground.time),)
    queue.dispatch(10)
    assert queue.queue_states(APP, [])[0].state == "queued"
    attempt = queue.begin(APP, 30)
    assert tuple(queue.queue_states(APP, [])) == (QueueState("running", ground.time + 30),)
    queue.finish(attempt, done=True, due_in=7)
    assert tuple(queue.queue_states(APP, [])) == (QueueState("idle", ground.time + 7),)


class TestPolls:
    def test_a_group_is_polled_when_due_and_goes_to_the_control_queue(self, ground, queue):
        queue.enroll_poll("g1", "prod", 50)
        ground.advance(20)
        queue.enroll_poll("g1", "prod", 50)
        assert queue.dispatch(10) == ()
        ground.advance(31)
        assert queue.dispatch(10) == (TaskMessage("poll", "control", "g1", 0),)

    def test_a_request_makes_it_due_at_once_and_tells_the_moment(self, ground, queue):
        queue.enroll_poll("g1", "prod", 50)
        ground.advance(7)
        queue.request_poll("g1", WEBHOOK)
        assert ids(queue.dispatch(10)) == ["g1"]
        attempt = queue.begin_poll("g1", 30)
        assert attempt.app == "g1"
        assert attempt.not_before == pytest.approx(queue.now(), abs=1e-5)
        assert queue.begin_poll("g1", 30) is None
        assert queue.renew(attempt, 30)

    def test_what_is_asked_during_a_poll_is_polled_again(self, ground, queue):
        queue.enroll_poll("g1", "prod", 0)
        attempt = queue.begin_poll("g1", 30)
        queue.request_poll("g1", WEBHOOK)
        queue.finish_poll(attempt, 120)
        assert ids(queue.dispatch(10)) == ["g1"]
        queue.finish_poll(queue.begin_poll("g1", 30), 120)
        ground.advance(119)
        assert queue.dispatch(10) == ()
        ground.advance(2)
        assert ids(queue.dispatch(10)) == ["g1"]

    def test_hastening_brings_a_poll_forward_and_never_puts_it_off(self, ground, queue):
        queue.enroll_poll("g1", "prod", 50)
        queue.hasten_poll("g1", 10)
        queue.hasten_poll("g1", 30)
        ground.advance(9)
        assert queue.dispatch(10) == ()
        ground.advance(2)
        assert ids(queue.dispatch(10)) == ["g1"]
        queue.hasten_poll("nobody", 1)
        assert queue.dispatch(10) == ()

    def test_hastening_a_poll_that_is_under_way_has_another_one_follow(self, ground, queue):
        queue.enroll_poll("g1", "prod", 0)
        attempt = queue.begin_poll("g1", 30)
        queue.hasten_poll("g1", 10)
        queue.finish_poll(attempt, 120)
        assert ids(queue.dispatch(10)) == ["g1"]
        queue.finish_poll(queue.begin_poll("g1", 30), 120)
        ground.advance(119)
        assert queue.dispatch(10) == ()

    def test_an_expelled_group_is_silent(self, ground, queue):
        queue.enroll_poll("g1", "prod", 1)
        queue.delete_poll("g1")
        ground.advance(1000)
        assert queue.sweep() == 0
        assert queue.dispatch(10) == ()

    def test_a_group_and_an_application_of_one_name_are_two(self, queue):
        queue.enroll_poll(APP, "prod", 0)
        poll, attempt = queue.begin_poll(APP, 30), queue.begin(APP, 30)
        queue.finish_poll(poll, 10)
        assert queue.renew(attempt, 30)
