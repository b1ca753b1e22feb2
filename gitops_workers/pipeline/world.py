"""Everything the pipeline may reach, in one value that is built once per process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gitops_workers.ports import Closures, Clusters, Queue, Renderer, Secrets, Sources, State


@dataclass(frozen=True, slots=True)
class World:
    """The ports. `lease`, `interval` and `jitter` are in seconds.

    `interval` and `jitter` are Argo CD's `timeout.reconciliation`: a setting of the installation, for its manifests
    name none. Flux' name their own.
    """

    sources: Sources
    closures: Closures
    renderer: Renderer
    secrets: Secrets
    clusters: Clusters
    state: State
    queue: Queue
    lease: float = 30.0
    interval: float = 120.0
    jitter: float = 60.0
    clock: Callable[[], float] = time.monotonic
    """Seconds that only grow, for deadlines of this process alone."""
