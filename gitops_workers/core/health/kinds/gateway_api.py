"""Gateway API: routes, gateways, classes and the policies that are attached to them, Airlock's among these."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import Table, joined
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def _current(obj: Manifest, conditions: list[dict[str, Any]]) -> bool:
    """Whether all conditions speak of this generation."""
    generation = read(obj, "metadata.generation")
    return generation is None or all(item.get("observedGeneration") == generation for item in conditions)


def _judge(who: str, what: str, conditions: list[dict[str, Any]]) -> Health | None:
    """False is degraded, ResolvedRefs first; a data plane that is behind (Programmed) only makes it progress."""
    for kind in ("ResolvedRefs", "Accepted"):
        for item in conditions:
            if item.get("type") == kind and item.get("status") == "False":
                return Health(HealthStatus.DEGRADED, f"{who}{text(item, 'message', f'Failed condition: {kind}')}")
    for item in conditions:
        if item.get("type") == "Programmed" and item.get("status") != "True":
            said = text(item, "message", f"{what} is still being programmed")
            return Health(HealthStatus.PROGRESSING, f"{who}{said}")
    return None


def route(obj: Manifest) -> Health:
    """The first parent of this generation with a complaint decides: old parents keep what they said long ago."""
    kind, fresh = text(obj, "kind"), False
    for parent in items(obj, "status.parents"):
        conditions = items(parent, "conditions")
        if not conditions or not _current(obj, conditions):
            continue
        fresh = True
        found = _judge(f"Parent {text(parent, 'parentRef.name')}: ", "Route", conditions)
        if found is not None:
            return found
    if fresh:
        return Health(HealthStatus.HEALTHY, f"{kind} is healthy")
    return Health(HealthStatus.PROGRESSING, f"Waiting for {kind} status")


def gateway(obj: Manifest) -> Health:
    """Its own conditions, then those of its listeners."""
    conditions, listeners = items(obj, "status.conditions"), items(obj, "status.listeners")
    found = _judge("", "Gateway", conditions)
    for listener in listeners:
        found = found or _judge("Listener: ", "Listener", items(listener, "conditions"))
    if found is not None:
        return found
    if isinstance(read(obj, "status.conditions"), list) or listeners:
        return Health(HealthStatus.HEALTHY, "Gateway is healthy")
    return Health(HealthStatus.PROGRESSING, "Waiting for Gateway status")


def gateway_class(obj: Manifest) -> Health:
    """The first Accepted condition that is not about an older generation."""
    generation = read(obj, "metadata.generation")
    for item in items(obj, "status.conditions"):
        seen = item.get("observedGeneration")
        if item.get("type") != "Accepted" or (None not in (generation, seen) and seen != generation):
            continue
        if item.get("status") == "True":
            return Health(HealthStatus.HEALTHY, text(item, "message", "GatewayClass is accepted"))
        if item.get("status") == "False":
            return Health(HealthStatus.DEGRADED, text(item, "message", "GatewayClass is not accepted"))
        return Health(HealthStatus.PROGRESSING, text(item, "message", "Waiting for GatewayClass status"))
    return Health(HealthStatus.PROGRESSING, "Waiting for GatewayClass status")


def _ancestor(ancestor: dict[str, Any]) -> str:
    return f"Ancestor {text(ancestor, 'ancestorRef.name')}"


def _behind(obj: Manifest, *, silent_counts: bool) -> Health | None:
    """Progressing while an ancestor speaks of another generation; `silent_counts`: also while it names none."""
    generation = read(obj, "metadata.generation")
    for ancestor in items(obj, "status.ancestors") if generation is not None else []:
        for item in items(ancestor, "conditions"):
            seen = item.get("observedGeneration")
            if seen != generation and (silent_counts or seen is not None):
                said = f"Waiting for {_ancestor(ancestor)} to update {text(obj, 'kind')} status"
                return Health(HealthStatus.PROGRESSING, said)
    return None


def _refused(ancestor: dict[str, Any]) -> Health | None:
    """The first of its conditions that is not met."""
    for item in items(ancestor, "conditions"):
        if item.get("type") in ("Accepted", "ResolvedRefs") and item.get("status") != "True":
            return Health(HealthStatus.DEGRADED, f"{_ancestor(ancestor)}: {text(item, 'message')}")
    return None


def _accepts(ancestor: dict[str, Any]) -> bool:
    return any(item.get("type") == "Accepted" for item in items(ancestor, "conditions"))


def policy(obj: Manifest) -> Health:
    """A policy attachment of Gateway API: every ancestor has seen this generation and accepted it."""
    waiting = Health(HealthStatus.PROGRESSING, f"Waiting for {text(obj, 'kind')} status")
    ancestors = items(obj, "status.ancestors")
    found = _behind(obj, silent_counts=False) or next(filter(None, map(_refused, ancestors)), None)
    if found is not None:
        return found
    if any(map(_accepts, ancestors)):
        return Health(HealthStatus.HEALTHY, f"{text(obj, 'kind')} is healthy")
    return waiting


def airlock(obj: Manifest) -> Health:
    """Airlock's policies say as much as Gateway API's; its other kinds have no status that tells."""
    kind = text(obj, "kind", "Policy")
    good = Health(HealthStatus.HEALTHY, f"{kind} is healthy")
    if not kind.endswith("Policy"):
        return good
    if (behind := _behind(obj, silent_counts=True)) is not None:
        return behind
    found = Health(HealthStatus.PROGRESSING, f"Waiting for {kind} status")
    for ancestor in items(obj, "status.ancestors"):
        if (refused := _refused(ancestor)) is not None:
            return refused
        found = good
        if not _accepts(ancestor):
            found = Health(HealthStatus.DEGRADED, f"{_ancestor(ancestor)}: {kind} is not accepted")
    return found


RULES: Table = dict(
    (
        *joined(
            "gateway.networking.k8s.io",
            {
                "HTTPRoute GRPCRoute TLSRoute TCPRoute UDPRoute": route,
                "BackendTLSPolicy": policy,
                "Gateway": gateway,
                "GatewayClass": gateway_class,
            },
        ),
        ("microgateway.airlock.com/*", airlock),
    )
)
