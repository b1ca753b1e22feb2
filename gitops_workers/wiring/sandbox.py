"""Which limits a process gives its sandbox children, and what this host's kernel lets them do."""

from __future__ import annotations

import functools

import structlog

from gitops_workers.adapters.sandbox import OPEN_NETWORK, Sandbox, SandboxLimits
from gitops_workers.adapters.user_rules import SECONDS
from gitops_workers.core.render.isolation import Isolation
from gitops_workers.settings import Settings

log = structlog.get_logger()

RULES_MEMORY = 256 << 20
"""Bytes of a child that evaluates rules: an object in Lua takes ten times its JSON, and no rule needs more."""


def render_limits(settings: Settings) -> SandboxLimits:
    """What a child that renders may use."""
    return SandboxLimits(
        seconds=settings.render_timeout,
        memory=settings.render_memory_mib << 20,
        open_network=settings.allow_render_network,
    )


def rules_limits(settings: Settings) -> SandboxLimits:
    """What a child that evaluates users' rules may use."""
    return SandboxLimits(
        seconds=SECONDS,
        parsing=5.0,
        memory=RULES_MEMORY,
        grace=0.25,
        waiting=30.0,
        open_network=settings.allow_render_network,
    )


def tell_isolation(settings: Settings) -> bool:
    """Log what keeps renders apart from this host; whether this process may render by its settings."""
    found = isolation_here()
    if not found.network_closed and not settings.allow_render_network:
        log.error("renders are refused", reason=OPEN_NETWORK, **found.as_mapping())
        return False
    tell = log.warning if found.missing else log.info
    tell("isolation of renders", summary=str(found), **found.as_mapping())
    return True


@functools.cache
def isolation_here() -> Isolation:
    """What keeps a render apart from this host: a child is started, asked and ended, once. Raises Retry."""
    sandbox = Sandbox({}, children=1, limits=SandboxLimits(open_network=True))
    try:
        return sandbox.isolation()
    finally:
        sandbox.close()
