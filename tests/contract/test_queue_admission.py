"""What a cluster is given at a time, in which order, and what happens when it does not answer."""

import pytest

from gitops_workers.ports import Urgency
from tests.contract.queue_grounds import ids

APP = "application/argocd/shop"
WEBHOOK, MANUAL, SELF_HEAL, RETRY, POLL = Urgency


class TestAdmission:
    def test_a_cluster_works_on_so_many_at_once_and_a_freed_slot_pulls_the_next(self, make_ground):
        queue = make_ground(slots=2).queue
        names = [f"application/a/{number}" for number in range(5)]
        for name in names:
            queue.enroll(name, "prod", "default")
            queue.request(name, "push", WEBHOOK)
        assert len(queue.dispatch(10)) == 2
        assert queue.dispatch(10) == ()
        queue.finish(queue.begin(names[0], 30), done=True, due_in=None)
        assert len(queue.dispatch(10)) == 1

    def test_a_dead_worker_gives_its_slot_back(self, make_ground):
        ground = make_ground(slots=1)
        queue = ground.queue
        for name in ("application/a/1", "application/a/2"):
            queue.enroll(name, "prod", "default")
        queue.request("application/a/1", "push", WEBHOOK)
        queue.begin("application/a/1", 30)
        queue.request("application/a/2", "push", WEBHOOK)
        assert queue.dispatch(10) == ()
        ground.advance(31)
        assert len(queue.dispatch(10)) == 1

    def test_a_full_cluster_does_not_hold_up_another(self, make_ground):
        queue = make_ground(slots=1).queue
        for cluster in ("east", "west"):
            for number in range(3):
                queue.enroll(f"application/{cluster}/{number}", cluster, "default")
                queue.request(f"application/{cluster}/{number}", "push", WEBHOOK)
        assert sorted(name.split("/")[1] for name in ids(queue.dispatch(10))) == ["east", "west"]

    def test_the_most_urgent_of_what_is_due_goes_first(self, make_ground):
        ground = make_ground(slots=1)
        queue = ground.queue
        for urgency in (POLL, RETRY, SELF_HEAL, MANUAL, WEBHOOK):
            queue.enroll(f"application/a/{urgency}", "prod", "default")
            queue.request(f"application/a/{urgency}", "", urgency)
            ground.advance(1)
        order = []
        while bells := queue.dispatch(10):
            order.extend(bell.id.split("/")[2] for bell in bells)
            queue.finish(queue.begin(bells[0].id, 30), done=True, due_in=None)
        assert order == [urgency.value for urgency in Urgency]

    def test_urgency_starves_nobody(self, make_ground):
        ground = make_ground(slots=1)
        queue = ground.queue
        queue.enroll_poll("patient", "prod", 0)
        ground.advance(2401)
        queue.enroll(APP, "prod", "default")
        queue.request(APP, "push", WEBHOOK)
        assert ids(queue.dispatch(1)) == ["patient"]

    def test_a_more_urgent_request_hurries_what_is_already_due(self, make_ground):
        queue = make_ground(slots=1).queue
        for name in ("application/a/1", "application/a/2"):
            queue.enroll(name, "prod", "default")
            queue.request(name, "drift", SELF_HEAL)
        queue.request("application/a/2", "push", WEBHOOK)
        assert ids(queue.dispatch(10)) == ["application/a/2"]

    def test_dispatch_returns_no_more_than_asked(self, make_ground):
        queue = make_ground().queue
        for number in range(20):
            queue.enroll(f"application/a/{number}", f"cluster-{number % 3}", "default")
            queue.request(f"application/a/{number}", "push", WEBHOOK)
        assert [len(queue.dispatch(7)) for _ in range(4)] == [7, 7, 6, 0]

    def test_the_load_of_a_cluster_is_told(self, make_ground):
        ground = make_ground(slots=1)
        queue = ground.queue
        for number in range(3):
            queue.enroll(f"application/a/{number}", "prod", "default")
            queue.request(f"application/a/{number}", "push", WEBHOOK)
        queue.dispatch(10)
        ground.advance(8)
        load = queue.loads(["prod", "nowhere"])
        assert (load["prod"].depth, load["prod"].in_flight) == (2, 1)
        assert load["prod"].lag == pytest.approx(8, abs=1e-3)
        assert (load["nowhere"].depth, load["nowhere"].in_flight, load["nowhere"].lag) == (0, 0, 0)


class TestBreaker:
    @pytest.fixture
    def broken(self, make_ground):
        ground = make_ground()
        for number in range(3):
            ground.queue.enroll(f"application/a/{number}", "dark", "default")
            ground.queue.request(f"application/a/{number}", "push", WEBHOOK)
        ground.queue.enroll(APP, "prod", "default")
        ground.queue.request(APP, "push", WEBHOOK)
        for _ in range(3):
            ground.queue.report_cluster("dark", reachable=False, message="connection refused")
        return ground

    def test_two_failures_hold_nothing_back(self, make_ground):
        queue = make_ground().queue
        queue.enroll(APP, "dark", "default")
        queue.request(APP, "push", WEBHOOK)
        for answer in (False, False, True, False, False):
            queue.report_cluster("dark", reachable=answer, message="")
        assert ids(queue.dispatch(10)) == [APP]

    def test_whoever_reports_learns_whether_the_breaker_is_open(self, make_ground):
        queue = make_ground().queue
        answers = [
            queue.report_cluster("dark", reachable, "") for reachable in (False, False, False, False, True, False)
        ]
        assert answers == [False, False, True, True, False, False]

    def test_a_dark_cluster_gets_one_probe_a_minute_and_others_everything(self, broken):
        assert ids(broken.queue.dispatch(10)) == [APP]
        probes = []
        for second in range(0, 200, 5):
            broken.advance(5)
            bells = [bell.id for bell in broken.queue.dispatch(10) if bell.id != APP]
            probes.extend([second + 5] * len(bells))
            if bells:
                attempt = broken.queue.begin(bells[0], 30)
                broken.queue.report_cluster("dark", reachable=False, message="connection refused")
                broken.queue.finish(attempt, done=False, due_in=1)
        assert probes == [60, 120, 180]

    def test_a_cluster_that_answers_gets_everything_again(self, broken):
        broken.advance(61)
        assert len([name for name in ids(broken.queue.dispatch(10)) if name != APP]) == 1
        broken.queue.report_cluster("dark", reachable=True, message="")
        assert len(broken.queue.dispatch(10)) == 2
