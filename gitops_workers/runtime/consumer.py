"""The worker's consumer: a message that nobody can read is dropped, and the worker goes on.

Kombu always trusts the content types `application/data` and `application/text`, and Celery then asks bytes for `args`:
the TypeError ends the process, so one message by whoever can write Redis would end every worker (T34, T35).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer

log = logging.getLogger(__name__)


class SteadyConsumer(Consumer):  # type: ignore[misc]  # celery has no type information
    """Celery's consumer with a guarded entrance."""

    def create_task_handler(self, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
        """What is called with each message."""
        handle = super().create_task_handler(*arguments, **options)

        def guarded(message: Any) -> Any:
            try:
                return handle(message)
            except (TypeError, ValueError, AttributeError, KeyError):
                log.exception("an unreadable message was dropped (content type %s)", message.content_type)
                message.reject()
                return None

        return guarded
