"""Traffic: Gateway API, Airlock, Contour, Gloo, Istio, DNS-SD, Flagger."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.rules import (
    Rule,
    Stale,
    Table,
    degraded,
    empty,
    false,
    has,
    healthy,
    items,
    joined,
    number,
    progressing,
    read,
    ready,
    reason,
    text,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def _judge(who: str, conditions: list[dict[str, Any]], bad: tuple[str, ...]) -> Health | None:
    """False for one of `bad` is degraded; a False Programmed only means that the data plane is behind."""
    for kinds, status in ((bad, HealthStatus.DEGRADED), (("Programmed",), HealthStatus.PROGRESSING)):
        for item in conditions:
            if read(item, "type") in kinds and read(item, "status") == "False":
                return Health(status, f"{who}: {text(item, 'message') or 'Failed condition: ' + text(item, 'type')}")
    return None


def _current(obj: Manifest, conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Conditions about this generation; one that names no generation counts."""
    generation = read(obj, "metadata.generation")
    return [
        item for item in conditions if generation is None or item.get("observedGeneration", generation) == generation
    ]


def _worst(found: list[Health | None]) -> Health | None:
    """The first degraded one, else the first."""
    known = [health for health in found if health is not None]
    return next((health for health in known if health.status is HealthStatus.DEGRADED), next(iter(known), None))


def route(obj: Manifest) -> Health:
    """Every parent has accepted it. Old parents keep conditions of an old generation, which say nothing any more."""
    kind, parents = text(obj, "kind"), items(obj, "status.parents")
    fresh = [
        (text(parent, "parentRef.name"), _current(obj, items(parent, "conditions")))
        for parent in parents
        if not items(parent, "conditions") or _current(obj, items(parent, "conditions"))
    ]
    if not fresh:
        return Health(HealthStatus.PROGRESSING, f"Waiting for {kind} status")
    found = [_judge(f"Parent {name}", conditions, ("Accepted", "ResolvedRefs")) for name, conditions in fresh]
    return _worst(found) or Health(HealthStatus.HEALTHY, f"{kind} is healthy")


def policy(obj: Manifest) -> Health:
    """A policy attachment: every ancestor has seen this generation and accepted it."""
    kind, ancestors = text(obj, "kind"), items(obj, "status.ancestors")
    if not ancestors:
        return Health(HealthStatus.PROGRESSING, f"Waiting for {kind} status")
    found: list[Health | None] = []
    for ancestor in ancestors:
        name, conditions = text(ancestor, "ancestorRef.name"), items(ancestor, "conditions")
        if len(_current(obj, conditions)) < len(conditions):
            message = f"Waiting for Ancestor {name} to update {kind} status"
            found.append(Health(HealthStatus.PROGRESSING, message))
        elif conditions and all(item.get("type") != "Accepted" for item in conditions):
            found.append(Health(HealthStatus.DEGRADED, f"Ancestor {name}: {kind} is not accepted"))
        else:
            found.append(_judge(f"Ancestor {name}", conditions, ("Accepted", "ResolvedRefs")))
    return _worst(found) or Health(HealthStatus.HEALTHY, f"{kind} is healthy")


def gateway(obj: Manifest) -> Health:
    """Its own conditions and those of its listeners."""
    conditions = items(obj, "status.conditions")
    if not conditions:
        return Health(HealthStatus.PROGRESSING, "Waiting for Gateway status")
    bad = ("Accepted", "ResolvedRefs")
    found = [_judge("Gateway", _current(obj, conditions), bad)]
    listeners = [items(listener, "conditions") for listener in items(obj, "status.listeners")]
    found += [_judge("Listener", _current(obj, each), bad) for each in listeners]
    return _worst(found) or Health(HealthStatus.HEALTHY, "Gateway is healthy")


_GLOO = {
    "Pending": Health(HealthStatus.SUSPENDED, "The resource has not yet been validated"),
    "Accepted": Health(HealthStatus.HEALTHY, "The resource has been validated"),
}
_GLOO_NUMBERS = ("Pending", "Accepted", "Rejected", "Warning")
_GLOO_ORDER = (HealthStatus.DEGRADED, HealthStatus.SUSPENDED, HealthStatus.HEALTHY)


