"""The catalogue's place in the due queue: nobody else would ask for it again after the store was emptied."""

from __future__ import annotations

from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.ports import Queue


def keep_catalogue(queue: Queue, seconds: float) -> None:
    """Enroll the catalogue, at most once per `seconds`, whichever replica asks first. What is enrolled stays as it is.

    The worker that has read the catalogue says when it is due again.
    """
    if queue.every(CATALOGUE, seconds):
        queue.enroll_poll(CATALOGUE, CATALOGUE, 0.0)
