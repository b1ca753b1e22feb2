"""The worker's threads in two compartments: polls have their own, so that what they wait for never stops a reconcile.

A poll waits for a Git host or an API server, perhaps for a minute, and does little else; forty that wait for a dead
host would take every thread of a shared pool (F24). With threads of their own they cost a few hundred kilobytes.
A poll's message is acknowledged when it arrives: unacknowledged ones count against the prefetch limit, and polls
that wait would keep the worker from fetching a reconcile. A poll that is lost with its worker is rung again, as is any
lost message.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery.concurrency.base import apply_target
from celery.concurrency.thread import ApplyResult, TaskPool

from gitops_workers.settings import read

POLL = "gitops.poll"


class CompartmentPool(TaskPool):  # type: ignore[misc]  # celery has no type information
    """Celery's thread pool of `GITOPS_CONCURRENCY` for reconciles, and `GITOPS_POLL_CONCURRENCY` threads for polls."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As Celery makes its pools. Threads start when they are needed."""
        super().__init__(*arguments, **options)
        self.polls = ThreadPoolExecutor(read(os.environ).poll_concurrency, thread_name_prefix="poll")

    def on_stop(self) -> None:
        """Wait for what runs; what has not begun is rung again by the due queue."""
        self.polls.shutdown(wait=False, cancel_futures=True)
        super().on_stop()
        self.polls.shutdown(cancel_futures=True)

    def on_apply(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        callback: Callable[..., Any] | None = None,
        accept_callback: Callable[..., Any] | None = None,
        **options: Any,
    ) -> ApplyResult:
        """Run one task; the first of `args` is its name."""
        if not args or args[0] != POLL:
            return super().on_apply(target, args, kwargs, callback, accept_callback, **options)
        if accept_callback is not None:
            accept_callback(os.getpid(), time.monotonic())
        return ApplyResult(self.polls.submit(apply_target, target, args, kwargs, callback))
