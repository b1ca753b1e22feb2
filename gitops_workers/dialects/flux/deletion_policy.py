"""Flux' `spec.deletionPolicy` (kustomize-controller 1.9; kustomize-controller 1314 tells what it was made for)."""

from __future__ import annotations

from gitops_workers.core.prune.deletion_request import Cascade, Deleting

MIRROR, DELETE, WAIT, ORPHAN = "MirrorPrune", "Delete", "WaitForTermination", "Orphan"


def deleting(policy: str, *, prune: bool, timeout: float) -> Deleting:
    """MirrorPrune, the default, deletes what `prune` would. Flux deletes in the background.

    `timeout` in seconds: past it what does not terminate is left to itself (Flux only logs it).
    """
    if policy == ORPHAN or (policy in ("", MIRROR) and not prune):
        return Deleting()
    return Deleting(Cascade.BACKGROUND, waits=policy == WAIT, timeout=timeout if policy == WAIT else 0.0)
