"""The engine of a worker process: what its tasks use."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import structlog

from gitops_workers.core.telemetry.presence import BEAT_SECONDS
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import Catalogue
from gitops_workers.settings import read

log = structlog.get_logger()

RELOAD_SECONDS = 5.0
"""How old what we know of kubeconfig and Secrets may be: a rotated token is used by the next attempt."""


@dataclass(slots=True)
class Engine:
    """The ports, the catalogues, and how to read credentials anew."""

    context: Context
    """What attempts use."""
    polling: Context
    """What polls use: the same, and they may wait as long as it takes."""
    catalogues: Sequence[Catalogue]
    reload: Callable[[], None]
    _checked: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self) -> Engine:
        """This engine, with credentials that are at most RELOAD_SECONDS old, or just being read anew.

        Nobody waits for the thread that reads: with a thousand manifests in the catalogue that cost a fleet's first
        sync a tenth of its time.
        """
        if time.monotonic() - self._checked > RELOAD_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._checked = time.monotonic()
                self.reload()
            finally:
                self._lock.release()
        return self


def current() -> Engine:
    """The engine of this process, built at the first task: after the fork, so that no connection is shared."""
    with _building:  # a worker's threads all come at once, and each engine costs connections and render children
        engine = _built()
    return engine.fresh()


def stay_fresh() -> NoReturn:
    """Look at the files of a worker that has no tasks, too: its heartbeat tells which settings they hold.

    A thread does this beside the heartbeat's, for a catalogue may lie on a Git host that takes its time.
    """
    while True:
        time.sleep(BEAT_SECONDS)
        try:
            current()
        except Exception as error:  # noqa: BLE001 - the store may be away; the next look finds the same files
            log.warning("settings_not_read", reason=type(error).__name__)


_building = threading.Lock()


@functools.cache
def _built() -> Engine:
    # Git, rendering and clusters: beat imports the tasks, too, and never runs one.
    from gitops_workers.wiring.worker import wired  # noqa: PLC0415

    return Engine(*wired(read(os.environ)))
