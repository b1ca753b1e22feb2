"""The Celery tasks: ids in, a pipeline call, one word and the id out.

No result is stored. What a task returns travels in its event alone, for Flower's Tasks page: a word that is no secret
and the id that the message brought. A task whose application is in trouble fails, so that Flower can filter failures.
Arguments hold ids only, so nothing in Redis or Flower can leak or command anything: an edited message can at most make
somebody look at an application once more (T35, T37).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from celery import Task, shared_task

from gitops_workers.broker import publish
from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.core.status.trouble import failing, word
from gitops_workers.pipeline import announcements
from gitops_workers.pipeline.catalogue import refresh
from gitops_workers.pipeline.polling import poll as polling
from gitops_workers.pipeline.reconcile import attempt
from gitops_workers.wiring.worker_context import current

log = structlog.get_logger()

BATCH = 64
"""Doorbells that a finished task may pull at once: the freed slot and whatever else became due."""


class Failed(Exception):
    """What Flower files under FAILURE. Its text is a word and an id: the reason is on the application's own page."""


@shared_task(name="gitops.reconcile", bind=True, ignore_result=True, throws=(Failed,))
def reconcile(self: Task, app: str, generation: int) -> str:  # noqa: ARG001 - the generation is for people who read messages
    """Look at one application."""
    engine = current()
    with _timed("reconcile", app), _defects_hidden(app):
        status = attempt.reconcile(engine.context, app)
    publish(self.app, engine.context.queue.dispatch(BATCH))
    if status is None:
        return f"Skipped {app}"
    if failing(status):
        raise Failed(f"{word(status)} {app}")
    return f"{word(status)} {app}"


@shared_task(name="gitops.poll", bind=True, ignore_result=True, acks_late=False, throws=(Failed,))
def poll(self: Task, group: str, generation: int) -> str:  # noqa: ARG001
    """Look at one repository, one cluster, or the catalogue. It is acknowledged at once, see `runtime.pool`."""
    engine = current()
    error = None
    with _timed("poll", group), _defects_hidden(group):
        if group == CATALOGUE:
            refresh.refresh(engine.polling, engine.catalogues)
        else:
            error = polling.poll(engine.polling, group)
    publish(self.app, engine.context.queue.dispatch(BATCH))
    if error is not None:
        raise Failed(f"{type(error).__name__} {group}")
    return f"Polled {group}"


@contextmanager
def _defects_hidden(identity: str) -> Iterator[None]:
    """Tell a defect of ours by its class: its text may hold anything, and events are readable in Redis and Flower."""
    try:
        yield
    except Exception as defect:
        log.exception("task_crashed", id=identity)
        raise Failed(f"{type(defect).__name__} {identity}") from None


@contextmanager
def _timed(task: str, identity: str) -> Iterator[None]:
    """Say how long a slot was held: no task may take longer than its own requests."""
    began = time.monotonic()
    try:
        yield
    finally:
        log.debug("task_ended", task=task, id=identity, seconds=round(time.monotonic() - began, 3))
        announcements.unbind()
