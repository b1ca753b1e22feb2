"""Prune=false, Prune=confirm and PruneLast: what stays, what goes and when, and that it comes to rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.pipeline.moves import inventory
from tests.unit.pipeline.options_lab import (
    SYNC_OPTIONS,
    approve,
    config,
    deployment,
    looks_of,
    push,
    ready,
    synced,
    value,
)


class TestPrune:
    """Prune=false, Prune=confirm, PruneLast."""

    @pytest.mark.parametrize("sync", [{"prune_option": "false"}, {}])
    def test_what_is_kept_is_said_and_leaves_the_application_out_of_sync(self, sync: dict[str, Any]) -> None:
        marks = {} if sync else {SYNC_OPTIONS: "Prune=false"}
        lab, app = synced(config("a"), config("old", **marks), prune=True, **sync)

        push(lab, config("a", "2"))

        assert (value(lab, "a"), value(lab, "old")) == ("2", "1")
        assert lab.status(app).sync == "OutOfSync"
        assert "ConfigMap shop/old left Git and is kept" in lab.status(app).message
        assert [row.name for row in lab.state.resources(app) if row.status == "OutOfSync"] == ["old"]
        assert looks_of(lab) == 0

    def test_what_is_kept_and_extraneous_is_no_difference(self) -> None:
        marks = {SYNC_OPTIONS: "Prune=false", "argocd.argoproj.io/compare-options": "IgnoreExtraneous"}
        lab, app = synced(config("a"), config("old", **marks), prune=True)

        push(lab, config("a", "2"))

        assert value(lab, "old") == "1"
        assert lab.status(app).sync == "Synced"

    @pytest.mark.parametrize("change", ["1", "2"])
    def test_a_confirmation_counts_from_the_sync_on_that_asks_for_it(self, change: str) -> None:
        lab, app = synced(config("a"), config("old", **{SYNC_OPTIONS: "Prune=confirm"}), prune=True)
        before = lab.now
        lab.run(10)

        push(lab, config("a", change))
        assert value(lab, "old") == "1"
        assert lab.status(app).sync == "OutOfSync"
        assert "deletion-approved" in lab.status(app).message
        assert looks_of(lab) == 0

        approve(lab, app, before)
        assert value(lab, "old") == "1"

        approve(lab, app, lab.now)
        assert value(lab, "old") is None
        assert lab.status(app).sync == "Synced"
        assert inventory(lab, app) == ["a"]

    def test_an_old_confirmation_says_nothing_about_what_leaves_git_later(self) -> None:
        confirm = {SYNC_OPTIONS: "Prune=confirm"}
        lab, app = synced(config("a"), config("old", **confirm), config("late", **confirm), prune=True)
        push(lab, config("a"), config("late", **confirm))
        approve(lab, app, lab.now)
        assert (value(lab, "old"), value(lab, "late")) == (None, "1")

        push(lab, config("a"))

        assert value(lab, "late") == "1"
        assert "confirmation" in lab.status(app).message

    def test_a_confirmation_holds_for_all_waves_of_its_sync(self) -> None:
        confirm = {SYNC_OPTIONS: "Prune=confirm"}
        old = [config("first", wave=1, **confirm), config("second", wave=2, **confirm)]
        lab, app = synced(deployment("web", wave=1), *old, prune=True)
        ready(lab, "web")
        lab.run(30)
        push(lab, deployment("web", wave=1))
        assert (value(lab, "first"), value(lab, "second")) == ("1", "1")

        approve(lab, app, lab.now)

        lab.run(30)
        assert (value(lab, "first"), value(lab, "second")) == (None, None)

    def test_whoever_syncs_with_prune_has_confirmed(self) -> None:
        lab, app = synced(config("a"), config("old", **{SYNC_OPTIONS: "Prune=confirm"}), prune=True)
        push(lab, config("a"))

        lab.ask(app, prune=True)
        lab.run(5)

        assert value(lab, "old") is None

    def test_what_is_pruned_last_goes_when_everything_is_healthy(self) -> None:
        lab, app = synced(config("old"), config("older", wave=-1), prune=True, prune_last=True)

        push(lab, deployment("web", wave=3), config("a", wave=4))
        assert (value(lab, "old"), value(lab, "a")) == ("1", None)

        ready(lab, "web")
        lab.run(10)
        assert (value(lab, "old"), value(lab, "older"), value(lab, "a")) == (None, None, "1")
        assert lab.status(app).sync == "Synced"
