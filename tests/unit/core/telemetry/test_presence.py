"""Who is there, by heartbeats."""

import pytest

from gitops_workers.core.telemetry.presence import ABSENT_SECONDS, BEAT, WORKER, Presence, Process

NOW = 1_800_000_000.0
EAST = Process(WORKER, "one@host", ("control", "fleet.east"))
CLOCK = Process(BEAT, "beat@host")


def presence(**ages: float) -> Presence:
    """A worker of fleet east and a beat, heard of so many seconds ago."""
    names = {"worker": EAST, "beat": CLOCK}
    heard = {names[name]: NOW - age for name, age in ages.items()}
    return Presence(NOW, heard, {duty: at for process, at in heard.items() for duty in process.duties})


@pytest.mark.parametrize(("age", "count"), [(0, 1), (ABSENT_SECONDS, 1), (ABSENT_SECONDS + 1, 0), (9_000, 0), (-5, 1)])
def test_a_worker_counts_until_three_heartbeats_are_missing(age, count):
    assert presence(worker=age).workers("east") == count


def test_the_absence_of_a_fleet_is_a_sentence_with_its_moment_and_what_to_do():
    assert presence(worker=180).unserved("east") == (
        "no worker of fleet east since 2027-01-15T07:57:00Z, 3 min ago: its applications stay as they are; "
        "start `python -m gitops_workers.process worker --fleet east`"
    )


def test_nothing_is_missing_where_everybody_is_there():
    assert presence(worker=1, beat=1).absences(["east"]) == ()


def test_each_duty_that_nobody_does_is_named():
    assert [
        text.split(":")[0].split(" since")[0] for text in presence(worker=99, beat=99).absences(["east", "west"])
    ] == [
        "no beat",
        "no worker of queue control",
        "no worker of fleet east",
        "no worker of fleet west has been seen yet",
    ]
