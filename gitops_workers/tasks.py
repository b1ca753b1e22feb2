"""The Celery tasks: ids in, a pipeline call, nothing out.

Results are ignored and arguments hold ids only, so nothing in Redis or Flower can leak or command anything: an edited
message can at most make somebody look at an application once more (T35, T37).
"""

from __future__ import annotations

from celery import shared_task

from gitops_workers.core.grouping import CATALOGUE
from gitops_workers.pipeline import attempt, catalogue
from gitops_workers.pipeline import poll as polling
from gitops_workers.publishing import publish
from gitops_workers.wiring import current

BATCH = 64
"""Doorbells that a finished task may pull at once: the freed slot and whatever else became due."""


@shared_task(name="gitops.reconcile", ignore_result=True)
def reconcile(app: str, generation: int) -> None:  # noqa: ARG001 - the generation is for people who read messages
    """Look at one application."""
    engine = current()
    attempt.reconcile(engine.world, app)
    publish(engine.celery, engine.world.queue.dispatch(BATCH))


@shared_task(name="gitops.poll", ignore_result=True)
def poll(group: str, generation: int) -> None:  # noqa: ARG001
    """Look at one repository, one cluster, or the catalogue."""
    engine = current()
    if group == CATALOGUE:
        catalogue.refresh(engine.world, engine.catalogues)
    else:
        polling.poll(engine.world, group)
    publish(engine.celery, engine.world.queue.dispatch(BATCH))
