"""The work of one tick: what has become due, and what was lost and found."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_workers.ports import Queue, TaskMessage

DISPATCH_LIMIT = 500
"""Doorbells of one tick: about 0.1 s of publishing, so that no tick holds up the next."""

SWEEP_LIMIT = 500
"""Members looked at in one tick; the queue looks at each every 30 s, so this keeps up with 15,000 per replica."""


def due_doorbells(queue: Queue) -> tuple[Sequence[TaskMessage], int]:
    """What to publish now, and how many members the sweep had to put back (they are among it, or in the next tick)."""
    healed = queue.sweep(SWEEP_LIMIT)
    return queue.dispatch(DISPATCH_LIMIT), healed