def gloo(obj: Manifest) -> Health:
    """One status a controller namespace since Gloo 1.10, one alone before; the worst counts."""
    many = read(obj, "status.statuses")
    statuses = list(many.values()) if isinstance(many, dict) else [read(obj, "status")]
    found = [health for health in map(_gloo, statuses) if health is not None]
    if not found:
        return Health(HealthStatus.PROGRESSING, "Update in progress")
    return min(found, key=lambda health: _GLOO_ORDER.index(health.status))


def _gloo(status: Any) -> Health | None:
    state = read(status, "state")
    if isinstance(state, int) and 0 <= state < len(_GLOO_NUMBERS):
        state = _GLOO_NUMBERS[state]
    if state in ("Rejected", "Warning"):
        return Health(HealthStatus.DEGRADED, text(status, "reason"))
    return _GLOO.get(state) if isinstance(state, str) else None


def canary(obj: Manifest) -> Health:
    """Flagger: the phase, while traffic shifts with its weight, and what the controller says."""
    phase, weight = text(obj, "status.phase"), number(obj, "status.canaryWeight")
    if not phase:
        return Health(HealthStatus.PROGRESSING, "Waiting for Canary to be initialized")
    shifted = f"Canary Weight: {weight} % --- " if weight else ""
    status = {"Failed": HealthStatus.DEGRADED, "Succeeded": HealthStatus.HEALTHY, "Initialized": HealthStatus.HEALTHY}
    message = f"{phase} --- {shifted}{text(obj, '@Promoted.message')}"
    return Health(status.get(phase, HealthStatus.PROGRESSING), message)


_CONTOUR: Rule = (
    progressing("{status.description?Waiting for status}", has("status.currentStatus", "NotReconciled")),
    progressing("Waiting for status", empty("status.conditions")),
    progressing("Waiting for status", Stale("@Valid.observedGeneration")),
    *ready("Waiting for status", "Valid"),
)
_DNSSD: Rule = (
    progressing("Waiting for the instance to be observed", Stale("@Discoverable.observedGeneration")),
    degraded("{@Adopted.message}", false("Adopted")),
    degraded("{@Advertised.message}", reason("Advertised", "AdvertiseError", "UnadvertiseError")),
    healthy("{@Discoverable.message}", true("Discoverable")),
    progressing("{@Discoverable.message}", false("Discoverable")),
    unknown("{@Discoverable.message}", reason("Discoverable", "DiscoveryError")),
    progressing("Waiting for the instance to be advertised"),
)
_ISTIO: Rule = (
    unknown("Component is not present.", has("status.status", "NONE", 0)),
    progressing("Component is being updated to a different version.", has("status.status", "UPDATING", 1)),
    progressing(
        "Controller has started but not yet completed reconciliation loop for the component.",
        has("status.status", "RECONCILING", 2),
    ),
    healthy("Component is healthy.", has("status.status", "HEALTHY", 3)),
    degraded("Component is in an error state.", has("status.status", "ERROR", 4)),
    degraded(
        "Overall status only and would not be set as a component status.", has("status.status", "ACTION_REQUIRED")
    ),
    progressing("Waiting for Istio Control Plane"),
)

RULES: Table = dict(
    (
        *joined(
            "gateway.networking.k8s.io",
            {
                "HTTPRoute GRPCRoute TLSRoute TCPRoute UDPRoute": route,
                "BackendTLSPolicy": policy,
                "Gateway": gateway,
                "GatewayClass": ready("Waiting for GatewayClass status", "Accepted"),
            },
        ),
        ("microgateway.airlock.com/*", policy),
        *joined("projectcontour.io", {"HTTPProxy ExtensionService": _CONTOUR}),
        *joined(
            "gateway.solo.io",
            {"Gateway MatchableHttpGateway RouteOption RouteTable VirtualHostOption VirtualService": gloo},
        ),
        *joined("gloo.solo.io", {"Proxy Settings Upstream UpstreamGroup": gloo}),
        ("install.istio.io/IstioOperator", _ISTIO),
        ("proclaim.dogmatiq.io/DNSSDServiceInstance", _DNSSD),
        ("flagger.app/Canary", canary),
    )
)
