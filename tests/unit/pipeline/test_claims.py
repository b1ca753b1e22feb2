"""Two applications that declare one object: the second is refused until the first has given it up (F32)."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.model import SyncStatus
from tests.unit.pipeline.hazards import HazardLab
from tests.unit.pipeline.moves import config, head, values


class TestTwoApplications:
    """One object, claimed by two (F32)."""

    def claimed(self, lab: HazardLab, **sync: Any) -> tuple[str, str]:
        lab.push(config("a"), config("b"))
        first = lab.declare(self_heal=True, **sync)
        lab.settle_down(10)
        tree = {path: lab.repository.blobs[oid] for path, (_, oid) in head(lab).files.items()}
        lab.push(config("a", "rival"), config("own", "rival"), path="rival")
        both = {**tree, **{path: lab.repository.blobs[oid] for path, (_, oid) in head(lab).files.items()}}
        lab.order[lab.repository.commit(both)] = 2
        second = lab.declare(name="rival", path="rival", self_heal=True)
        lab.settle_down(300)
        return first, second

    def test_the_second_is_refused_and_the_first_unharmed(self) -> None:
        lab = HazardLab()
        first, second = self.claimed(lab)
        assert values(lab) == {"a": "1", "b": "1"}
        assert f"ConfigMap shop/a belongs to {first}" in lab.status(second).message
        assert lab.status(first).sync is SyncStatus.SYNCED

    def test_that_holds_when_redis_is_emptied(self) -> None:
        lab = HazardLab()
        first, second = self.claimed(lab)
        lab.flush()
        lab.settle_down(300)
        assert values(lab) == {"a": "1", "b": "1"}
        assert first in lab.status(second).message

    def test_what_the_first_has_given_up_is_taken_over_without_being_deleted(self) -> None:
        lab = HazardLab()
        _, second = self.claimed(lab)
        uid = lab.live("ConfigMap", "a")["metadata"]["uid"]
        tree = {path: lab.repository.blobs[oid] for path, (_, oid) in head(lab).files.items()}
        left = {path: data for path, data in tree.items() if path != "web/0.json"}
        lab.order[lab.repository.commit(left)] = 3
        lab.settle_down(400)
        assert values(lab) == {"a": "rival", "b": "1", "own": "rival"}
        assert lab.live("ConfigMap", "a")["metadata"]["uid"] == uid
        assert lab.status(second).sync is SyncStatus.SYNCED

    def test_an_application_that_is_gone_owns_nothing(self) -> None:
        lab = HazardLab()
        first, second = self.claimed(lab)
        lab.queue.delete(first)
        lab.state.delete_application(first)
        del lab.applications[first]
        lab.enroll()
        lab.settle_down(400)
        assert values(lab)["a"] == "rival"
        assert lab.status(second).sync is SyncStatus.SYNCED
