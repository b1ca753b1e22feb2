"""From a planned change to what the terminal says of it, and from its answer to an exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gitops_workers.cli.client import Engine
from gitops_workers.cli.output import flat, paint
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import AppId, Phase
from gitops_workers.core.status.rows import Status
from gitops_workers.services import changes, refresh, requests
from gitops_workers.services.changes import Accepted, Change
from gitops_workers.services.wait import WELL, missing_processes

WATCH_SECONDS = 5.0
POLL_SECONDS = 0.25
"""One small read of the store: an operator sees no delay, and the store no load."""


def submit(engine: Engine, planned: Sequence[Change], done: str = "") -> list[Accepted]:
    """Submit what was planned, and say so of each. Nothing is submitted before all of it could be planned.

    An application that was named twice is asked once: a second request would take the place of the first.
    """
    found = []
    for change in {change.app: change for change in planned}.values():
        found.append(changes.submit(engine.backend, change))
        print(f"{flat(change.app)}: {done or f'{change.audit.verb} asked'}")
    return found


def answered(engine: Engine, asked: Accepted, timeout: float) -> bool:
    """Wait for the answer to this request and print it where it is bad; False when it is, or when time is up."""
    assert asked.request is not None
    request = asked.request

    def served(_status: Status) -> bool:
        answer, expected = requests.answer_of(engine.state, asked.app, request.id)
        return answer is not None or not expected

    if not awaited(engine, asked.app, served, timeout):
        return False
    answer, _ = requests.answer_of(engine.state, asked.app, request.id)
    if answer is None:
        print(f"{flat(asked.app)}: another request took the place of this one.", file=sys.stderr)
        return False
    if answer.phase is not Phase.SUCCEEDED:
        print(f"{flat(asked.app)}: failed: {flat(answer.message)}", file=sys.stderr)
        return False
    if request.is_partial:
        print(f"{flat(asked.app)}: {flat(answer.message)}")
    return True


def deployed(engine: Engine, asked: Accepted, timeout: float) -> bool:
    """Until the request was served well, then until the application is healthy.

    Objects that are only pruned when asked leave it OutOfSync after a sync that did all it was told.
    """
    deadline = time.monotonic() + timeout
    if not answered(engine, asked, timeout):
        return False
    return awaited(engine, asked.app, lambda now: now.health in WELL, max(0.1, deadline - time.monotonic()))


def awaited(engine: Engine, app: AppId, reached: Callable[[Status], bool], timeout: float) -> bool:
    """Wait for a condition, showing each change of the row on the way; False when time is up."""
    deadline = time.monotonic() + timeout
    shown: Sequence[str] = ()
    watch = _Watch(engine, app)
    while True:
        status = engine.find(app)
        watch.look(status.cluster)
        now = (status.sync.value, status.health.value, status.operation.phase.value if status.operation else "-")
        if now != shown:
            shown = now
            print(f"{flat(app)}: {paint(now[0])} {paint(now[1])}, operation {paint(now[2])}", file=sys.stderr)
        if reached(status):
            return True
        if time.monotonic() > deadline:
            print(f"{flat(app)}: not within {timeout:g} s: {flat(status.message)}", file=sys.stderr)
            return False
        time.sleep(POLL_SECONDS)


def refreshed(engine: Engine, name: str, timeout: float) -> Status:
    """The row after a comparison with the cluster of now. Raises Refused when nobody could or did it in time."""
    change = refresh.refresh(engine.backend, engine.caller, name)
    app = changes.submit(engine.backend, change).app

    def reason() -> str | None:
        last = refresh.last_refresh(engine.state, app)
        return last.reason if last is not None else None

    if not awaited(engine, app, lambda _status: reason() is not None, timeout):
        raise Refused(f"{app} was not compared within {timeout:g} s: see `gitops-workers doctor`.")
    if why := reason():
        raise Refused(f"{app} could not be compared with its cluster: {why}")
    return engine.find(app)


@dataclass(slots=True)
class _Watch:
    """Says on the way that nobody is there to do what is waited for, once per reason."""

    engine: Engine
    app: AppId
    told: set[str] = field(default_factory=set)
    next_at: float = 0.0

    def look(self, cluster: str) -> None:
        """Every few seconds: a process that starts needs some to be heard of."""
        if time.monotonic() < self.next_at:
            return
        self.next_at = time.monotonic() + WATCH_SECONDS
        for sentence in missing_processes(self.engine.state, self.engine.telemetry, cluster or ""):
            duty = sentence.partition(":")[0].partition(" since")[0]
            if duty not in self.told:
                self.told.add(duty)
                print(f"{flat(self.app)}: {flat(sentence)}", file=sys.stderr)
