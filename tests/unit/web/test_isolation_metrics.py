"""A dashboard can tell which workers render without a means that the others have."""

from __future__ import annotations

from gitops_workers.core.telemetry.presence import BEAT, WORKER, Process
from tests.unit.web.test_metrics import samples


def test_each_worker_tells_each_means(world):
    world.telemetry.report(Process(WORKER, "one@host", ("control",), ("system_call_filter", "landlock")), {})
    world.telemetry.report(Process(BEAT, "beat@host"), {})

    found = {
        (labels["worker"], labels["means"]): value
        for name, labels, value in samples(world)
        if name == "gitops_render_isolation"
    }

    assert found == {
        ("one@host", "network_namespace"): 0.0,
        ("one@host", "system_call_filter"): 1.0,
        ("one@host", "chroot"): 0.0,
        ("one@host", "landlock"): 1.0,
        ("one@host", "own_user"): 0.0,
    }
