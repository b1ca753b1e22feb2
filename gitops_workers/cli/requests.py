"""From a command to a request, and from its answer to an exit code."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_workers.cli.client import Engine
from gitops_workers.cli.output import flat, paint
from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import AppId, HealthStatus, Phase
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync.pause import CONDITION
from gitops_workers.core.sync.request import Request, parse, reject_reason, to_json
from gitops_workers.core.telemetry.audit import AuditedRequest, details_of
from gitops_workers.core.text.timefmt import stamp

WATCH_SECONDS = 5.0
POLL_SECONDS = 0.25
"""One small read of the store: an operator sees no delay, and the store no load."""
WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.CURRENT})


def user() -> str:
    """Who asks, for history and events."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that no passwd file knows
        return f"uid {os.getuid()}"


def request_of(**options: Any) -> Request:
    """What this user asks for, checked as the engine will check it. Raises InvalidManifest."""
    request = parse(to_json(Request(secrets.token_hex(8), user(), **options)))
    if request.refusal:
        raise InvalidManifest(request.refusal)
    return request


def wish(engine: Engine, app: AppId, verb: str, request: Request | None = None) -> AuditedRequest:
    """What the audit says of a command of this user on this host."""
    return AuditedRequest(
        at=stamp(engine.queue.now()),
        app=app,
        verb=verb,
        by=user(),
        source=socket.gethostname(),
        details=details_of(request) if request else "",
        request=request.id if request else "",
        revision=request.revision if request else "",
    )


def allow(engine: Engine, status: Status, request: Request, verb: str) -> None:
    """Raise Refused for what the engine would refuse, before anything is stored; the refusal is an event, too."""
    try:
        _check(engine, status, request)
    except Refused as error:
        raise refused(engine, status.id, verb, error, request) from None


def refused(engine: Engine, app: AppId, verb: str, error: Refused, request: Request | None = None) -> Refused:
    """The refusal, after an event has told of it."""
    engine.state.add_events([wish(engine, app, verb, request).refused(str(error))])
    return error


def _check(engine: Engine, status: Status, request: Request) -> None:
    if status.suspended and not request.terminate:
        raise Refused(f"{status.id} is suspended: run `gitops-workers app resume {status.id}` first.")
    app = engine.state.application(status.id)
    if app is None:
        raise unreadable(status.id)
    if reason := reject_reason(request, app, paused=any(item.type == CONDITION for item in status.conditions)):
        raise Refused(reason)


def send(engine: Engine, app: AppId, request: Request, verb: str) -> None:
    """Store the request, then the intent; whoever has sent all that he wants to rings."""
    engine.state.save("request", app, to_json(request))
    generation = engine.ask(app, f"{verb} asked by {request.by}")
    engine.state.add_events([wish(engine, app, verb, request).accepted(generation)])
    print(f"{flat(app)}: {verb} asked")


def unreadable(app: AppId) -> InvalidManifest:
    """The application is there, and not to be read with this key."""
    return InvalidManifest(
        f"{app}: what is stored cannot be read with this key, so workers would not read our wish either. Set "
        "GITOPS_CACHE_KEY (or GITOPS_STATE) to that of the workers."
    )


def is_pending(engine: Engine, app: AppId) -> bool:
    """Whether somebody's request has no answer yet."""
    asked = engine.state.load("request", app)
    return asked is not None and asked.get("id") != (engine.state.load("answer", app) or {}).get("id")


def answered(engine: Engine, app: AppId, request: Request, timeout: float) -> bool:
    """Wait for the answer to this request and print it where it is bad; False when it is, or when time is up."""

    def served(_status: Status) -> bool:
        return _answer(engine, app, request.id) is not None or _replaced(engine, app, request.id)

    if not awaited(engine, app, served, timeout):
        return False
    answer = _answer(engine, app, request.id)
    if answer is None:
        print(f"{flat(app)}: another request took the place of this one.", file=sys.stderr)
        return False
    if answer["phase"] != Phase.SUCCEEDED:
        print(f"{flat(app)}: failed: {flat(answer['message'])}", file=sys.stderr)
        return False
    if request.is_partial:
        print(f"{flat(app)}: {flat(answer['message'])}")
    return True


def deployed(engine: Engine, app: AppId, request: Request, timeout: float) -> bool:
    """Until the request was served well, then until the application is healthy.

    Objects that are only pruned when asked leave it OutOfSync after a sync that did all it was told.
    """
    deadline = time.monotonic() + timeout
    if not answered(engine, app, request, timeout):
        return False
    return awaited(engine, app, lambda now: now.health in WELL, max(0.1, deadline - time.monotonic()))


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
        for sentence in self.engine.missing(cluster or ""):
            duty = sentence.partition(":")[0].partition(" since")[0]
            if duty not in self.told:
                self.told.add(duty)
                print(f"{flat(self.app)}: {flat(sentence)}", file=sys.stderr)


def _answer(engine: Engine, app: AppId, request: str) -> dict[str, Any] | None:
    answer = engine.state.load("answer", app)
    return dict(answer) if answer is not None and answer.get("id") == request else None


def _replaced(engine: Engine, app: AppId, request: str) -> bool:
    asked = engine.state.load("request", app)
    return asked is None or asked.get("id") != request


def look_again(engine: Engine, app: AppId, timeout: float) -> None:
    """Have the application compared with its cluster now. Raises Refused when nobody could or did it in time."""
    asked_at = engine.queue.now()
    engine.state.save(refreshes.ASKED, app, refreshes.request(asked_at, user()))
    generation = engine.ask(app, f"refresh asked by {user()}")
    engine.state.add_events([wish(engine, app, "refresh").accepted(generation)])
    engine.ring()

    def reason() -> str | None:
        return refreshes.reason_of(engine.state.load(refreshes.ANSWER, app), asked_at)

    if not awaited(engine, app, lambda _status: reason() is not None, timeout):
        raise Refused(f"{app} was not compared within {timeout:g} s: see `gitops-workers doctor`.")
    if why := reason():
        raise Refused(f"{app} could not be compared with its cluster: {why}")
