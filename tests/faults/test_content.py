"""Commits that are broken, empty or half empty: nothing is deleted for them, and the next good one is applied."""

from __future__ import annotations

import time

import pytest

from tests.faults.conftest import Experiment
from tests.faults.ground import BIG, Ground, until

pytestmark = pytest.mark.timeout(300)


def test_f25_an_empty_render_and_a_mass_prune_delete_nothing(ground: Ground, experiment: Experiment) -> None:
    seen = len(ground.deletes())
    whole, small = ground.content[BIG], ground.content["app-1"]
    ground.content[BIG] = dict(list(whole.items())[:5])
    ground.content["app-1"] = {}
    ground.extra = {"apps/app-1/README": b"nothing else"}
    ground.push()
    until(lambda: "would be deleted" in ground.status(BIG).message, 60, "the refusal of the mass prune")
    until(lambda: "would be deleted" in ground.status("app-1").message, 60, "the refusal of the empty render")
    mass, empty = ground.status(BIG).message, ground.status("app-1").message
    ground.extra = {"apps/app-1/broken.yaml": b"a: [", "apps/app-1/a.yaml": b"kind: ConfigMap"}
    ground.push()
    until(lambda: ground.status("app-1").sync == "Unknown", 60, "the render that fails")
    assert ground.deletes()[seen:] == []
    ground.content[BIG], ground.content["app-1"], ground.extra = whole, small, {}
    ground.push()
    ground.converge("the whole content again")
    assert ground.deletes()[seen:] == []
    experiment.detail = f"{mass[:60]} | {empty[:60]}"


def test_f26_a_broken_commit_between_two_good_ones(ground: Ground, experiment: Experiment) -> None:
    times = []
    for pause in (0.0, 0.4):
        ground.change_everything()
        time.sleep(pause)
        ground.extra = {f"apps/app-{number}/broken.yaml": b"a: [" for number in range(24)}
        ground.change_everything()
        time.sleep(pause)
        ground.extra = {}
        ground.change_everything()
        times.append(ground.converge("the third commit"))
    experiment.detail = f"in sync with the third commit after {', '.join(f'{s:.1f}' for s in times)} s"
