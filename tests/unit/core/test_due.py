"""When to look again."""

import doctest
from collections import Counter

import pytest

from gitops_workers.core import due, errors, listing
from gitops_workers.core.model import Retry


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
        (Retry(), 6, None),
        (Retry(limit=-1), 1_000_000, 180.0),
        (Retry(limit=0), 1, None),
        (Retry(limit=-1, first=7, factor=1), 50, 7.0),
        (Retry(limit=-1, first=500), 1, 180.0),
    ],
)
def test_backoff_grows_to_its_maximum_and_ends_at_its_limit(retry, failures, expected):
    assert due.backoff(retry, failures) == expected


@pytest.mark.parametrize(
    ("error", "failures", "expected"),
    [
        (errors.Superseded("newer"), 3, 0.0),
        (errors.ClusterUnavailable("down"), 2, 10.0),
        (errors.ClusterUnavailable("down"), 500, 180.0),
        (errors.Throttled("later", 42.0), 1, 42.0),
        (errors.Throttled("later", 1.0), 2, 10.0),
        (errors.RenderFailed("bad"), 1, 600.0),
        (errors.PolicyRefused("no"), 9, 600.0),
    ],
)
def test_each_class_of_error_has_its_own_patience(error, failures, expected):
    assert due.after_error(error, Retry(), failures) == expected
