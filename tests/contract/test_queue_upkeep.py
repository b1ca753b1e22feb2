"""What was lost is found: intents without a due time, evicted keys, a clock that went back, a full store."""

import pytest

from gitops_workers.ports import Urgency
from gitops_workers.redis_client import StoreUnavailable
from tests.contract.queue_grounds import RedisGround, ids

APP = "application/argocd/shop"
WEBHOOK = Urgency.WEBHOOK


@pytest.fixture
def ground(make_ground):
    made = make_ground()
    made.queue.enroll(APP, "prod", "default")
    return made


@pytest.fixture
def queue(ground):
    return ground.queue


class TestUpkeep:
    def test_a_sound_queue_has_nothing_to_heal(self, ground, queue):
        queue.request(APP, "push", WEBHOOK)
        queue.enroll_poll("g1", "prod", 100)
        for _ in range(20):
            ground.advance(31)
            assert queue.sweep() == 0
            queue.dispatch(10)

    def test_an_intent_that_was_given_back_unserved_is_found(self, ground, queue):
        queue.request(APP, "push", WEBHOOK)
        queue.finish(queue.begin(APP, 30), done=False, due_in=None)
        assert queue.dispatch(10) == ()
        ground.advance(31)
        assert queue.sweep() == 1
        assert ids(queue.dispatch(10)) == [APP]

    def test_each_sweep_is_bounded_and_all_are_reached(self, make_ground):
        ground = make_ground(slots=100)
        for number in range(10):
            name = f"application/a/{number}"
            ground.queue.enroll(name, "prod", "default")
            ground.queue.request(name, "push", WEBHOOK)
            ground.queue.finish(ground.queue.begin(name, 30), done=False, due_in=None)
        ground.advance(31)
        assert [ground.queue.sweep(4) for _ in range(4)] == [4, 4, 2, 0]
        assert len(ground.queue.dispatch(100)) == 10

    def test_a_clock_that_went_back_delays_nothing_by_more_than_its_interval(self, ground, queue):
        ground.advance(7200)
        queue.enroll_poll("g1", "prod", 120)
        queue.request(APP, "push", WEBHOOK)
        queue.begin(APP, 30)
        ground.advance(-7200)
        healed = queue.sweep()
        ground.advance(31)
        assert healed + queue.sweep() == 2
        ground.advance(31)
        assert ids(queue.dispatch(10)) == [APP]
        ground.advance(60)
        assert "g1" in ids(queue.dispatch(10))

    def test_a_turn_is_given_to_one_of_many_who_ask(self, ground, queue):
        assert [queue.every("catalogue/0", 60) for _ in range(5)] == [True, False, False, False, False]
        assert queue.every("catalogue/1", 60)
        ground.advance(60)
        assert [queue.every("catalogue/0", 60) for _ in range(2)] == [True, False]
        ground.advance(-7200)
        assert [queue.every("catalogue/0", 60) for _ in range(2)] == [True, False]


class TestEviction:
    """Only a server can lose half of its keys."""

    @pytest.fixture
    def ground(self, store):
        made = RedisGround(store)
        made.queue.enroll(APP, "prod", "default")
        made.queue.enroll_poll("g1", "prod", 100)
        made.queue.request(APP, "push", WEBHOOK)
        return made

    @pytest.mark.parametrize(
        "lost", [("due:webhook:prod", "due:poll:prod"), ("ready",), ("inflight:prod",), ("ready", "due:webhook:prod")]
    )
    def test_what_an_index_lost_is_found_by_the_sweep(self, ground, lost):
        ground.client.delete(*(f"gitops:{name}" for name in lost))
        ground.advance(31)
        ground.queue.sweep()
        assert APP in ids(ground.queue.dispatch(10))
        ground.advance(100)
        ground.queue.sweep()
        assert "g1" in ids(ground.queue.dispatch(10))

    def test_an_index_entry_without_its_member_rings_nothing(self, ground):
        ground.client.delete(f"gitops:member:a:{APP}")
        assert ground.queue.dispatch(10) == ()
        ground.advance(31)
        assert ground.queue.sweep() == 0
        ground.queue.enroll(APP, "prod", "default")
        ground.queue.request(APP, "push", WEBHOOK)
        assert ids(ground.queue.dispatch(10)) == [APP]

    def test_a_full_store_is_an_error_of_ours_and_nothing_is_half_done(self, ground):
        limit = ground.client.config_get("maxmemory")["maxmemory"]
        ground.client.config_set("maxmemory", 1)
        try:
            with pytest.raises(StoreUnavailable, match="Redis"):
                ground.queue.request(APP, "push", WEBHOOK)
            with pytest.raises(StoreUnavailable, match="Redis"):
                ground.queue.begin(APP, 30)
        finally:
            ground.client.config_set("maxmemory", limit)
        assert ground.queue.begin(APP, 30).generation == 1
