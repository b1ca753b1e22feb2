"""The Celery tasks: ids in, a pipeline call, nothing out.

Results are ignored and arguments hold ids only, so nothing in Redis or Flower can leak or command anything: an edited
message can at most make somebody look at an application once more (T35, T37).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from celery import Task, shared_task

from gitops_workers.core.grouping import CATALOGUE
from gitops_workers.engine import current
from gitops_workers.pipeline import attempt, catalogue
from gitops_workers.pipeline import poll as polling
from gitops_workers.publishing import publish

log = structlog.get_logger()

BATCH = 64
"""Doorbells that a finished task may pull at once: the freed slot and whatever else became due."""


@shared_task(name="gitops.reconcile", bind=True, ignore_result=True)
def reconcile(self: Task, app: str, generation: int) -> None:  # noqa: ARG001 - the generation is for people who read messages
    """Look at one application."""
    engine = current()
    with _timed("reconcile", app):
        attempt.reconcile(engine.world, app)
    publish(self.app, engine.world.queue.dispatch(BATCH))


@shared_task(name="gitops.poll", bind=True, ignore_result=True, acks_late=False)
def poll(self: Task, group: str, generation: int) -> None:  # noqa: ARG001
    """Look at one repository, one cluster, or the catalogue. It is acknowledged at once, see `pool`."""
    engine = current()
    with _timed("poll", group):
        if group == CATALOGUE:
            catalogue.refresh(engine.world, engine.catalogues)
        else:
            polling.poll(engine.world, group)
    publish(self.app, engine.world.queue.dispatch(BATCH))


@contextmanager
def _timed(task: str, identity: str) -> Iterator[None]:
    """Say how long a slot was held: no task may take longer than its own requests."""
    began = time.monotonic()
    try:
        yield
    finally:
        log.debug("task_ended", task=task, id=identity, seconds=round(time.monotonic() - began, 3))
