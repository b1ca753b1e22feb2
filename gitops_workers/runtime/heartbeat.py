"""The heartbeat of a process: every ten seconds the store learns that it is there and what it has done."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from gitops_workers.core.telemetry.presence import BEAT_SECONDS, Process
from gitops_workers.ports import Telemetry
from gitops_workers.runtime.meters import ProcessMeter

log = structlog.get_logger()


class Heartbeat:
    """Reports in a thread of its own, so that neither a long task nor a stuck broker connection delays it."""

    def __init__(
        self, telemetry: Telemetry, process: Process, meter: ProcessMeter, settings: Callable[[], str] = str
    ) -> None:
        """Nothing is sent before `start`. `settings` gives the digest in use here, and must not wait for anything."""
        self._telemetry = telemetry
        self._process = process
        self._meter = meter
        self._settings = settings
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Report now and from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Report a last time, and say goodbye."""
        self._ended.set()
        self._thread.join(BEAT_SECONDS)
        if self._report():
            try:
                self._telemetry.leave(self._process)
            except Exception as error:  # noqa: BLE001 - the process ends; its silence says the same 35 s later
                log.warning("goodbye_not_sent", reason=type(error).__name__)

    def _run(self) -> None:
        self._report()
        while not self._ended.wait(BEAT_SECONDS):
            self._report()

    def _report(self) -> bool:
        return report(self._telemetry, self._process, self._meter, self._settings())


def report(telemetry: Telemetry, process: Process, meter: ProcessMeter, settings: str = "") -> bool:
    """Report once; False when the store did not take it, and what was to be told is told the next time."""
    taken = meter.take()
    try:
        telemetry.report(process, taken, settings)
    except Exception as error:  # noqa: BLE001 - a heartbeat that ends with one bad answer would tell of a death
        meter.give_back(taken)
        log.warning("heartbeat_not_sent", reason=type(error).__name__)
        return False
    return True
