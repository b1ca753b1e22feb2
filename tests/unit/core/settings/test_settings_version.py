"""Which of several readings of the settings is the newest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.settings.settings_version import (
    KEPT,
    PROPAGATION,
    SettingsVersion,
    Standing,
    from_document,
    standing,
    to_document,
)

FIRST = SettingsVersion("first", 100.0)
SECOND = FIRST.followed_by("second", 200.0)


@pytest.mark.parametrize(
    ("own", "read_at", "stored", "now", "expected"),
    [
        ("first", {"first": 90.0}, None, 100.0, Standing.NEWER),
        ("first", {"first": 90.0}, FIRST, 110.0, Standing.SAME),
        ("second", {"first": 90.0, "second": 200.0}, FIRST, 200.0, Standing.NEWER),
        ("first", {"first": 90.0}, SECOND, 201.0, Standing.OLDER),
        # A process that starts on a host with the old text knows no more than one that has always run there.
        ("first", {"first": 210.0}, SECOND, 210.0, Standing.OLDER),
        ("first", {"first": 210.0}, SECOND, 200.0 + PROPAGATION, Standing.NEWER),
        # Somebody put the first text back, and this process had read the second one.
        ("first", {"second": 200.0, "first": 205.0}, SECOND, 205.0, Standing.NEWER),
        # A text nobody has seen is newer, whatever this process read before.
        ("third", {"third": 203.0}, SECOND, 203.0, Standing.NEWER),
    ],
)
def test_where_a_reading_stands(own, read_at, stored, now, expected):
    assert standing(own, read_at, stored, now) is expected


def test_the_replaced_versions_are_bounded_and_name_each_digest_once():
    version = FIRST
    for number in range(50):
        version = version.followed_by(f"text-{number % 20}", 200.0 + number)
    digests = [digest for digest, _ in version.replaced]
    assert len(digests) == KEPT
    assert len(set(digests)) == KEPT
    assert digests[0] == "text-8"


@pytest.mark.parametrize("value", [None, 3, [], {}, {"digest": "a"}, {"digest": "a", "since": "x", "replaced": []}])
def test_a_document_that_cannot_be_read_is_none(value):
    assert from_document(value) is None


def test_a_document_reads_as_it_was_written():
    assert from_document({**to_document(SECOND), "later": 1}) == SECOND


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_workers_that_end_with_one_text_agree_on_it(order, random):
    """Whatever the order in which hosts get a new text, the version in force is the text all of them have at last."""
    now, stored = 1000.0, None
    read: list[dict[str, float]] = [{"old": now} for _ in range(4)]
    text = ["old"] * 4
    for host in [*order, 0, 1, 2, 3]:
        now += 0.01 + random.random()
        text[host] = "new"
        read[host].setdefault("new", now)
        for worker in random.sample(range(4), 4):
            if standing(text[worker], read[worker], stored, now) is Standing.NEWER:
                stored = stored.followed_by(text[worker], now) if stored else SettingsVersion(text[worker], now)
    assert stored is not None
    assert stored.digest == "new"
    assert all(standing(text[worker], read[worker], stored, now) is Standing.SAME for worker in range(4))
