"""Objects that Flux leaves alone: differences do not count, and nobody is rung for them."""

from __future__ import annotations

import pytest

from gitops_workers.core.model import Dialect, Phase
from gitops_workers.core.objects import key_of
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import inventory
from tests.unit.pipeline.options_lab import config, deployment, looks_of, push, ready, synced, value

SSA = "kustomize.toolkit.fluxcd.io/ssa"
RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile"


class TestLeftAlone:
    """Flux' marks: reconcile: disabled, ssa: Ignore, IfNotPresent."""

    @pytest.mark.parametrize("mark", [{SSA: "Ignore"}, {RECONCILE: "disabled"}])
    def test_what_git_marks_is_never_applied(self, mark: dict[str, str]) -> None:
        lab, app = synced(config("a"), config("b", **mark), dialect=Dialect.FLUX, prune=True, wait=True)

        assert (value(lab, "a"), value(lab, "b")) == ("1", None)
        status = lab.status(app)
        assert (status.sync, status.health, status.operation.phase) == ("Synced", "Current", Phase.SUCCEEDED)
        (row,) = (row for row in lab.state.resources(app) if row.name == "b")
        assert (row.status, row.message) == ("Synced", f"Left alone: {next(iter(mark))}: {next(iter(mark.values()))}.")
        assert looks_of(lab) == 0

    @pytest.mark.parametrize("mark", [{SSA: "ignore"}, {RECONCILE: "Disabled"}])
    def test_what_the_live_object_marks_is_left_alone_and_not_pruned(self, mark: dict[str, str]) -> None:
        lab, app = synced(config("a"), config("b"), dialect=Dialect.FLUX, prune=True, self_heal=True)
        lab.cluster.edit(config("b", "by hand", **mark))
        lab.poll_cluster()
        lab.run(5)
        assert value(lab, "b") == "by hand"
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0

        push(lab, config("a", "2"), config("b", "2"))
        assert (value(lab, "a"), value(lab, "b")) == ("2", "by hand")
        assert lab.status(app).sync == "Synced"

        push(lab, config("a", "2"))
        assert value(lab, "b") == "by hand"
        assert looks_of(lab) == 0

    def test_it_is_looked_after_again_when_the_mark_goes(self) -> None:
        lab, _ = synced(config("b"), dialect=Dialect.FLUX, self_heal=True)
        lab.cluster.edit(config("b", "by hand", **{SSA: "Ignore"}))
        lab.poll_cluster()
        lab.run(5)

        lab.cluster.edit(config("b", "by hand", **{SSA: "Override"}))
        lab.poll_cluster()
        lab.run(5)

        assert value(lab, "b") == "1"

    def test_what_need_only_be_there_is_created_and_left_alone(self) -> None:
        once = {SSA: "IfNotPresent"}
        lab, app = synced(config("a"), config("b", **once), dialect=Dialect.FLUX, prune=True, self_heal=True)
        assert value(lab, "b") == "1"

        lab.cluster.edit(config("b", "by hand"))
        lab.poll_cluster()
        push(lab, config("a"), config("b", "2", **once))
        assert value(lab, "b") == "by hand"
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0

        lab.cluster.remove(key_of(config("b")))
        lab.poll_cluster()
        lab.run(5)
        assert value(lab, "b") == "2"

        push(lab, config("a"))
        assert value(lab, "b") is None
        assert inventory(lab, app) == ["a"]

    def test_a_strangers_object_that_need_only_be_there_rings_nobody(self) -> None:
        lab = Lab()
        lab.cluster.edit(config("b", "theirs"))
        app = lab.declare(Dialect.FLUX, prune=True, self_heal=True)
        lab.push(config("a"), config("b", **{SSA: "IfNotPresent"}))
        lab.run(5)
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0

        push(lab, config("a"))
        assert value(lab, "b") == "theirs"

    def test_its_health_counts_for_the_sync_that_creates_it_only(self) -> None:
        once = deployment("web")
        once["metadata"]["annotations"] = {SSA: "IfNotPresent"}
        lab, app = synced(once, config("a"), dialect=Dialect.FLUX, wait=True, timeout=60.0)
        assert lab.status(app).operation.phase is Phase.RUNNING
        lab.run(10)
        assert lab.status(app).operation.phase is Phase.RUNNING

        ready(lab, "web")
        lab.run(10)
        assert lab.status(app).operation.phase is Phase.SUCCEEDED

        lab.cluster.put_status(key_of(once), {"replicas": 0})
        lab.poll_cluster()
        push(lab, once, config("a", "2"))
        assert lab.status(app).operation.phase is Phase.SUCCEEDED
        assert lab.status(app).health == "Current"

    def test_a_difference_that_is_ignored_by_a_mark_on_our_label_rings_nobody(self) -> None:
        lab, app = synced(config("a"), dialect=Dialect.FLUX, self_heal=True)
        lab.cluster.edit(config("a", "1", **{RECONCILE: "disabled"}))
        stolen = config("a")
        stolen["metadata"]["labels"] = {"applyset.kubernetes.io/part-of": "nobody"}
        lab.cluster.edit(stolen)
        lab.poll_cluster()
        lab.run(5)
        assert lab.status(app).sync == "Synced"
        assert looks_of(lab) == 0
