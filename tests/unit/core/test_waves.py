"""The number of a sync wave, as Go's `strconv.Atoi` reads it."""

from __future__ import annotations

import pytest

from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Deletion
from gitops_workers.core.sync.ordering import HOOK_WEIGHT, SYNC_WAVE, prune_waves, wave_of
from tests.unit.core.making import manifest


@pytest.mark.parametrize(
    ("text", "wave"),
    [
        *(("5", 5), ("-5", -5), ("+5", 5), ("007", 7)),
        *(("9223372036854775807", 2**60), ("-9223372036854775808", -(2**60))),
        *((" 5", 0), ("5 ", 0), ("1_000", 0), ("٣", 0), ("0x5", 0), ("5.0", 0), ("", 0), ("9223372036854775808", 0)),
        *(("9" * 5000, 0), ("5\n", 0)),
    ],
)
def test_only_what_go_reads_is_a_wave(text: str, wave: int) -> None:
    found = manifest("ConfigMap", "a")
    found["metadata"]["annotations"] = {SYNC_WAVE: text}
    assert wave_of(found) == wave
    found["metadata"]["annotations"] = {HOOK_WEIGHT: text}
    assert wave_of(found) == wave
    found["metadata"]["annotations"] = {SYNC_WAVE: text, HOOK_WEIGHT: "3"}
    assert wave_of(found) == (wave or 3)


@pytest.mark.parametrize("wave", [-(2**60), -1, 0, 2**41, 2**60])
def test_no_wave_comes_after_what_is_pruned_last(wave: int) -> None:
    key = ObjectKey("", "ConfigMap", "shop", "a")
    last = Deletion(key, "v1", "1", wave, "Foreground", last=True).turn
    plain = Deletion(key, "v1", "2", wave, "Foreground").turn

    waves = prune_waves([last, plain], [wave])
    assert waves[last] > waves[plain]
    assert waves[last] > wave
    assert max(map(abs, (last, plain, *waves.values()))) < 2**63
