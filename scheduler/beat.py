"""The beat process: `celery -A gitops_workers.app beat -S scheduler.beat:DueScheduler`, any number of replicas.

Celery's own beat keeps its schedule in one process and compares all of it at every tick (132 ms for 10,000 entries);
here a tick is one call to the due queue. A replica that dies between popping and publishing costs those members one
lease. One that was frozen finds nothing to catch up on: due times are the store's, not its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from typing import Any

from celery.beat import Scheduler

from gitops_workers import settings
from gitops_workers.broker import publish
from gitops_workers.core.telemetry.presence import BEAT, BEAT_SECONDS, Process
from gitops_workers.ports import Queue, Telemetry
from gitops_workers.runtime.heartbeat import report
from gitops_workers.runtime.meters import METER
from gitops_workers.runtime.own_metrics import serve_own
from gitops_workers.wiring.stores import open_queue, open_telemetry
from scheduler.due import DISPATCH_LIMIT, due_doorbells
from scheduler.refresh import keep_catalogue

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class DueScheduler(Scheduler):  # type: ignore[misc]  # celery has no type information
    """Celery's scheduler interface over the due queue; the schedule of its base class stays empty."""

    queue: Queue
    _telemetry: Telemetry
    _process: Process
    _told: float
    _catalogue: bool
    _refresh_seconds: float

    def setup_schedule(self) -> None:
        """Open the queue by GITOPS_REDIS_URL. Raises InvalidManifest when a setting is wrong or missing."""
        chosen = settings.read(os.environ)
        self.queue = open_queue(chosen)
        self._telemetry = open_telemetry(chosen)
        self._process = Process(BEAT, f"beat-{os.getpid()}@{socket.gethostname()}")
        self._told = -BEAT_SECONDS
        serve_own(chosen)
        self._catalogue = bool(chosen.catalogue)
        self._refresh_seconds = chosen.catalogue_interval

    def tick(self, *_: Any, **__: Any) -> float:
        """Publish what is due; seconds until the next tick. Never raises: the store and the broker come back."""
        try:
            if self._catalogue:
                keep_catalogue(self.queue, self._refresh_seconds)
            bells, healed = due_doorbells(self.queue)
            publish(self.app, bells)
            self._tell()
        except Exception:
            # Anything at all: a beat that exits is the one failure that nothing else repairs.
            log.exception("this tick failed; what it had popped is due again after its lease")
            return TICK_SECONDS
        if healed:
            log.warning("the sweep put %d lost members back", healed)
        return 0.0 if len(bells) >= DISPATCH_LIMIT else TICK_SECONDS

    def _tell(self) -> None:
        """After a tick that did its work, and from no thread: a beat that is stuck is to be missed."""
        if time.monotonic() - self._told >= BEAT_SECONDS and report(self._telemetry, self._process, METER):
            self._told = time.monotonic()

    def close(self) -> None:
        """Say goodbye: another replica may be there, and nobody has to wait to miss this one."""
        with contextlib.suppress(Exception):  # the process ends; its silence says the same
            self._telemetry.leave(self._process)

    def should_sync(self) -> bool:
        """There is nothing to write down: the schedule lives in the store."""
        return False

    @property
    def info(self) -> str:
        """What Celery's start banner prints."""
        return f"    . due queue in Redis, tick {TICK_SECONDS:g} s"
