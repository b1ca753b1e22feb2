"""Workers and beats that die: others go on, and nothing is forgotten."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults.conftest import Experiment
from tests.faults.ground import BIG, Ground

pytestmark = pytest.mark.timeout(300)
KILLS = 6


def test_f01_workers_are_killed_in_the_middle_of_syncs(ground: Ground, experiment: Experiment) -> None:
    chance = random.Random(1)
    seen = len(ground.deletes())
    for turn in range(KILLS):
        ground.change_everything()
        time.sleep(chance.uniform(0.5, 4.0))
        ground.kill(f"worker-{turn % 2}")
        ground.start(f"worker-{turn % 2}")
    seconds = ground.converge("after the last kill")
    assert not ground.orphans()
    assert ground.deletes()[seen:] == []
    experiment.detail = f"{KILLS} kills at random moments; in sync {seconds:.1f} s after the last"


def test_f12_a_beat_is_killed_and_another_goes_on(ground: Ground, experiment: Experiment) -> None:
    ground.start("beat-2", like="beat")
    time.sleep(2.0)
    ground.kill("beat")
    ground.change_everything()
    seconds = ground.converge("with the second beat")
    ground.start("beat")
    experiment.detail = f"push to in sync on the second beat: {seconds:.1f} s"


def test_f31_a_crash_between_inventory_and_apply(ground: Ground, experiment: Experiment) -> None:
    """Both workers die while the record is open: its inventory is written, some of its objects are not."""
    places = []
    for turn in range(3):
        new = f"new{turn}"
        ground.turn += 1
        ground.content[BIG] = {**dict.fromkeys(ground.content[BIG], f"{ground.turn}"), new: f"{ground.turn}"}
        ground.push()
        while not (record := ground.record(BIG)) or not record["open"]:
            time.sleep(0.002)
        time.sleep(0.03 * turn)
        ground.kill("worker-0")
        ground.kill("worker-1")
        listed = {row[3] for row in (ground.record(BIG) or {})["inventory"]}
        live = {key[1]: value for key, value in ground.live("east").items() if key[0] == BIG}
        places.append(sum(value == f"{ground.turn}" for value in live.values()))
        assert listed >= live.keys(), "an object that nobody remembers"
        assert new in listed, "the inventory comes before the objects"
        ground.start("worker-0")
        ground.start("worker-1")
        ground.converge("after the crash")
    assert not ground.orphans()
    record = ground.record(BIG)
    assert record is not None
    assert record["open"] is False
    total = len(ground.content[BIG])
    experiment.detail = f"killed with {', '.join(map(str, places))} of {total} objects written; all finished"
