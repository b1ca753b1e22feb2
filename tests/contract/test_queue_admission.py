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
        order: list[str] = []
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
        bell = queue.dispatch(10)[0]
        ground.advance(8)
        queue.begin(bell.id, 30)
        load = queue.cluster_loads(["prod", "nowhere"])
        assert (load["prod"].depth, load["prod"].in_flight) == (2, 1)
        assert load["prod"].lag == pytest.approx(8, abs=1e-3)
        assert (load["nowhere"].depth, load["nowhere"].in_flight, load["nowhere"].lag) == (0, 0, 0)

    def test_what_was_published_and_nobody_took_waits_from_the_moment_it_became_due(self, make_ground):
        ground = make_ground(slots=2, ring=60)
        queue = ground.queue
        for number in range(3):
            queue.enroll(f"application/a/{number}", "prod", "default")
            queue.request(f"application/a/{number}", "push", WEBHOOK)
        for passed in (5, 100, 300, 2_000):
            queue.dispatch(10)
            before = queue.cluster_loads(["prod"])["prod"].lag
            ground.advance(passed)
            load = queue.cluster_loads(["prod"])["prod"]
            assert (load.depth, load.in_flight) == (3, 0)
            assert load.lag == pytest.approx(before + passed, abs=1e-3)
        for bell in queue.dispatch(10):
            queue.finish(queue.begin(bell.id, 30), done=True, due_in=1_000)
        for bell in queue.dispatch(10):
            queue.finish(queue.begin(bell.id, 30), done=True, due_in=1_000)
        load = queue.cluster_loads(["prod"])["prod"]
        assert (load.depth, load.in_flight, load.lag) == (0, 0, 0)


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

    def test_a_dark_cluster_is_probed_ever_more_slowly_until_once_a_minute_and_others_get_everything(self, broken):
        assert ids(broken.queue.dispatch(10)) == [APP]
        probes = []
        for second in range(0, 260, 5):
            broken.advance(5)
            bells = [bell.id for bell in broken.queue.dispatch(10) if bell.id != APP]
            probes.extend([second + 5] * len(bells))
            if bells:
                attempt = broken.queue.begin(bells[0], 30)
                broken.queue.report_cluster("dark", reachable=False, message="connection refused")
                broken.queue.finish(attempt, done=False, due_in=1)
        assert probes == [10, 30, 70, 130, 190, 250]

    def test_no_second_probe_goes_out_while_the_first_has_no_answer(self, broken):
        broken.queue.dispatch(10)
        broken.advance(10)
        (probe,) = ids(broken.queue.dispatch(10))
        attempt = broken.queue.begin(probe, 30)
        for _ in range(20):
            broken.advance(10)
            assert broken.queue.renew(attempt, 30)
            assert set(ids(broken.queue.dispatch(10))) <= {APP}
        broken.queue.finish(attempt, done=False, due_in=None)
        assert len(broken.queue.dispatch(10)) == 1

    def test_a_cluster_that_answers_gets_everything_again(self, broken):
        broken.advance(61)
        assert len([name for name in ids(broken.queue.dispatch(10)) if name != APP]) == 1
        broken.queue.report_cluster("dark", reachable=True, message="")
        assert len(broken.queue.dispatch(10)) == 2


class TestRecovery:
    """A lane with more members due than it has slots, and a breaker that has just opened."""

    @pytest.fixture
    def ground(self, make_ground):
        ground = make_ground(slots=32)
        for number in range(100):
            ground.queue.enroll(f"application/a/{number}", "dark", "default")
            ground.queue.request(f"application/a/{number}", "push", WEBHOOK)
        for _ in range(3):
            ground.queue.report_cluster("dark", reachable=False, message="refused", prober="cluster/dark")
        return ground

    def test_the_poll_that_finds_out_goes_before_everything_however_late_it_was_asked_for(self, ground):
        ground.advance(9)
        ground.queue.enroll_poll("cluster/dark", "dark", 0.5)
        ground.advance(1)
        assert ids(ground.queue.dispatch(10)) == ["cluster/dark"]

    def test_whoever_has_waited_longest_finds_out_where_no_poll_is_due(self, ground):
        ground.queue.enroll_poll("cluster/dark", "dark", 500)
        ground.advance(10)
        assert ids(ground.queue.dispatch(10)) == ["application/a/0"]

    def test_the_first_success_of_any_kind_lets_two_through_and_each_further_one_twice_as_many(self, ground):
        ground.advance(10)
        served = []
        for _ in range(4):
            bells = ground.queue.dispatch(100)
            served.append(len(bells))
            for attempt in [ground.queue.begin(bell.id, 30) for bell in bells]:
                ground.queue.finish(attempt, done=True, due_in=None, answered=True)
        # After 1 success two, after 1 + 2 eight, and after five the lane has all its slots again.
        assert served == [1, 2, 8, 32]

    def test_an_attempt_that_asked_nothing_of_the_cluster_is_no_success(self, ground):
        ground.advance(10)
        (bell,) = ground.queue.dispatch(100)
        ground.queue.finish(ground.queue.begin(bell.id, 30), done=True, due_in=None)
        assert ground.queue.dispatch(100) == ()

    def test_a_failure_after_the_first_successes_lets_one_through_at_a_time(self, ground):
        ground.advance(10)
        (bell,) = ground.queue.dispatch(100)
        ground.queue.finish(ground.queue.begin(bell.id, 30), done=True, due_in=None, answered=True)
        one, other = (ground.queue.begin(bell.id, 30) for bell in ground.queue.dispatch(100))
        ground.queue.report_cluster("dark", reachable=False, message="refused")
        ground.queue.finish(one, done=False, due_in=100)
        assert ground.queue.dispatch(100) == ()
        ground.queue.finish(other, done=False, due_in=100)
        assert len(ground.queue.dispatch(100)) == 1

    def test_what_hangs_after_the_first_success_does_not_keep_the_others_waiting(self, ground):
        ground.advance(10)
        (bell,) = ground.queue.dispatch(100)
        ground.queue.finish(ground.queue.begin(bell.id, 30), done=True, due_in=None, answered=True)
        for bell in ground.queue.dispatch(100):
            assert ground.queue.begin(bell.id, 300)
        assert ground.queue.dispatch(100) == ()
        ground.advance(10)
        assert len(ground.queue.dispatch(100)) == 1


