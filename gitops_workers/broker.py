"""Doorbells into Celery messages: the only form in which anything of ours travels through the broker.

A message is `gitops.poll(group, generation)` or `gitops.reconcile(app, generation)`: ids only, re-resolved by whoever
answers. Losing one costs a lease, forging one costs a look.

The Celery application is an argument: beat, web and workers publish alike, and only they know Celery.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import structlog

from gitops_workers.ports import TaskMessage

log = structlog.get_logger()
ACQUIRE_SECONDS = 5.0


class Producer(Protocol):
    """Kombu's producer, as far as it is used."""

    def batch(self) -> AbstractContextManager[Any]:
        """Buffer what is published inside and send it in few round trips."""


class ProducerPool(Protocol):
    """Kombu's pool of producers."""

    def acquire(self, block: bool, timeout: float) -> AbstractContextManager[Producer]:
        """Lend one."""


class Queues(Protocol):
    """Celery's queues by name."""

    def __contains__(self, name: str) -> bool:
        """Whether the name is declared."""

    def add(self, queue: str) -> object:
        """Declare a direct queue of that name."""


class Amqp(Protocol):
    """The part of a Celery application that knows its queues."""

    @property
    def queues(self) -> Queues:
        """Queues by name."""


class Sender(Protocol):
    """A Celery application, as far as publishing needs one."""

    @property
    def amqp(self) -> Amqp:
        """Queues and routes."""

    @property
    def producer_pool(self) -> ProducerPool:
        """Producers on the broker."""

    def send_task(self, name: str, args: tuple[str, int], *, queue: str, producer: Producer) -> object:
        """Publish by name."""


def publish(sender: Sender, doorbells: Sequence[TaskMessage]) -> bool:
    """Send them in one batch, nothing is opened for none; whether the broker took them.

    Never raises: what is asked for is stored before anybody rings, and what did not arrive is rung again when its lease
    ends. A broker fails in many ways (kombu's errors, redis-py's, a pool without a free producer), and whoever has
    asked must not be told that their request failed for any of them.
    """
    try:
        send(sender, doorbells)
    except Exception as problem:  # noqa: BLE001 - see above
        log.warning("doorbells_not_sent", count=len(doorbells), error=type(problem).__name__, reason=str(problem))
        return False
    return True


def send(sender: Sender, doorbells: Sequence[TaskMessage]) -> None:
    """Send them in one batch. Raises whatever the broker's client raises; some may have arrived."""
    if not doorbells:
        return
    with sender.producer_pool.acquire(block=True, timeout=ACQUIRE_SECONDS) as producer, producer.batch():
        for bell in doorbells:
            # A fleet is named by a cluster's label, so a publisher may meet one that was not there at its start.
            if bell.queue not in sender.amqp.queues:
                sender.amqp.queues.add(bell.queue)
            sender.send_task(f"gitops.{bell.task}", (bell.id, bell.generation), queue=bell.queue, producer=producer)
