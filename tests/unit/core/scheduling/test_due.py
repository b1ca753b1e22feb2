"""When to look again."""

import doctest
from collections import Counter

import pytest

from gitops_workers.core.scheduling import due
from gitops_workers.core.status import listing
from gitops_workers.core.sync.sync_policy import Retry


@pytest.mark.parametrize("module", [due, listing])
def test_examples_in_the_text_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_polls_spread_evenly_over_the_jitter():
    waits = [due.next_poll(120, 60, f"group-{n}/7") for n in range(6000)]
    assert min(waits) >= 120
    assert max(waits) < 180
    tenths = Counter(int((wait - 120) // 6) for wait in waits)
    assert all(450 < tenths[tenth] < 750 for tenth in range(10))


def test_a_restart_is_no_stampede():
    seconds = Counter(int(due.first_offset(f"group-{n}", 100)) for n in range(10_000))
    assert set(seconds) == set(range(100))
    assert max(seconds.values()) < 200


def test_the_answer_is_fixed_for_a_seed():
    assert due.next_poll(10, 5, "a") == due.next_poll(10, 5, "a") != due.next_poll(10, 5, "b")


@pytest.mark.parametrize(
    ("retry", "failures", "expected"),
    [
        (Retry(), 0, 5.0),
        (Retry(), 1, 5.0),
        (Retry(), 3, 20.0),
        (Retry(), 5, 80.0),
        (Retry(), 6, 180.0),
        (Retry(), 7, 180.0),
        (Retry(limit=2), 2, 10.0),
        (Retry(limit=2), 3, 180.0),
        (Retry(limit=-1), 6, 160.0),
        (Retry(limit=-1), 1_000_000, 180.0),
        (Retry(limit=0), 1, 180.0),
        (Retry(limit=0, maximum=600), 1, 600.0),
        (Retry(limit=-1, first=7, factor=1), 50, 7.0),
        (Retry(limit=-1, first=500), 1, 180.0),
    ],
)
def test_the_limit_counts_quick_retries_and_the_longest_pause_goes_on_for_ever(retry, failures, expected):
    assert due.retry_pause(retry, failures) == expected
