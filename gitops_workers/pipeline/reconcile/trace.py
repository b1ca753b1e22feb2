"""What an attempt came by on its way and nobody needs but those who ask why."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.sync.plan import Plan
from gitops_workers.pipeline.reconcile.revision import RenderedRevision


@dataclass(frozen=True, slots=True)
class Trace:
    """The values of the stages that an attempt reached; None: it did not."""

    chosen: RenderedRevision | None = None
    stale: int = 0
    """Objects that left Git."""
    pruning: Pruning | None = None
    plan: Plan | None = None
    failed: str = ""
    """The stage that failed (`core.explain.explanation.ORDER`, or Operation)."""


NOTHING = Trace()
"""Of an attempt that reached no stage."""
