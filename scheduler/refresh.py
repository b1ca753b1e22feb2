"""The catalogue's doorbells: have somebody look whether the declared Applications changed."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_workers.ports import Doorbell, Queue


def refresh_doorbells(queue: Queue, catalogues: int, seconds: float) -> Sequence[Doorbell]:
    """One `expand` per catalogue and interval, whichever replica asks first. Its id is the catalogue's index."""
    return [
        Doorbell("expand", "control", str(index), 0)
        for index in range(catalogues)
        if queue.every(f"expand/{index}", seconds)
    ]
