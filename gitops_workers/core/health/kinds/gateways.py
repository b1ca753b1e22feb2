"""Traffic: Gateway API, Airlock, Contour, Gloo, Istio, DNS-SD, Flagger."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Table,
    degraded,
    false,
    has,
    healthy,
    joined,
    progressing,
    reason,
    true,
    unknown,
)
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


_CANARY = {
    "Failed": HealthStatus.DEGRADED,
    **dict.fromkeys(("Progressing", "Finalising", "Promoting"), HealthStatus.PROGRESSING),
    **dict.fromkeys(("Succeeded", "Initialized"), HealthStatus.HEALTHY),
}


def canary(obj: Manifest) -> Health:
    """Flagger: the phase, while traffic shifts with its weight, and what its conditions say."""
    if not isinstance(read(obj, "status"), dict):
        return Health(HealthStatus.UNKNOWN, "No status")
    phase, weight = text(obj, "status.phase"), number(obj, "status.canaryWeight")
    said = [f"Canary Weight: {text(obj, 'status.canaryWeight')} %"] if weight > 0 else []
    said += [text(item, "message") for item in items(obj, "status.conditions")]
    return Health(_CANARY.get(phase, HealthStatus.UNKNOWN), f"{phase} --- {' --- '.join(said)}")


def _not_included(item: dict[str, Any]) -> bool:
    """The proxy that should include this one is not there: a proxy that is meant to be included has no health."""
    missing = [error for error in items(item, "errors") if error.get("reason") == "IncludeNotFound"]
    return item.get("status") == "False" and any(error.get("type") == "IncludeError" for error in missing)


def contour(obj: Manifest) -> Health:
    """The Valid condition, if it is about this generation. A proxy has its words in the description."""
    said = "status.description" if obj.get("kind") == "HTTPProxy" else ""
    status = {"True": HealthStatus.HEALTHY, "False": HealthStatus.DEGRADED}
    for item in items(obj, "status.conditions"):
        current = item.get("observedGeneration") == read(obj, "metadata.generation")
        if current and _not_included(item):
            return Health(HealthStatus.HEALTHY, "HTTPProxy inclusions cannot be health checked")
        if current and item.get("type") == "Valid" and text(item, "status") in status:
            return Health(status[text(item, "status")], text(obj, said) if said else text(item, "message"))
    if said and read(obj, "status.conditions") is None and read(obj, "status.currentStatus") is not None:
        return Health(HealthStatus.PROGRESSING, text(obj, said))
    return Health(HealthStatus.PROGRESSING, "Waiting for status")


_DNSSD: Rule = (
    degraded("{@Adopted.message}", false("Adopted")),
    degraded("{@Advertised.message}", reason("Advertised", "AdvertiseError", "UnadvertiseError")),
    unknown("{@Discoverable.message}", reason("Discoverable", "DiscoveryError")),
    healthy("{@Discoverable.message}", true("Discoverable")),
    progressing("{@Discoverable.message}"),
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
                "GatewayClass": gateway_class,
            },
        ),
        ("microgateway.airlock.com/*", airlock),
        *joined("projectcontour.io", {"HTTPProxy ExtensionService": contour}),
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
