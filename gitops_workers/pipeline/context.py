"""Everything the pipeline may reach, in one value that is built once per process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitops_workers.core.errors import Retry
from gitops_workers.core.health import health_of
from gitops_workers.core.model import Application, Health, IgnoreRule
from gitops_workers.core.objects import Manifest, digest
from gitops_workers.core.telemetry.presence import Presence
from gitops_workers.pipeline.reconcile.own_settings import OwnSettings
from gitops_workers.ports import (
    Calendar,
    Closures,
    Clusters,
    Meter,
    Queue,
    Renderer,
    Rules,
    Sealer,
    Secrets,
    Sources,
    State,
)
from gitops_workers.ports.tracing import NO_TRACES, Tracer
from gitops_workers.runtime.meters import ProcessMeter


@dataclass(frozen=True, slots=True)
class BuiltInRules:
    """Port `Rules` where no users' rules can be run: the dialects' own rules alone."""

    wall: Callable[[], float] = time.time
    """Seconds since 1970, for objects whose age counts."""

    def health(self, app: Application, live: Manifest) -> Health | None:
        """By the dialect's rules."""
        return health_of(live, app.dialect, now=self.wall())

    def check(self, app: Application) -> None:
        """Nothing is looked at."""

    def governed(self, app: Application) -> Application:
        """There are no settings."""
        return app

    def mark(self, app: Application) -> str:
        """Of the application's own ignored differences."""
        return digest(repr(app.ignore)) if app.ignore else ""

    def ignored(self, app: Application) -> tuple[IgnoreRule, ...]:
        """The application's own."""
        return app.ignore

    def paths(
        self,
        expressions: Sequence[str],
        manifests: Sequence[Manifest],  # noqa: ARG002 - the port's
    ) -> Sequence[tuple[tuple[str | int, ...], ...]]:
        """There is no jq here."""
        raise Retry(f"this process cannot run jq, which {expressions[0]!r} needs; look at how it was started")

    def holds(self, expression: str, variables: Mapping[str, Any]) -> bool:  # noqa: ARG002 - the port's
        """There is no CEL here."""
        raise Retry(f"this process cannot run CEL, which {expression!r} needs; look at how it was started")


def _alone() -> Presence:
    """Where a process works by itself, nobody has a heartbeat."""
    return Presence(0.0)


class RenderPorts(Protocol):
    """What resolving a revision and rendering it may reach: all that a command without cluster and Redis has."""

    @property
    def sources(self) -> Sources:
        """The repositories."""
        ...

    @property
    def closures(self) -> Closures:
        """Which files a render reads."""
        ...

    @property
    def renderer(self) -> Renderer:
        """From files to objects."""
        ...

    @property
    def secrets(self) -> Secrets:
        """Secrets and ConfigMaps that manifests refer to."""
        ...

    @property
    def tracer(self) -> Tracer:
        """It tells each stage as a span."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The ports. `lease`, `interval`, `jitter`, the other intervals and `sync_timeout` are in seconds.

    `interval` and `jitter` are Argo CD's `timeout.reconciliation`, `sync_timeout` (0: none) is its
    `controller.sync.timeout`: settings of the installation, for its manifests name none. Flux' name their own, and
    `flux_interval` is for those that do not.
    """

    sources: Sources
    closures: Closures
    renderer: Renderer
    secrets: Secrets
    clusters: Clusters
    state: State
    queue: Queue
    sealer: Sealer
    lease: float = 30.0
    interval: float = 120.0
    jitter: float = 60.0
    sync_timeout: float = 0.0
    flux_interval: float = 600.0
    catalogue_interval: float = 5.0
    clock: Callable[[], float] = time.monotonic
    """Seconds that only grow, for deadlines of this process alone."""
    rules: Rules = field(default_factory=BuiltInRules)
    settings: OwnSettings = field(default_factory=OwnSettings)
    presence: Callable[[], Presence] = _alone
    """Everybody's heartbeats."""
    meter: Meter = field(default_factory=ProcessMeter)
    tracer: Tracer = NO_TRACES
    calendar: Calendar | None = None
    """None: sync windows cannot be evaluated here, and whoever has one is not synced."""
