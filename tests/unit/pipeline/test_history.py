"""What the history keeps of a sync."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.testing.volatile_sources import VolatileRepository
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

URL = "https://robot:kanarie@git.example/shop.git"


def test_the_history_keeps_no_credential_of_a_url() -> None:
    lab = Lab()
    lab.repository = lab.sources.repositories.setdefault(URL, VolatileRepository())
    lab.push(manifest("ConfigMap", "a"))
    app = lab.declare()
    declared = lab.applications[app]
    lab.applications[app] = replace(declared, source=replace(declared.source, url=URL))
    lab.enroll()
    lab.run()
    stored = lab.clusters.records("east").load(app)
    assert stored is not None
    assert "https://git.example/shop.git" in stored.record.history[-1].source
    assert "kanarie" not in stored.record.history[-1].source
