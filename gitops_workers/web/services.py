"""What the web process is given: ports and settings, frozen."""

from __future__ import annotations

import enum
import hashlib
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from gitops_workers.core.errors import Retry
from gitops_workers.core.telemetry.presence import Process
from gitops_workers.ports import Queue, Secrets, State, TaskMessage, Telemetry
from gitops_workers.ports.tracing import NO_TRACES, Tracer
from gitops_workers.runtime.meters import ProcessMeter
from gitops_workers.web.connections import Bounds


class Role(enum.StrEnum):
    """What a bearer of a token may do; `write` includes `read`."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Token:
    """An API token. Only its SHA-256 is kept, so that neither a dump nor a comparison gives it away."""

    name: str
    """The holder: what history and events say a sync was asked by."""
    role: Role
    digest: bytes = field(repr=False)
    projects: frozenset[str] = frozenset()
    """The projects it sees; empty means all."""

    @classmethod
    def of(cls, name: str, role: Role, secret: str, projects: Sequence[str] = ()) -> Self:
        """Make one from the secret its holder will send."""
        return cls(name, role, hashlib.sha256(secret.encode()).digest(), frozenset(projects))


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The values of the environment that matter here."""

    webhook_secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """By provider name (`webhooks.registry.NAMES`); a provider without one is off."""
    tokens: tuple[Token, ...] = ()
    """Without any, the API is off."""
    open_to_loopback: bool = False
    """For `up` and `demo`: who sits at this machine needs no token."""
    open_metrics: bool = False
    """Whether `/metrics` is for everybody; else it needs a token, for it names every application."""
    body_limit: int = 1_048_576
    """Bytes of a request's body, and of a webhook's that is read beside others."""
    webhook_limit: int = 26_214_400
    """Bytes of a webhook's body: GitHub sends up to 25 MB. Those above `body_limit` are read one at a time."""
    body_seconds: float = 30.0
    """How long a body may take to arrive."""
    bounds: Bounds = field(default_factory=Bounds)
    """Of connections."""
    requests: int = 256
    """Answered at a time in one process; more are told to come again (503) instead of piling up in memory."""
    dispatch_limit: int = 100
    """Doorbells published per intake; the beat's tick sends the rest."""
    event_streams: int = 50
    """Open `/api/v1/events` connections per process; each reads the store once a second."""
    event_seconds: float = 1.0
    """Between two reads of an event stream."""


@dataclass(frozen=True, slots=True)
class WebServices:
    """Everything `create_app` needs."""

    state: State
    queue: Queue
    publish: Callable[[Sequence[TaskMessage]], None]
    settings: WebSettings
    telemetry: Telemetry
    secrets: Secrets | None = None
    """Where Flux Receivers' tokens are; None leaves `/hook/` off."""
    meter: ProcessMeter = field(default_factory=ProcessMeter)
    """What this process counts; a scrape and its heartbeat bring it to the store."""
    tracer: Tracer = NO_TRACES
    process: Process = field(default_factory=lambda: Process("web", f"web-{os.getpid()}@{socket.gethostname()}"))
    outages: tuple[type[Exception], ...] = (OSError, Retry)
    """What the ports raise when the store does not answer: such a request gets 503."""
