"""What heartbeats tell about the settings that workers read."""

from __future__ import annotations

import pytest

from gitops_workers.core.settings.readings import Heard, heard, strangers
from gitops_workers.core.telemetry.presence import ABSENT_SECONDS, BEAT, WORKER, Presence, Process

NOW = 1_000_000.0
ONE, TWO = Process(WORKER, "one@host"), Process(WORKER, "two@host")
CLOCK = Process(BEAT, "beat@host")
LONG_AGO = NOW - ABSENT_SECONDS - 1


@pytest.mark.parametrize(
    ("processes", "readings", "digests", "complete"),
    [
        ({}, {}, set(), True),
        ({ONE: NOW, CLOCK: NOW}, {("one@host", "a"): NOW}, {"a"}, True),
        ({ONE: NOW, TWO: NOW - 30}, {("one@host", "a"): NOW, ("two@host", "b"): NOW - 30}, {"a", "b"}, True),
        # A worker of an older release tells nothing.
        ({ONE: NOW, TWO: NOW}, {("one@host", "a"): NOW}, {"a"}, False),
        # It was of this release once, under the same name.
        ({ONE: NOW, TWO: NOW}, {("one@host", "a"): NOW, ("two@host", "b"): NOW - 60}, {"a"}, False),
        # The only reader of b is being restarted: it left a moment ago.
        ({ONE: NOW}, {("one@host", "a"): NOW, ("two@host", "b"): NOW - 9}, {"a", "b"}, True),
        # It has been gone for long.
        ({ONE: NOW, TWO: LONG_AGO}, {("one@host", "a"): NOW, ("two@host", "b"): LONG_AGO}, {"a"}, True),
    ],
)
def test_what_is_heard(processes, readings, digests, complete):
    assert heard(Presence(NOW, processes, {}, readings)) == Heard(frozenset(digests), complete)


def test_a_worker_that_reads_what_is_in_force_and_one_that_tells_nothing_are_no_strangers():
    readings = {("one@host", "a"): NOW, ("two@host", "b"): NOW}
    three = Process(WORKER, "three@host")
    presence = Presence(NOW, {ONE: NOW, TWO: NOW, three: NOW}, {}, readings)
    assert [text.split(":")[0] for text in strangers(presence, "a")] == [
        "worker two@host reads settings b, and a are in force"
    ]