class TestLanes:
    """Polls of repositories are admitted by host, and no lane is special, not even one without a name."""

    @pytest.mark.parametrize("lane", ["prod", "", "//git.example.com", "catalogue"])
    def test_a_poll_gives_its_slot_back_at_its_end(self, make_ground, lane):
        queue = make_ground(slots=1, host_slots=1).queue
        for number in range(3):
            queue.enroll_poll(f"repository/{number}", lane, 0)
        for _ in range(3):
            (bell,) = queue.dispatch(10)
            attempt = queue.begin_poll(bell.id, 30)
            assert queue.cluster_loads([lane])[lane].in_flight == 1
            assert queue.dispatch(10) == ()
            queue.finish_poll(attempt, 100)
            assert queue.cluster_loads([lane])[lane].in_flight == 0

    @pytest.mark.parametrize("lane", ["prod", ""])
    def test_an_application_that_is_forgotten_gives_its_slot_back(self, make_ground, lane):
        queue = make_ground(slots=1).queue
        for name in ("application/a/1", "application/a/2"):
            queue.enroll(name, lane, "default")
            queue.request(name, "push", WEBHOOK)
        (bell,) = queue.dispatch(10)
        queue.delete(bell.id)
        assert len(queue.dispatch(10)) == 1

    def test_a_git_host_has_a_limit_of_its_own(self, make_ground):
        queue = make_ground(slots=1, host_slots=3).queue
        for host in ("one", "other"):
            for number in range(5):
                queue.enroll_poll(f"repository/{host}{number}", f"//{host}", 0)
        queue.enroll_poll("cluster/prod", "prod", 0)
        rung = ids(queue.dispatch(100))
        assert sorted(name[:-1] for name in rung) == ["cluster/pro", *["repository/one"] * 3, *["repository/other"] * 3]

    def test_a_repository_that_moves_to_another_host_keeps_its_due_time(self, make_ground):
        ground = make_ground()
        ground.queue.enroll_poll("repository/1", "//one", 50)
        ground.queue.enroll_poll("repository/1", "//other", 500)
        ground.advance(51)
        assert ids(ground.queue.dispatch(10)) == ["repository/1"]
        assert ground.queue.begin_poll("repository/1", 30)
        loads = ground.queue.cluster_loads(["//one", "//other"])
        assert (loads["//one"].in_flight, loads["//other"].in_flight) == (0, 1)

    def fail(self, queue, *names):
        for name in names:
            queue.finish_poll(queue.begin_poll(name, 30), 0, answered=False, message="no answer")

    def test_one_broken_repository_does_not_close_its_host_to_the_others(self, make_ground):
        queue = make_ground().queue
        for name in ("broken", "sound"):
            queue.enroll_poll(name, "//one", 0)
        self.fail(queue, *["broken"] * 10)
        assert sorted(ids(queue.dispatch(10))) == ["broken", "sound"]

    def test_a_host_is_closed_when_several_repositories_get_no_answer_and_its_first_success_opens_it(self, make_ground):
        ground = make_ground()
        queue = ground.queue
        for number in range(9):
            queue.enroll_poll(f"r{number}", "//one", 0)
        ground.advance(1)
        self.fail(queue, "r1", "r0", "r1")
        assert queue.dispatch(10) == ()
        ground.advance(10)
        assert ids(queue.dispatch(10)) == ["r2"], "not those that have just failed"
        queue.finish_poll(queue.begin_poll("r2", 30), 100, answered=True)
        assert len(queue.dispatch(10)) == 2

    def test_an_outcome_that_says_nothing_of_the_host_neither_opens_nor_closes_its_breaker(self, make_ground):
        queue = make_ground().queue
        for number in range(4):
            queue.enroll_poll(f"r{number}", "//one", 0)
        self.fail(queue, "r0", "r1")
        queue.finish_poll(queue.begin_poll("r3", 30), 100)
        self.fail(queue, "r2")
        assert queue.dispatch(10) == ()
